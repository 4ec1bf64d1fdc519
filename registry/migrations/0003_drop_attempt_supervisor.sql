-- An attempt's processes are found by its token alone; who supervised it tells nothing more.
ALTER TABLE attempts DROP COLUMN supervisor_pid;
ALTER TABLE attempts DROP COLUMN supervisor_start;
ALTER TABLE attempts DROP COLUMN boot_id;

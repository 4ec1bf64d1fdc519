-- Why each attempt failed: a run that was tried again keeps none of it.
ALTER TABLE attempts ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- A sweep is one content of one file: an edited file is another sweep, so that what made a run stays on record.
ALTER TABLE sweeps ADD COLUMN content_sha256 TEXT NOT NULL DEFAULT '';

-- The runs that a sweep describes, those included that an earlier one had added; runs.sweep_id is the one that did.
CREATE TABLE sweep_runs (
  sweep_id TEXT NOT NULL REFERENCES sweeps (id),
  run_id   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  PRIMARY KEY (sweep_id, run_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sweep_runs SELECT sweep_id, id FROM runs WHERE kind = 'run';

-- Which entries lie in a submission, and where: they are kept.
CREATE TABLE submission_entries (
  folder  TEXT NOT NULL,
  place   INTEGER NOT NULL,
  run_id  TEXT NOT NULL REFERENCES runs (id),
  created REAL NOT NULL,
  PRIMARY KEY (folder, place)
) STRICT;
CREATE INDEX submission_entries_by_run ON submission_entries (run_id);
CREATE INDEX members_by_run ON ensemble_members (member_id);
CREATE INDEX tags_by_run ON tags (run_id);
CREATE INDEX sweep_runs_by_run ON sweep_runs (run_id);
-- The leaderboard of a long registry.
CREATE INDEX evaluations_by_score ON evaluations (name, f1, exact_match);

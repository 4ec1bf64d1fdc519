-- Sweeps, runs and ensembles, their attempts, and what they leave. Times are Unix seconds.

-- The highest number ever given for each kind of id: ids are never used again, also after rows are gone.
CREATE TABLE id_counters (
  kind    TEXT PRIMARY KEY CHECK (kind IN ('run', 'ens', 'sweep')),
  highest INTEGER NOT NULL
) STRICT;
INSERT INTO id_counters VALUES ('run', 0), ('ens', 0), ('sweep', 0);

CREATE TABLE sweeps (
  id      TEXT PRIMARY KEY,
  name    TEXT NOT NULL,
  file    TEXT NOT NULL,
  created REAL NOT NULL
) STRICT;
CREATE INDEX sweeps_by_file ON sweeps (file);

-- Runs and ensembles; `position` is the order of creation.
CREATE TABLE runs (
  position     INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  kind         TEXT NOT NULL CHECK (kind IN ('run', 'ens')),
  sweep_id     TEXT REFERENCES sweeps (id),
  name         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'stopped', 'pruned')),
  reason       TEXT NOT NULL DEFAULT '',
  message      TEXT NOT NULL DEFAULT '',
  config_hash  TEXT NOT NULL DEFAULT '',
  seed         INTEGER NOT NULL DEFAULT 0,
  params       TEXT NOT NULL DEFAULT '{}',
  spec         TEXT NOT NULL DEFAULT '{}',
  attempts     INTEGER NOT NULL DEFAULT 0,
  retries_used INTEGER NOT NULL DEFAULT 0,
  created      REAL NOT NULL,
  started      REAL NOT NULL DEFAULT 0,
  ended        REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_sweep ON runs (sweep_id, position);
CREATE INDEX runs_by_state ON runs (state, position);
CREATE UNIQUE INDEX runs_by_identity ON runs (config_hash, seed) WHERE kind = 'run';

CREATE TABLE attempts (
  run_id           TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  attempt          INTEGER NOT NULL,
  token            TEXT NOT NULL,
  supervisor_pid   INTEGER NOT NULL DEFAULT 0,
  supervisor_start INTEGER NOT NULL DEFAULT 0,
  boot_id          TEXT NOT NULL DEFAULT '',
  started          REAL NOT NULL,
  ended            REAL NOT NULL DEFAULT 0,
  ending           TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (run_id, attempt)
) STRICT;

CREATE TABLE evaluations (
  run_id      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name        TEXT NOT NULL,
  f1          REAL NOT NULL,
  exact_match REAL NOT NULL,
  settings    TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
) STRICT;

CREATE TABLE artifacts (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  path   TEXT NOT NULL,
  bytes  INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run_id, path)
) STRICT;

CREATE TABLE metrics (
  run_id        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step          INTEGER NOT NULL,
  epoch         REAL NOT NULL,
  loss          REAL NOT NULL,
  learning_rate REAL NOT NULL,
  time          REAL NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE ensemble_members (
  ensemble_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  place       INTEGER NOT NULL,
  member_id   TEXT NOT NULL REFERENCES runs (id),
  PRIMARY KEY (ensemble_id, place)
) STRICT;

CREATE TABLE tags (
  tag    TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE
) STRICT;

-- A registry of schema 5 with a few rows, as sqlite3's .dump gave it. Never to be changed: tests/registry/schemas_test.cpp opens it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE id_counters (
  kind    TEXT PRIMARY KEY CHECK (kind IN ('run', 'ens', 'sweep')),
  highest INTEGER NOT NULL
) STRICT;
INSERT INTO id_counters VALUES('run',4);
INSERT INTO id_counters VALUES('ens',1);
INSERT INTO id_counters VALUES('sweep',2);
CREATE TABLE sweeps (
  id      TEXT PRIMARY KEY,
  name    TEXT NOT NULL,
  file    TEXT NOT NULL,
  created REAL NOT NULL
, content_sha256 TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO sweeps VALUES('sweep1','lr','/x/lr.toml',100.49999999999999999,'aa');
INSERT INTO sweeps VALUES('sweep2','lr','/x/lr.toml',200.0,'bb');
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
INSERT INTO runs VALUES(1,'run1','run','sweep1','lr','succeeded','','','cafe',1,'{"learning_rate":3e-05}','{"name": "lr", "params": {"learning_rate": 3e-05}, "train": {"epochs": 2.0, "max_steps": 0, "batch_size": 12, "seed": 1}}',2,1,100.49999999999999999,101.25,160.74999999999999999);
INSERT INTO runs VALUES(2,'run2','run','sweep1','lr','failed','exit_code','it said: no','cafe',2,'{"learning_rate":3e-05}','{"name": "lr", "params": {"learning_rate": 3e-05}, "train": {"epochs": 2.0, "max_steps": 0, "batch_size": 12, "seed": 2}}',1,0,100.49999999999999999,101.25,160.74999999999999999);
INSERT INTO runs VALUES(3,'run3','run','sweep1','lr','running','','','cafe',3,'{"learning_rate":3e-05}','{"name": "lr", "params": {"learning_rate": 3e-05}, "train": {"epochs": 2.0, "max_steps": 0, "batch_size": 12, "seed": 3}}',1,0,100.49999999999999999,101.25,0.0);
INSERT INTO runs VALUES(4,'ens1','ens',NULL,'ensemble','succeeded','','','',0,'{}','{"method":"logits"}',0,0,180.0,180.0,180.0);
INSERT INTO runs VALUES(5,'run4','run','sweep2','lr','queued','','','cafe',4,'{"learning_rate":3e-05}','{"name": "lr", "params": {"learning_rate": 3e-05}, "train": {"epochs": 2.0, "max_steps": 0, "batch_size": 12, "seed": 4}}',0,0,200.0,0.0,0.0);
CREATE TABLE attempts (
  run_id           TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  attempt          INTEGER NOT NULL,
  token            TEXT NOT NULL,
  started          REAL NOT NULL,
  ended            REAL NOT NULL DEFAULT 0,
  ending           TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (run_id, attempt)
) STRICT;
INSERT INTO attempts VALUES('run1',1,'t1',101.25,120.5,'failed','signal');
INSERT INTO attempts VALUES('run1',2,'t2',121.5,160.74999999999999999,'succeeded','');
INSERT INTO attempts VALUES('run2',1,'t3',101.25,160.74999999999999999,'failed','exit_code');
INSERT INTO attempts VALUES('run3',1,'t4',101.25,0.0,'','');
CREATE TABLE evaluations (
  run_id      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name        TEXT NOT NULL,
  f1          REAL NOT NULL,
  exact_match REAL NOT NULL,
  settings    TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
) STRICT;
INSERT INTO evaluations VALUES('run1','default',88.500000000000000003,81.25,'{"max_seq_length":384}');
INSERT INTO evaluations VALUES('run1','128-46',87.250000000000000003,80.0,'{"max_seq_length":128}');
INSERT INTO evaluations VALUES('ens1','default',89.499999999999999998,82.0,'{}');
CREATE TABLE artifacts (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  path   TEXT NOT NULL,
  bytes  INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run_id, path)
) STRICT;
INSERT INTO artifacts VALUES('run1','eval.json',38,'ab');
CREATE TABLE metrics (
  run_id        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step          INTEGER NOT NULL,
  epoch         REAL NOT NULL,
  loss          REAL NOT NULL,
  learning_rate REAL NOT NULL,
  time          REAL NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;
INSERT INTO metrics VALUES('run1',1,0.5,2.0,3.0000000000000000758e-05,131.0);
INSERT INTO metrics VALUES('run1',2,1.0,1.0,3.0000000000000000758e-05,132.0);
CREATE TABLE ensemble_members (
  ensemble_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  place       INTEGER NOT NULL,
  member_id   TEXT NOT NULL REFERENCES runs (id),
  PRIMARY KEY (ensemble_id, place)
) STRICT;
INSERT INTO ensemble_members VALUES('ens1',0,'run1');
INSERT INTO ensemble_members VALUES('ens1',1,'run2');
CREATE TABLE tags (
  tag    TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE
) STRICT;
INSERT INTO tags VALUES('best','run1');
CREATE TABLE sweep_runs (
  sweep_id TEXT NOT NULL REFERENCES sweeps (id),
  run_id   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  PRIMARY KEY (sweep_id, run_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sweep_runs VALUES('sweep1','run1');
INSERT INTO sweep_runs VALUES('sweep2','run1');
INSERT INTO sweep_runs VALUES('sweep1','run2');
INSERT INTO sweep_runs VALUES('sweep1','run3');
INSERT INTO sweep_runs VALUES('sweep2','run4');
CREATE TABLE submission_entries (
  folder  TEXT NOT NULL,
  place   INTEGER NOT NULL,
  run_id  TEXT NOT NULL REFERENCES runs (id),
  created REAL NOT NULL,
  PRIMARY KEY (folder, place)
) STRICT;
INSERT INTO submission_entries VALUES('/x/submission',1,'run1',300.0);
CREATE INDEX sweeps_by_file ON sweeps (file);
CREATE INDEX runs_by_sweep ON runs (sweep_id, position);
CREATE INDEX runs_by_state ON runs (state, position);
CREATE UNIQUE INDEX runs_by_identity ON runs (config_hash, seed) WHERE kind = 'run';
CREATE INDEX submission_entries_by_run ON submission_entries (run_id);
CREATE INDEX members_by_run ON ensemble_members (member_id);
CREATE INDEX tags_by_run ON tags (run_id);
CREATE INDEX sweep_runs_by_run ON sweep_runs (run_id);
CREATE INDEX evaluations_by_score ON evaluations (name, f1, exact_match);
PRAGMA user_version=5;
COMMIT;

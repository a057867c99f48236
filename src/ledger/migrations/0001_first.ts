/**
 * The first schema. Base tables are private; the views are the stable surface (docs/reference/ledger.md). Times are
 * milliseconds since the Unix epoch by the ledger's clock. Every payload column is covered by a CRC-32 beside it.
 */
export const FIRST = `
-- One row per fact about the ledger itself: run id counter, clock high-water mark.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('next_run_id', 1), ('clock', 0);

-- Every engine that ever owned the ledger; the highest epoch is the one that may write.
CREATE TABLE worker (
  epoch    INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  host     TEXT NOT NULL,
  pid      INTEGER NOT NULL,
  version  TEXT NOT NULL,
  owned_at INTEGER NOT NULL
) STRICT;

CREATE TABLE version (
  id             INTEGER PRIMARY KEY,
  tenant         TEXT NOT NULL DEFAULT 'default',
  workflow       TEXT NOT NULL,
  version        TEXT,
  hash           TEXT NOT NULL,
  definition     TEXT NOT NULL,
  definition_crc INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  UNIQUE (tenant, workflow, hash)
) STRICT;

-- The steps of a version, written once, so that a PENDING step of a run needs no row.
CREATE TABLE version_steps (
  version_id INTEGER NOT NULL REFERENCES version (id),
  ordinal    INTEGER NOT NULL,
  path       TEXT NOT NULL,
  uses       TEXT NOT NULL,
  PRIMARY KEY (version_id, ordinal)
) STRICT, WITHOUT ROWID;

-- idempotency_scope is the workflow's name, stored only beside a key: it makes the key unique per workflow without a join.
-- input_ref and output_ref point to the artifact store when a payload is too large to stand here.
CREATE TABLE run (
  id                INTEGER PRIMARY KEY,
  public_id         TEXT NOT NULL UNIQUE,
  tenant            TEXT NOT NULL DEFAULT 'default',
  version_id        INTEGER NOT NULL REFERENCES version (id),
  status            TEXT NOT NULL,
  reason            TEXT,
  labels            TEXT,
  initiator         TEXT NOT NULL,
  trigger           TEXT NOT NULL,
  environment       TEXT NOT NULL,
  idempotency_scope TEXT,
  idempotency_key   TEXT,
  idempotency_hash  TEXT,
  parent_run_id     INTEGER,
  parent_step       TEXT,
  parent_ordinal    INTEGER,
  depth             INTEGER NOT NULL DEFAULT 0,
  root_run_id       INTEGER,
  forked_from       INTEGER,
  forked_at_step    TEXT,
  owner_epoch       INTEGER,
  inbox_seq         INTEGER NOT NULL DEFAULT 0,
  crashes           INTEGER NOT NULL DEFAULT 0,
  paused_by         TEXT,
  created_revision  INTEGER NOT NULL,
  started_revision  INTEGER,
  revision          INTEGER NOT NULL,
  deadline_at       INTEGER,
  created_at        INTEGER NOT NULL,
  started_at        INTEGER,
  finished_at       INTEGER,
  input_crc         INTEGER,
  result_crc        INTEGER,
  input             TEXT NOT NULL,
  input_ref         TEXT,
  output            TEXT,
  output_ref        TEXT,
  error             TEXT
) STRICT;

-- Touched when a run is inserted and when it ends, never in between.
CREATE INDEX run_unfinished ON run (id) WHERE finished_at IS NULL;
CREATE INDEX run_queued ON run (id) WHERE status = 'QUEUED';
CREATE INDEX run_parent ON run (parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE UNIQUE INDEX run_idempotency ON run (tenant, idempotency_scope, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- A root step has its path in version_steps; whatever belongs to a scope, and a checkpoint, carries its own path, operator and parent.
-- The key holds the run above 28 bits of ordinal, so that a row is found by its rowid alone.
CREATE TABLE step (
  key                INTEGER PRIMARY KEY,
  run_id             INTEGER GENERATED ALWAYS AS (key >> 28) VIRTUAL,
  ordinal            INTEGER GENERATED ALWAYS AS (key & 268435455) VIRTUAL,
  status             TEXT NOT NULL,
  reason             TEXT,
  kind               TEXT NOT NULL DEFAULT 'step',
  path               TEXT,
  uses               TEXT,
  parent             INTEGER,
  attempt            INTEGER NOT NULL,
  failures           INTEGER NOT NULL,
  idempotency_key    TEXT,
  started_revision   INTEGER,
  attempt_revision   INTEGER,
  revision           INTEGER NOT NULL,
  started_at         INTEGER,
  attempt_started_at INTEGER,
  finished_at        INTEGER,
  input_crc          INTEGER,
  result_crc         INTEGER,
  selected           TEXT,
  input              TEXT,
  input_ref          TEXT,
  output             TEXT,
  output_ref         TEXT,
  error              TEXT
) STRICT;

CREATE UNIQUE INDEX step_path ON step (run_id, path) WHERE kind = 'checkpoint';

-- An attempt that ended and that another followed, or whose result came too late to count.
CREATE TABLE attempt (
  run_id      INTEGER NOT NULL,
  ordinal     INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  status      TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  started_at  INTEGER,
  finished_at INTEGER NOT NULL,
  error_crc   INTEGER,
  error       TEXT,
  PRIMARY KEY (run_id, ordinal, attempt)
) STRICT;

CREATE TABLE event (
  id         INTEGER PRIMARY KEY,
  run_id     INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  event      TEXT NOT NULL,
  actor      TEXT NOT NULL,
  at         INTEGER NOT NULL,
  detail_crc INTEGER,
  detail     TEXT
) STRICT;

CREATE INDEX event_run ON event (run_id);

-- One row for each step that waits, whatever it waits for; the ordinal -1 stands for the run itself.
CREATE TABLE wait (
  run_id       INTEGER NOT NULL,
  ordinal      INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  key          TEXT,
  due_at       INTEGER,
  child_run_id INTEGER,
  since        INTEGER NOT NULL,
  detail_crc   INTEGER,
  detail       TEXT,
  PRIMARY KEY (run_id, ordinal)
) STRICT;

CREATE INDEX wait_due ON wait (due_at, run_id) WHERE due_at IS NOT NULL;

-- The id is the order of acceptance over all runs: whoever watches reads from behind the last one that it saw.
CREATE TABLE inbox (
  id          INTEGER PRIMARY KEY,
  run_id      INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  name        TEXT,
  ordinal     INTEGER,
  signal_id   TEXT,
  actor       TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  consumed_at INTEGER,
  payload_crc INTEGER,
  payload     TEXT,
  UNIQUE (run_id, seq)
) STRICT;

CREATE INDEX inbox_open ON inbox (id) WHERE consumed_at IS NULL;
CREATE UNIQUE INDEX inbox_signal ON inbox (run_id, signal_id) WHERE signal_id IS NOT NULL;

-- What waiting steps look for among events. The key is the first equality in sorted order, '' and '' without one.
CREATE TABLE subscription (
  id         INTEGER PRIMARY KEY,
  run_id     INTEGER NOT NULL,
  ordinal    INTEGER NOT NULL,
  member     INTEGER NOT NULL,
  mode       TEXT NOT NULL,
  tenant     TEXT NOT NULL,
  event      TEXT NOT NULL,
  field      TEXT NOT NULL,
  value      TEXT NOT NULL,
  equalities TEXT NOT NULL,
  UNIQUE (run_id, ordinal, member)
) STRICT;

CREATE INDEX subscription_key ON subscription (tenant, event, field, value);

-- Events that were published: one that nobody waited for has its data until somebody does; the id is known until it expires.
CREATE TABLE event_kept (
  id         INTEGER PRIMARY KEY,
  tenant     TEXT NOT NULL,
  event      TEXT NOT NULL,
  event_id   TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  data_crc   INTEGER,
  data       TEXT,
  UNIQUE (tenant, event, event_id)
) STRICT;

CREATE INDEX event_kept_expiry ON event_kept (expires_at);

-- Every key under which a subscription may look for a kept event.
CREATE TABLE event_key (
  kept_id INTEGER NOT NULL,
  tenant  TEXT NOT NULL,
  event   TEXT NOT NULL,
  field   TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (kept_id, field)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_key_lookup ON event_key (tenant, event, field, value, kept_id);

-- Private. A run's revision is the highest of its rows: steps carry it, so that the run row is not touched at every step.
CREATE VIEW run_row AS
SELECT r.id, r.public_id, r.tenant, r.version_id, v.workflow, v.version, v.hash AS version_hash, r.status, r.reason, r.labels, r.initiator,
  r.trigger, r.environment, r.idempotency_key, r.idempotency_hash, r.parent_run_id, r.parent_step, r.parent_ordinal, r.depth, r.root_run_id,
  r.forked_from, r.forked_at_step, r.owner_epoch, r.inbox_seq, r.crashes, r.paused_by,
  CASE WHEN r.finished_at IS NULL
    THEN max(r.revision,
      coalesce((SELECT max(s.revision) FROM step s WHERE s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455), 0),
      coalesce((SELECT max(a.revision) FROM attempt a WHERE a.run_id = r.id), 0),
      coalesce((SELECT max(e.revision) FROM event e WHERE e.run_id = r.id), 0))
    ELSE r.revision END AS revision,
  r.deadline_at, r.created_at, r.started_at, r.finished_at, r.input_crc, r.result_crc, r.input, r.input_ref, r.output, r.output_ref, r.error
FROM run r
JOIN version v ON v.id = r.version_id;

CREATE VIEW runs AS
SELECT r.tenant, r.public_id AS id, r.workflow, r.version, r.version_hash, r.status, r.reason, r.labels, r.initiator, r.trigger,
  r.environment, r.idempotency_key, parent.public_id AS parent_run_id, r.parent_step, r.depth, root.public_id AS root_run_id,
  origin.public_id AS forked_from, r.forked_at_step, owner.name AS worker, r.inbox_seq, r.crashes, r.paused_by, r.revision, r.deadline_at, r.created_at, r.started_at, r.finished_at, r.input, r.input_ref,
  r.output, r.output_ref, r.error, r.input_crc, r.result_crc
FROM run_row r
LEFT JOIN run parent ON parent.id = r.parent_run_id
LEFT JOIN run root ON root.id = r.root_run_id
LEFT JOIN run origin ON origin.id = r.forked_from
LEFT JOIN worker owner ON owner.epoch = r.owner_epoch;

-- A block is SUSPENDED while its own steps are at work; in a run that is RUNNING it is shown RUNNING.
CREATE VIEW step_runs AS
SELECT r.tenant, r.public_id AS run_id, d.ordinal, d.path, d.uses,
  CASE WHEN s.kind = 'block' AND s.status = 'SUSPENDED' AND r.status = 'RUNNING' THEN 'RUNNING' ELSE coalesce(s.status, 'PENDING') END AS status,
  s.reason, coalesce(s.attempt, 0) AS attempt, coalesce(s.failures, 0) AS failures, s.idempotency_key, s.revision, s.started_at,
  s.attempt_started_at, s.finished_at, s.selected, s.input, s.input_ref, s.output, s.output_ref, s.error, s.input_crc, s.result_crc
FROM run r
JOIN version_steps d ON d.version_id = r.version_id
LEFT JOIN step s ON s.key = (r.id << 28 | d.ordinal)
UNION ALL
SELECT r.tenant, r.public_id, s.ordinal, s.path, coalesce(s.uses, s.kind),
  CASE WHEN s.kind = 'block' AND s.status = 'SUSPENDED' AND r.status = 'RUNNING' THEN 'RUNNING' ELSE s.status END,
  s.reason, s.attempt, s.failures, s.idempotency_key, s.revision, s.started_at, s.attempt_started_at, s.finished_at, s.selected, s.input,
  s.input_ref, s.output, s.output_ref, s.error, s.input_crc, s.result_crc
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
WHERE s.path IS NOT NULL AND s.kind NOT IN ('item', 'round');

CREATE VIEW items AS
SELECT r.tenant, r.public_id AS run_id, s.ordinal, s.path, s.kind, s.status, s.reason, s.revision, s.finished_at, s.input, s.input_ref,
  s.output, s.output_ref, s.error, s.selected, s.input_crc, s.result_crc
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
WHERE s.kind IN ('item', 'round');

CREATE VIEW attempts AS
SELECT r.tenant, r.public_id AS run_id, a.ordinal, coalesce(s.path, d.path) AS path, a.attempt, a.status, a.revision, a.started_at,
  a.finished_at, a.error, a.error_crc
FROM attempt a
JOIN run r ON r.id = a.run_id
LEFT JOIN step s ON s.key = (a.run_id << 28 | a.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = a.ordinal;

CREATE VIEW waits AS
SELECT r.tenant, r.public_id AS run_id, w.ordinal, coalesce(s.path, d.path) AS path, w.kind, w.key, w.due_at, child.public_id AS child_run_id,
  w.since, w.detail, w.detail_crc
FROM wait w
JOIN run r ON r.id = w.run_id
LEFT JOIN step s ON s.key = (w.run_id << 28 | w.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = w.ordinal
LEFT JOIN run child ON child.id = w.child_run_id;

CREATE VIEW signals AS
SELECT r.tenant, r.public_id AS run_id, i.seq, i.kind, i.name, i.signal_id, coalesce(s.path, d.path) AS path, i.actor, i.accepted_at,
  i.consumed_at, i.payload, i.payload_crc
FROM inbox i
JOIN run r ON r.id = i.run_id
LEFT JOIN step s ON s.key = (i.run_id << 28 | i.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = i.ordinal;

-- position and sequence order what one revision holds: the run begins, events, attempts, steps settle, steps start, the run ends;
-- within that, steps by ordinal.
CREATE VIEW history AS
SELECT r.tenant, r.public_id AS run_id, r.created_revision AS revision, 0 AS position, 0 AS sequence, r.created_at AS at, 'run.created' AS event,
  NULL AS step, NULL AS attempt, NULL AS detail, NULL AS detail_crc, r.initiator AS actor
FROM run r
UNION ALL
SELECT r.tenant, r.public_id, r.started_revision, 1, 0, r.started_at, 'run.started', NULL, NULL, NULL, NULL, NULL
FROM run r
WHERE r.started_at IS NOT NULL
UNION ALL
SELECT r.tenant, r.public_id, e.revision, 2, e.id, e.at, e.event, NULL, NULL, e.detail, e.detail_crc, e.actor
FROM run r
JOIN event e ON e.run_id = r.id
UNION ALL
SELECT r.tenant, r.public_id, a.revision, 3, a.ordinal, a.finished_at, 'attempt.' || lower(a.status), coalesce(s.path, d.path), a.attempt, a.error,
  a.error_crc, NULL
FROM run r
JOIN attempt a ON a.run_id = r.id
LEFT JOIN step s ON s.key = (a.run_id << 28 | a.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = a.ordinal
UNION ALL
SELECT r.tenant, r.public_id, s.revision, 4, s.ordinal, s.finished_at, CASE WHEN s.kind IN ('item', 'round') THEN s.kind ELSE 'step' END || '.' || lower(s.status), coalesce(s.path, d.path), s.attempt, NULL, NULL, NULL
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = s.ordinal
WHERE s.finished_at IS NOT NULL
UNION ALL
SELECT r.tenant, r.public_id, s.started_revision, 5, s.ordinal, s.started_at, 'step.started', coalesce(s.path, d.path), 1, NULL, NULL, NULL
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = s.ordinal
WHERE s.started_at IS NOT NULL AND (s.finished_at IS NULL OR s.started_revision < s.revision)
UNION ALL
SELECT r.tenant, r.public_id, s.attempt_revision, 5, s.ordinal, s.attempt_started_at, 'step.started', coalesce(s.path, d.path), s.attempt, NULL, NULL, NULL
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = s.ordinal
WHERE s.attempt_revision > s.started_revision
UNION ALL
SELECT r.tenant, r.public_id, r.revision, 6, 0, r.finished_at, 'run.' || lower(r.status), NULL, NULL, NULL, NULL, NULL
FROM run r
WHERE r.finished_at IS NOT NULL;
`;

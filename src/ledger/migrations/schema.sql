CREATE INDEX admission_note_asks ON admission_note (run_id) WHERE note = 'asks';

CREATE INDEX admission_note_due ON admission_note (due_at, id);

CREATE INDEX event_kept_expiry ON event_kept (expires_at);

CREATE INDEX event_key_lookup ON event_key (tenant, event, field, value, kept_id);

CREATE INDEX event_run ON event (run_id);

CREATE INDEX inbox_open ON inbox (id) WHERE consumed_at IS NULL;

CREATE UNIQUE INDEX inbox_signal ON inbox (run_id, signal_id) WHERE signal_id IS NOT NULL;

CREATE INDEX limiter_rate ON limiter (open_at) WHERE aside > 0 AND period_ms IS NOT NULL;

CREATE INDEX limiter_unneeded ON limiter (used_until_us) WHERE partitions = 0 AND period_ms IS NOT NULL;

CREATE INDEX queue_entry_run ON queue_entry (run_id);

CREATE INDEX queue_partition_aside ON queue_partition (aside_for, head, id) WHERE aside_for IS NOT NULL;

CREATE INDEX queue_partition_ready ON queue_partition (worker_group, tenant, head, id) WHERE aside_for IS NULL;

CREATE UNIQUE INDEX run_idempotency ON run (tenant, idempotency_scope, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE INDEX run_parent ON run (parent_run_id) WHERE parent_run_id IS NOT NULL;

CREATE INDEX run_unfinished ON run (id) WHERE finished_at IS NULL;

CREATE INDEX slot_run ON slot (run_id);

CREATE INDEX step_open_round ON step (key, parent) WHERE kind = 'round' AND finished_at IS NULL;

CREATE UNIQUE INDEX step_path ON step ((key >> 28), path) WHERE kind = 'checkpoint';

CREATE INDEX subscription_key ON subscription (tenant, event, field, value);

CREATE INDEX task_available ON task (tenant, topic, available_at, id) WHERE available_at IS NOT NULL;

CREATE INDEX task_status ON task (tenant, status, id);

CREATE INDEX task_step ON task (run_id, ordinal);

CREATE INDEX task_tenant ON task (tenant, id);

CREATE INDEX turn_next ON turn (worker_group, pass, tenant) WHERE ready > 0;

CREATE INDEX wait_due ON wait (due_at, run_id) WHERE due_at IS NOT NULL;

CREATE TABLE admission_note (
  id     INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL,
  note   TEXT NOT NULL,
  due_at INTEGER NOT NULL
) STRICT;

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

CREATE TABLE event_key (
  kept_id INTEGER NOT NULL,
  tenant  TEXT NOT NULL,
  event   TEXT NOT NULL,
  field   TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (kept_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE gathering (
  tenant   TEXT NOT NULL,
  name     TEXT NOT NULL,
  run_id   INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  items    INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE limiter (
  id            INTEGER PRIMARY KEY,
  tenant        TEXT NOT NULL,
  name          TEXT NOT NULL,
  version_id    INTEGER NOT NULL,
  limited_to    INTEGER NOT NULL,
  period_ms     INTEGER,
  held          INTEGER NOT NULL,
  used_until_us INTEGER NOT NULL,
  open_at       INTEGER NOT NULL,
  partitions    INTEGER NOT NULL,
  aside         INTEGER NOT NULL,
  UNIQUE (tenant, name)
) STRICT;

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, compatible_from INTEGER NOT NULL) STRICT;

CREATE TABLE queue_entry (
  partition_id INTEGER NOT NULL,
  rank         INTEGER NOT NULL,
  run_id       INTEGER NOT NULL,
  PRIMARY KEY (partition_id, rank, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_partition (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  worker_group TEXT NOT NULL,
  tenant       TEXT NOT NULL,
  limits       TEXT NOT NULL,
  head         INTEGER NOT NULL,
  aside_for    INTEGER
) STRICT;

CREATE TABLE removed_run (
  run_id INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE route (
  tenant       TEXT NOT NULL,
  workflow     TEXT NOT NULL,
  topic        TEXT NOT NULL,
  worker_group TEXT NOT NULL,
  PRIMARY KEY (tenant, workflow, topic)
) STRICT, WITHOUT ROWID;

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
  worker_group      TEXT NOT NULL DEFAULT 'default',
  slots             INTEGER,
  created_revision  INTEGER NOT NULL,
  started_revision  INTEGER,
  revision          INTEGER NOT NULL,
  deadline_at       INTEGER,
  created_at        INTEGER NOT NULL,
  started_at        INTEGER,
  finished_at       INTEGER,
  input_crc         INTEGER,
  result_crc        INTEGER,
  admission         TEXT,
  input             TEXT NOT NULL,
  input_ref         TEXT,
  output            TEXT,
  output_ref        TEXT,
  error             TEXT
) STRICT;

CREATE TABLE slot (
  limiter_id   INTEGER NOT NULL,
  run_id       INTEGER NOT NULL,
  is_until_end INTEGER NOT NULL,
  PRIMARY KEY (limiter_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
  key                INTEGER PRIMARY KEY,
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

CREATE TABLE task (
  id              INTEGER PRIMARY KEY,
  public_id       TEXT NOT NULL UNIQUE,
  tenant          TEXT NOT NULL,
  run_id          INTEGER NOT NULL,
  ordinal         INTEGER NOT NULL,
  type            TEXT NOT NULL,
  topic           TEXT,
  title           TEXT,
  description     TEXT,
  assignees       TEXT NOT NULL,
  assigned_groups TEXT NOT NULL,
  on_reject       TEXT,
  max_attempts    INTEGER NOT NULL,
  retry_delay_ms  INTEGER NOT NULL,
  lease_ms        INTEGER NOT NULL,
  status          TEXT NOT NULL DEFAULT 'READY',
  attempt         INTEGER NOT NULL DEFAULT 0,
  failures        INTEGER NOT NULL DEFAULT 0,
  lease_token     TEXT,
  worker          TEXT,
  lease_until     INTEGER,
  available_at    INTEGER,
  expires_at      INTEGER,
  created_at      INTEGER NOT NULL,
  closed_at       INTEGER,
  decided_by      TEXT,
  revision        INTEGER NOT NULL DEFAULT 1,
  payload_crc     INTEGER,
  result_crc      INTEGER,
  form            TEXT,
  payload         TEXT,
  decision        TEXT,
  error           TEXT
) STRICT;

CREATE TABLE tenant_share (
  tenant TEXT PRIMARY KEY,
  weight INTEGER NOT NULL,
  most   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE turn (
  worker_group TEXT NOT NULL,
  tenant       TEXT NOT NULL,
  ready        INTEGER NOT NULL,
  pass         INTEGER NOT NULL,
  PRIMARY KEY (worker_group, tenant)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE version_steps (
  version_id INTEGER NOT NULL REFERENCES version (id),
  ordinal    INTEGER NOT NULL,
  path       TEXT NOT NULL,
  uses       TEXT NOT NULL,
  PRIMARY KEY (version_id, ordinal)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE worker (
  epoch    INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  host     TEXT NOT NULL,
  pid      INTEGER NOT NULL,
  version  TEXT NOT NULL,
  worker_groups TEXT,
  owned_at INTEGER NOT NULL
) STRICT;

CREATE VIEW attempts AS
SELECT r.tenant, r.public_id AS run_id, a.ordinal, coalesce(s.path, d.path) AS path, a.attempt, a.status, a.revision, a.started_at,
  a.finished_at, a.error, a.error_crc
FROM attempt a
JOIN run r ON r.id = a.run_id
LEFT JOIN step s ON s.key = (a.run_id << 28 | a.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = a.ordinal;

CREATE VIEW history AS
SELECT r.tenant, r.public_id AS run_id, r.created_revision AS revision, 0 AS position, 0 AS sequence, r.created_at AS at, 'run.created' AS event,
  CAST(NULL AS TEXT) AS step, CAST(NULL AS INTEGER) AS attempt, CAST(NULL AS TEXT) AS detail, CAST(NULL AS INTEGER) AS detail_crc,
  r.initiator AS actor
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
SELECT r.tenant, r.public_id, s.revision, 4, (s.key & 268435455), s.finished_at, CASE WHEN s.kind IN ('item', 'round') THEN s.kind ELSE 'step' END || '.' || lower(s.status), coalesce(s.path, d.path), s.attempt, NULL, NULL, NULL
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = (s.key & 268435455)
WHERE s.finished_at IS NOT NULL
UNION ALL
SELECT r.tenant, r.public_id, s.started_revision, 5, (s.key & 268435455), s.started_at, 'step.started', coalesce(s.path, d.path), 1, NULL, NULL, NULL
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = (s.key & 268435455)
WHERE s.started_at IS NOT NULL AND (s.finished_at IS NULL OR s.started_revision < s.revision)
UNION ALL
SELECT r.tenant, r.public_id, s.attempt_revision, 5, (s.key & 268435455), s.attempt_started_at, 'step.started', coalesce(s.path, d.path), s.attempt, NULL, NULL, NULL
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = (s.key & 268435455)
WHERE s.attempt_revision > s.started_revision
UNION ALL
SELECT r.tenant, r.public_id, r.revision, 6, 0, r.finished_at, 'run.' || lower(r.status), NULL, NULL, NULL, NULL, NULL
FROM run r
WHERE r.finished_at IS NOT NULL;

CREATE VIEW items AS
SELECT r.tenant, r.public_id AS run_id, (s.key & 268435455) AS ordinal, s.path, s.kind, s.status, s.reason, s.revision, s.finished_at, s.input,
  s.input_ref, s.output, s.output_ref, s.error, s.selected, s.input_crc, s.result_crc
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
WHERE s.kind IN ('item', 'round');

CREATE VIEW run_row AS
SELECT r.id, r.public_id, r.tenant, r.version_id, v.workflow, v.version, v.hash AS version_hash, r.status, r.reason, r.labels, r.initiator,
  r.trigger, r.environment, r.idempotency_key, r.idempotency_hash, r.parent_run_id, r.parent_step, r.parent_ordinal, r.depth, r.root_run_id,
  r.forked_from, r.forked_at_step, r.owner_epoch, r.inbox_seq, r.crashes, r.paused_by, r.worker_group, r.admission, r.slots,
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
  origin.public_id AS forked_from, r.forked_at_step, owner.name AS worker, r.inbox_seq, r.crashes, r.paused_by, r.worker_group, r.revision, r.deadline_at, r.created_at, r.started_at, r.finished_at, r.input, r.input_ref,
  r.output, r.output_ref, r.error, r.input_crc, r.result_crc
FROM run_row r
LEFT JOIN run parent ON parent.id = r.parent_run_id
LEFT JOIN run root ON root.id = r.root_run_id
LEFT JOIN run origin ON origin.id = r.forked_from
LEFT JOIN worker owner ON owner.epoch = r.owner_epoch;

CREATE VIEW signals AS
SELECT r.tenant, r.public_id AS run_id, i.seq, i.kind, i.name, i.signal_id, coalesce(s.path, d.path) AS path, i.actor, i.accepted_at,
  i.consumed_at, i.payload, i.payload_crc
FROM inbox i
JOIN run r ON r.id = i.run_id
LEFT JOIN step s ON s.key = (i.run_id << 28 | i.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = i.ordinal;

CREATE VIEW step_runs AS
SELECT r.tenant, r.public_id AS run_id, d.ordinal, d.path, d.uses,
  CASE WHEN s.kind = 'block' AND s.status = 'SUSPENDED' AND r.status = 'RUNNING' THEN 'RUNNING' ELSE coalesce(s.status, 'PENDING') END AS status,
  s.reason, coalesce(s.attempt, 0) AS attempt, coalesce(s.failures, 0) AS failures, s.idempotency_key, s.revision, s.started_at,
  s.attempt_started_at, s.finished_at, s.selected, s.input, s.input_ref, s.output, s.output_ref, s.error, s.input_crc, s.result_crc
FROM run r
JOIN version_steps d ON d.version_id = r.version_id
LEFT JOIN step s ON s.key = (r.id << 28 | d.ordinal)
UNION ALL
SELECT r.tenant, r.public_id, (s.key & 268435455), s.path, coalesce(s.uses, s.kind),
  CASE WHEN s.kind = 'block' AND s.status = 'SUSPENDED' AND r.status = 'RUNNING' THEN 'RUNNING' ELSE s.status END,
  s.reason, s.attempt, s.failures, s.idempotency_key, s.revision, s.started_at, s.attempt_started_at, s.finished_at, s.selected, s.input,
  s.input_ref, s.output, s.output_ref, s.error, s.input_crc, s.result_crc
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
WHERE s.path IS NOT NULL AND s.kind NOT IN ('item', 'round');

CREATE VIEW task_row AS
SELECT t.*, r.public_id AS run, coalesce(s.path, d.path) AS path
FROM task t
JOIN run r ON r.id = t.run_id
LEFT JOIN step s ON s.key = (t.run_id << 28 | t.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = t.ordinal;

CREATE VIEW tasks AS
SELECT t.tenant, t.public_id AS id, t.run AS run_id, t.path, t.type, t.topic, t.title, t.description, t.form, t.assignees, t.assigned_groups,
  t.payload, t.status, t.attempt, t.failures, t.worker, t.lease_until, t.available_at, t.expires_at, t.created_at, t.closed_at, t.decided_by,
  t.decision, t.error, t.payload_crc, t.result_crc
FROM task_row t;

CREATE VIEW waits AS
SELECT r.tenant, r.public_id AS run_id, w.ordinal, coalesce(s.path, d.path) AS path, w.kind, w.key, w.due_at, child.public_id AS child_run_id,
  w.since, w.detail, w.detail_crc
FROM wait w
JOIN run r ON r.id = w.run_id
LEFT JOIN step s ON s.key = (w.run_id << 28 | w.ordinal)
LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = w.ordinal
LEFT JOIN run child ON child.id = w.child_run_id;

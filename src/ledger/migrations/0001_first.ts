import { FIRST_VIEWS } from "./0001_first_views.ts";

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
  worker_groups TEXT,
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
-- admission is what a run asks for before it may begin, slots how far it is: null for one that asks for nothing, or holds them
-- (1), asks for them (2), or neither (0).
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

-- Touched when a run is inserted and when it ends, never in between.
CREATE INDEX run_unfinished ON run (id) WHERE finished_at IS NULL;
CREATE INDEX run_parent ON run (parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE UNIQUE INDEX run_idempotency ON run (tenant, idempotency_scope, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- A root step has its path in version_steps; whatever belongs to a scope, and a checkpoint, carries its own path, operator and parent.
-- The key holds the run (key >> 28) above 28 bits of ordinal (key & 268435455), so that a row is found by its rowid alone. They are no
-- columns of their own: STRICT checks all columns once more for generated ones, 1.6 % of the instructions of a run's commits.
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

-- open rounds of loops: a run that is parked between 20,000 rounds does not look at those before the last
CREATE INDEX step_open_round ON step (key, parent) WHERE kind = 'round' AND finished_at IS NULL;
CREATE UNIQUE INDEX step_path ON step ((key >> 28), path) WHERE kind = 'checkpoint';

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

-- Work that a person (approval) or a remote worker (work) does for a waiting step. available_at is when it may be claimed next: since it
-- is ready, when its next attempt is due, or when the lease of its worker runs out.
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

CREATE INDEX task_tenant ON task (tenant, id);
CREATE INDEX task_status ON task (tenant, status, id);
CREATE INDEX task_step ON task (run_id, ordinal);
CREATE INDEX task_available ON task (tenant, topic, available_at, id) WHERE available_at IS NOT NULL;

-- What has happened to runs that admission must hear of: they ask for their turn, or leave their slots. Whoever admits reads the notes whose time has
-- come, does what they say, and deletes them; nobody else writes the tables of admission that follow.
CREATE TABLE admission_note (
  id     INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL,
  note   TEXT NOT NULL,
  due_at INTEGER NOT NULL
) STRICT;

CREATE INDEX admission_note_due ON admission_note (due_at, id);
CREATE INDEX admission_note_asks ON admission_note (run_id) WHERE note = 'asks';

-- A limit that runs are under. held counts its slots; a rate has been used until used_until_us, and admits one more from open_at on. Of the partitions
-- whose runs need it, some stand aside until it has room.
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

CREATE INDEX limiter_rate ON limiter (open_at) WHERE aside > 0 AND period_ms IS NOT NULL;
CREATE INDEX limiter_unneeded ON limiter (used_until_us) WHERE partitions = 0 AND period_ms IS NOT NULL;

-- Slots that are held; a run keeps those until its end while it is parked.
CREATE TABLE slot (
  limiter_id   INTEGER NOT NULL,
  run_id       INTEGER NOT NULL,
  is_until_end INTEGER NOT NULL,
  PRIMARY KEY (limiter_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX slot_run ON slot (run_id);

-- Runs under the same limits, in the order of their ranks, as long as there are any. head is the rank of the first one; limits says what the
-- limiters do with a run that finds them full; aside_for is the limiter that it stands aside for.
CREATE TABLE queue_partition (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  worker_group TEXT NOT NULL,
  tenant       TEXT NOT NULL,
  limits       TEXT NOT NULL,
  head         INTEGER NOT NULL,
  aside_for    INTEGER
) STRICT;

CREATE INDEX queue_partition_ready ON queue_partition (worker_group, tenant, head, id) WHERE aside_for IS NULL;
CREATE INDEX queue_partition_aside ON queue_partition (aside_for, head, id) WHERE aside_for IS NOT NULL;

CREATE TABLE queue_entry (
  partition_id INTEGER NOT NULL,
  rank         INTEGER NOT NULL,
  run_id       INTEGER NOT NULL,
  PRIMARY KEY (partition_id, rank, run_id)
) STRICT, WITHOUT ROWID;

-- Whose turn it is within a worker group: that of the tenant with the least virtual time (pass) that has a partition ready. The row of the tenant ''
-- holds the virtual time of the group.
CREATE TABLE turn (
  worker_group TEXT NOT NULL,
  tenant       TEXT NOT NULL,
  ready        INTEGER NOT NULL,
  pass         INTEGER NOT NULL,
  PRIMARY KEY (worker_group, tenant)
) STRICT, WITHOUT ROWID;

CREATE INDEX turn_next ON turn (worker_group, pass, tenant) WHERE ready > 0;

CREATE INDEX queue_entry_run ON queue_entry (run_id);

-- Runs that have not been admitted and that starts with the same key join. first_at is when the first start came; items counts the inputs that it has, 0
-- where the last one counts.
CREATE TABLE gathering (
  tenant   TEXT NOT NULL,
  name     TEXT NOT NULL,
  run_id   INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  items    INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- Where runs and steps go; '' matches everything.
CREATE TABLE route (
  tenant       TEXT NOT NULL,
  workflow     TEXT NOT NULL,
  topic        TEXT NOT NULL,
  worker_group TEXT NOT NULL,
  PRIMARY KEY (tenant, workflow, topic)
) STRICT, WITHOUT ROWID;

-- What a tenant is given: a share of what is admitted, and at most so many runs at once.
CREATE TABLE tenant_share (
  tenant TEXT PRIMARY KEY,
  weight INTEGER NOT NULL,
  most   INTEGER
) STRICT, WITHOUT ROWID;

-- Runs whose row retention has deleted, and whose other rows, which nobody can reach any more, are still to go.
CREATE TABLE removed_run (
  run_id INTEGER PRIMARY KEY
) STRICT;
${FIRST_VIEWS}`;

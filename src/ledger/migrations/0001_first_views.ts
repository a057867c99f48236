/** The views of the first schema. */
export const FIRST_VIEWS = `
-- Private. A run's revision is the highest of its rows: steps carry it, so that the run row is not touched at every step.
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
SELECT r.tenant, r.public_id, (s.key & 268435455), s.path, coalesce(s.uses, s.kind),
  CASE WHEN s.kind = 'block' AND s.status = 'SUSPENDED' AND r.status = 'RUNNING' THEN 'RUNNING' ELSE s.status END,
  s.reason, s.attempt, s.failures, s.idempotency_key, s.revision, s.started_at, s.attempt_started_at, s.finished_at, s.selected, s.input,
  s.input_ref, s.output, s.output_ref, s.error, s.input_crc, s.result_crc
FROM run r
JOIN step s ON s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455
WHERE s.path IS NOT NULL AND s.kind NOT IN ('item', 'round');

CREATE VIEW items AS
SELECT r.tenant, r.public_id AS run_id, (s.key & 268435455) AS ordinal, s.path, s.kind, s.status, s.reason, s.revision, s.finished_at, s.input,
  s.input_ref, s.output, s.output_ref, s.error, s.selected, s.input_crc, s.result_crc
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

-- Private. A task with the names of its run and step.
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

-- position and sequence order what one revision holds: the run begins, events, attempts, steps settle, steps start, the run ends;
-- within that, steps by ordinal.
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
`;

import { LIMITS } from "../../model/limits.ts";
import { SLOTS } from "../rows.ts";

/** The steps of a run whose ordinals lie between two, without `key`: it is too large for a number of JavaScript. */
const stepsWithin = (
  first: string,
  last: string,
): string => `SELECT r.id AS run_id, (s.key & 268435455) AS ordinal, s.kind, s.path, s.uses, s.parent, s.status, s.reason, s.attempt, s.failures, s.idempotency_key,
    s.revision, s.started_at, s.attempt_started_at, s.finished_at, s.input_crc, s.result_crc, s.selected, s.input, s.output, s.error,
    CASE WHEN s.started_revision < s.revision THEN 1 ELSE 0 END AS has_run, r.public_id, coalesce(s.path, d.path) AS step
  FROM step s JOIN run r ON r.id = ?1
  LEFT JOIN step p ON p.key = (?1 << 28 | s.parent)
  LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = (s.key & 268435455)
  WHERE s.key BETWEEN (?1 << 28 | ${first}) AND (?1 << 28 | ${last})`;

/** ?1 tenant, ?2 ids above, ?3 topic or null, ?4 run or null, ?5 person or null with ?6 their groups as JSON. */
const TASKS = `SELECT * FROM task_row t WHERE tenant = ?1 AND id > ?2 AND (topic = ?3 OR ?3 IS NULL) AND (run = ?4 OR ?4 IS NULL)
  AND ((assignees = '[]' AND assigned_groups = '[]') OR EXISTS (SELECT 1 FROM json_each(t.assignees) a WHERE a.value = ?5)
    OR EXISTS (SELECT 1 FROM json_each(t.assigned_groups) g JOIN json_each(?6) own ON own.value = g.value) OR ?5 IS NULL)`;

/** Whether anything is there for a row of the inbox. */
export const IS_AWAITED = `CASE WHEN i.kind <> 'signal' OR EXISTS (SELECT 1 FROM wait w WHERE w.run_id = i.run_id AND w.kind = 'signal' AND w.key = i.name)
      THEN 1 ELSE 0 END`;

/** When a note has the run ask for its turn. */
const ASKS_AT = "(SELECT min(n.due_at) FROM admission_note n WHERE n.run_id = r.id AND n.note = 'asks')";

/** No engine has the run, and no person holds it. */
const WITHOUT_ENGINE =
  "r.status = 'SUSPENDED' AND r.owner_epoch IS NULL AND r.paused_by IS NULL AND coalesce(r.reason, '') <> 'quarantined'";
/** And it does not wait for its turn. */
export const PARKED = `${WITHOUT_ENGINE} AND coalesce(r.slots, 0) <> ${SLOTS.asked}`;
/** Of a wait: it is looked for when it is due. A run ends by its timeout also while it waits for its turn. */
export const PARKED_UNTIL = `${WITHOUT_ENGINE} AND (coalesce(r.slots, 0) <> ${SLOTS.asked} OR w.ordinal = -1)`;

/**
 * Every read, written once. Placeholders are numbered; reads that serve a caller lead with the tenant. They read the views,
 * whose columns are the same on every backend.
 */
export const READS = {
  run: "SELECT * FROM run_row WHERE tenant = ?1 AND public_id = ?2",
  runId: "SELECT id FROM run WHERE public_id = ?2 AND tenant = ?1",
  /** Without the look at all its rows that the view takes for the revision. */
  storedRun: `SELECT r.*, v.workflow, v.version,
      (SELECT e.revision FROM event e WHERE e.run_id = r.id ORDER BY e.id DESC LIMIT 1) AS event_revision,
      CASE WHEN r.status = 'QUEUED' THEN ${ASKS_AT} END AS asks_at
    FROM run r JOIN version v ON v.id = r.version_id WHERE r.id = ?1`,
  runByKey: "SELECT * FROM run_row WHERE id = (SELECT id FROM run WHERE tenant = ?1 AND idempotency_scope = ?2 AND idempotency_key = ?3)",
  /** ?2 status or null, ?3 workflow or null, ?4 ids below, ?5 limit. */
  runs: `SELECT * FROM run_row WHERE tenant = ?1 AND id < ?4 AND (status = ?2 OR ?2 IS NULL) AND (workflow = ?3 OR ?3 IS NULL)
    ORDER BY id DESC LIMIT ?5`,
  /** ?2 their ids as JSON. */
  endedRuns: `SELECT r.* FROM json_each(?2) wanted JOIN run_row r ON r.public_id = wanted.value WHERE r.tenant = ?1 AND r.finished_at IS NOT NULL
    ORDER BY r.id`,
  missingRuns: `SELECT wanted.value AS public_id FROM json_each(?2) wanted
    WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.public_id = wanted.value AND r.tenant = ?1)`,
  stepRuns: "SELECT * FROM step_runs WHERE tenant = ?1 AND run_id = ?2 ORDER BY ordinal",
  attempts: `SELECT a.* FROM attempt a JOIN run r ON r.id = a.run_id WHERE r.tenant = ?1 AND r.public_id = ?2
    ORDER BY a.revision, a.ordinal, a.attempt`,
  history: "SELECT * FROM history WHERE tenant = ?1 AND run_id = ?2 ORDER BY revision, position, sequence, attempt",
  /** ?2 and ?3 the first and the last ordinal. */
  stepRows: `${stepsWithin("?2", "?3")} AND p.finished_at IS NULL ORDER BY s.key`,
  allSteps: `${stepsWithin("0", "268435455")} ORDER BY s.key`,
  /** The planner would rather go through all rows of the run. */
  openRounds: `SELECT key & 268435455 AS ordinal, parent FROM step INDEXED BY step_open_round
    WHERE kind = 'round' AND finished_at IS NULL AND key BETWEEN ?1 << 28 AND ?1 << 28 | 268435455 ORDER BY key`,
  /** ?2 the ordinal of the block. */
  lastRound: `SELECT key & 268435455 AS ordinal FROM step
    WHERE key BETWEEN ?1 << 28 AND ?1 << 28 | 268435455 AND kind = 'round' AND parent = ?2 ORDER BY key DESC LIMIT 1`,
  ownSteps: "SELECT count(*) AS steps FROM version_steps WHERE version_id = ?1",
  attempt: "SELECT 1 AS found FROM attempt WHERE run_id = ?1 AND ordinal = ?2 AND attempt = ?3",
  lastOrdinal:
    "SELECT (key & 268435455) AS ordinal FROM step WHERE key BETWEEN ?1 << 28 AND ?1 << 28 | 268435455 ORDER BY key DESC LIMIT 1",
  waitRows: "SELECT * FROM wait WHERE run_id = ?1 ORDER BY ordinal",
  turn: `SELECT r.worker_group, p.id AS partition_id, ${ASKS_AT} AS noted_at,
      l.name, l.limited_to, l.period_ms, l.open_at,
      (SELECT count(*) FROM (SELECT 1 AS one FROM queue_entry f WHERE f.partition_id = e.partition_id AND (f.rank, f.run_id) < (e.rank, e.run_id)
        LIMIT ${LIMITS.countedAhead}) earlier) AS ahead
    FROM run r LEFT JOIN queue_entry e ON e.run_id = r.id LEFT JOIN queue_partition p ON p.id = e.partition_id LEFT JOIN limiter l ON l.id = p.aside_for
    WHERE r.tenant = ?1 AND r.public_id = ?2 AND r.slots = ${SLOTS.asked} AND r.finished_at IS NULL`,
  waits: "SELECT * FROM waits WHERE tenant = ?1 AND run_id = ?2 ORDER BY ordinal",
  /** Not joined: PostgreSQL expects few parked runs where it has no statistics, and would begin with all of them. */
  nextDue: `SELECT w.due_at FROM wait w WHERE w.due_at IS NOT NULL AND (SELECT 1 FROM run r WHERE r.id = w.run_id AND ${PARKED_UNTIL}) = 1
    ORDER BY w.due_at LIMIT 1`,
  /** ?1 now, ?2 and ?3 the due time and run to go on behind, ?4 limit. */
  dueRuns: `SELECT w.due_at, w.run_id FROM wait w CROSS JOIN run r ON r.id = w.run_id
    WHERE w.due_at <= ?1 AND (w.due_at, w.run_id) > (?2, ?3) AND ${PARKED_UNTIL}
    GROUP BY w.due_at, w.run_id ORDER BY w.due_at, w.run_id LIMIT ?4`,
  children: `SELECT * FROM run_row WHERE tenant = ?1 AND parent_run_id = (SELECT id FROM run WHERE public_id = ?2 AND tenant = ?1) ORDER BY id`,
  signals: `SELECT i.* FROM inbox i JOIN run r ON r.id = i.run_id WHERE r.tenant = ?1 AND r.public_id = ?2 ORDER BY i.seq`,
  /** What drives a run on: open rows, and cancels, which stay in force. */
  inboxRows: "SELECT * FROM inbox WHERE run_id = ?1 AND (consumed_at IS NULL OR kind = 'cancel') ORDER BY seq",
  /** ?1 ids above, ?2 limit. */
  openInbox: `SELECT i.*, ${IS_AWAITED} AS is_awaited
    FROM inbox i CROSS JOIN run r ON r.id = i.run_id WHERE i.consumed_at IS NULL AND i.id > ?1 AND r.finished_at IS NULL ORDER BY i.id LIMIT ?2`,
  signal: "SELECT * FROM inbox WHERE run_id = ?1 AND signal_id = ?2",
  awaits: "SELECT 1 AS found FROM wait WHERE run_id = ?1 AND kind = 'signal' AND key = ?2 LIMIT 1",
  lastInbox: "SELECT coalesce(max(id), 0) AS id FROM inbox",
  inboxHeads: "SELECT run_id, seq, id FROM inbox WHERE id > ?1 ORDER BY id",
  /** ?1 to ?4 are the key; subscriptions have no other order than that in which they came. */
  subscriptions: "SELECT * FROM subscription WHERE tenant = ?1 AND event = ?2 AND field = ?3 AND value = ?4 ORDER BY id",
  subscribed: "SELECT 1 AS found FROM subscription WHERE run_id = ?1 AND ordinal = ?2 AND member = ?3",
  keptEvent:
    "SELECT id, CASE WHEN data IS NULL THEN 0 ELSE 1 END AS is_kept, expires_at FROM event_kept WHERE tenant = ?1 AND event = ?2 AND event_id = ?3",
  /** ?5 now, ?6 ids above, ?7 limit. */
  keptEvents: `SELECT e.* FROM event_key k CROSS JOIN event_kept e ON e.id = k.kept_id
    WHERE k.tenant = ?1 AND k.event = ?2 AND k.field = ?3 AND k.value = ?4 AND e.expires_at > ?5 AND k.kept_id > ?6 ORDER BY k.kept_id LIMIT ?7`,
  expiredEvents: "SELECT id FROM event_kept WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2",
  task: "SELECT * FROM task_row WHERE tenant = ?1 AND public_id = ?2",
  /** ?7 limit. */
  tasks: `${TASKS} ORDER BY id LIMIT ?7`,
  /** ?8 status. */
  tasksByStatus: `${TASKS} AND status = ?8 ORDER BY id LIMIT ?7`,
  /** ?3 now, ?4 limit. */
  claimableTasks: `SELECT * FROM task_row WHERE tenant = ?1 AND topic = ?2 AND available_at <= ?3 AND (expires_at IS NULL OR expires_at > ?3)
    ORDER BY available_at, id LIMIT ?4`,
  routes: "SELECT * FROM route ORDER BY topic DESC, workflow DESC, tenant DESC",
  shares: "SELECT * FROM tenant_share ORDER BY tenant",
  share: "SELECT * FROM tenant_share WHERE tenant = ?1",
  version: "SELECT * FROM version WHERE id = ?1",
  versionByHash: "SELECT * FROM version WHERE tenant = ?1 AND workflow = ?2 AND hash = ?3",
  latestVersion: "SELECT * FROM version WHERE tenant = ?1 AND workflow = ?2 AND (version = ?3 OR ?3 IS NULL) ORDER BY id DESC LIMIT 1",
  migrations: "SELECT number, name, checksum, compatible_from FROM migration ORDER BY number",
  owner: "SELECT * FROM worker ORDER BY epoch DESC LIMIT 1",
  fact: "SELECT value FROM meta WHERE key = ?1",
  /** ?1 ids above, ?2 limit. */
  unfinished: "SELECT id FROM run WHERE finished_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2",
  unfinishedLeftBehind: `SELECT id FROM run WHERE finished_at IS NULL AND paused_by IS NULL AND id > ?1
    AND (status = 'RUNNING' OR owner_epoch IS NOT NULL OR (status = 'SUSPENDED' AND reason = 'shutdown')) ORDER BY id LIMIT ?2`,
  unfinishedNoWorker: `SELECT id FROM run WHERE finished_at IS NULL AND paused_by IS NULL AND id > ?1 AND status = 'SUSPENDED' AND reason = 'no_worker'
    ORDER BY id LIMIT ?2`,
} as const;

/** Statements outside the hot path that change something, written once. */
export const COLD_WRITES = {
  reserveRunIds: "UPDATE meta SET value = value + ?1 WHERE key = 'next_run_id' RETURNING value - ?1 AS first",
  raiseClock: "UPDATE meta SET value = ?1 WHERE key = 'clock' AND value < ?1",
  own: `INSERT INTO worker (epoch, name, host, pid, version, worker_groups, owned_at)
    VALUES ((SELECT coalesce(max(epoch), 0) + 1 FROM worker), ?1, ?2, ?3, ?4, ?5, ?6) RETURNING epoch`,
  insertVersion: `INSERT INTO version (tenant, workflow, version, hash, definition, definition_crc, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id`,
  putRoute: `INSERT INTO route (tenant, workflow, topic, worker_group) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (tenant, workflow, topic) DO UPDATE SET worker_group = excluded.worker_group`,
  removeRoute: "DELETE FROM route WHERE tenant = ?1 AND workflow = ?2 AND topic = ?3 RETURNING 1 AS gone",
  putShare: `INSERT INTO tenant_share (tenant, weight, most) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant) DO UPDATE SET weight = excluded.weight, most = excluded.most`,
  insertMigration: "INSERT INTO migration (number, name, checksum, compatible_from) VALUES (?1, ?2, ?3, ?4)",
  insertVersionStep: "INSERT INTO version_steps (version_id, ordinal, path, uses) VALUES (?1, ?2, ?3, ?4)",
} as const;

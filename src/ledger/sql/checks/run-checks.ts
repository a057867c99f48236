import { PARKED } from "../reads.ts";
import { ENDED_RUN_STATUSES, KNOWN_RUN_STATUSES, type LedgerCheck, runs, STEPS, steps } from "./check.ts";

const STATE = "r.status || coalesce(' (' || r.reason || ')', '')";
/** Whoever has room looks there: with owner 0 for runs that nobody has. */
const IS_READY = "EXISTS (SELECT 1 FROM ready y WHERE y.owner = 0 AND y.run_id = r.id)";
/** A worker that stops hands its parked runs over when it is fenced, which is after it has parked them. */
const IS_HANDED_BACK = `r.reason = 'shutdown' AND EXISTS (SELECT 1 FROM worker w WHERE w.epoch NOT IN (SELECT epoch FROM fenced))`;
const IS_WOKEN_BY_WAIT = `EXISTS (SELECT 1 FROM wait w WHERE w.run_id = r.id
  AND (w.due_at IS NOT NULL OR w.kind IN ('signal', 'event', 'task', 'child', 'no_worker')))`;
const IS_UNDONE_OR_CANCELLED = `EXISTS (SELECT 1 FROM step s WHERE s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455 AND s.kind = 'compensation')
  OR EXISTS (SELECT 1 FROM inbox i WHERE i.run_id = r.id AND i.kind = 'cancel')`;
const IS_REOPENED = "EXISTS (SELECT 1 FROM event e WHERE e.run_id = r.id AND e.event = 'run.reopened')";

/** What must hold of runs as wholes. */
export const RUN_CHECKS: readonly LedgerCheck[] = [
  {
    id: "run-numbers",
    invariant: "I1",
    holds: "Every run has a number that the ledger has given out",
    sql: runs("'number ' || r.id", "r.id >= (SELECT value FROM meta WHERE key = 'next_run_id')"),
  },
  {
    id: "run-rows",
    invariant: "I1",
    holds: "Every row belongs to a run that is there",
    sql: ["attempt", "event", "wait", "inbox", "subscription", "task"]
      .map((table) => orphans(table, "run_id"))
      .concat(orphans("step", "key >> 28"))
      .join(" UNION ALL "),
  },
  {
    id: "run-keys",
    invariant: "I1",
    holds: "An idempotency key stands beside its workflow and the hash of its request",
    sql: runs(
      "'key ' || coalesce(r.idempotency_key, 'missing')",
      `(r.idempotency_key IS NULL) <> (r.idempotency_hash IS NULL) OR (r.idempotency_key IS NULL) <> (r.idempotency_scope IS NULL)`,
    ),
  },
  {
    id: "run-next",
    invariant: "I2",
    holds: "Every unfinished run is in the queue, has an engine, waits for something, or is held by a person",
    sql: runs(
      `${STATE} || ', and nothing would wake it'`,
      `r.finished_at IS NULL AND r.owner_epoch IS NULL AND r.paused_by IS NULL AND r.status <> 'QUEUED' AND coalesce(r.reason, '') <> 'quarantined'
       AND NOT ${IS_READY} AND coalesce(r.slots, 0) <> 2 AND (r.status = 'RUNNING' OR NOT (coalesce(${IS_HANDED_BACK}, 1 = 0) OR ${IS_WOKEN_BY_WAIT}))`,
    ),
  },
  {
    id: "run-queue",
    invariant: "I2",
    holds: "A run is QUEUED until it starts, and has no step by then",
    sql: runs(
      `${STATE} || ', started at ' || coalesce('' || r.started_at, 'no time')`,
      `(r.status IN ('RUNNING', 'SUSPENDED') AND r.started_at IS NULL) OR (r.status = 'QUEUED' AND (r.started_at IS NOT NULL
       OR EXISTS (SELECT 1 FROM step s WHERE s.key BETWEEN r.id << 28 AND r.id << 28 | 268435455)))`,
    ),
  },
  {
    id: "run-deadline",
    invariant: "I6",
    holds: "A parked run with a timeout is looked for when that is over",
    sql: runs(
      "'to end by ' || r.deadline_at",
      `r.deadline_at IS NOT NULL AND ${PARKED} AND coalesce(r.reason, '') <> 'shutdown' AND NOT ${IS_READY}
       AND NOT EXISTS (SELECT 1 FROM wait w WHERE w.run_id = r.id AND w.due_at <= r.deadline_at) AND NOT (${IS_UNDONE_OR_CANCELLED})`,
    ),
  },
  {
    id: "run-status",
    invariant: "I8",
    holds: "A run has a time of its end exactly when its status is one",
    sql: runs(
      STATE,
      `r.status NOT IN (${KNOWN_RUN_STATUSES}) OR (r.finished_at IS NULL) = (r.status IN (${ENDED_RUN_STATUSES}))
       OR (r.status = 'FAILED') <> (r.error IS NOT NULL)`,
    ),
  },
  {
    id: "ended-steps",
    invariant: "I2",
    holds: "An ended run has no open step",
    sql: steps("' is ' || s.status || ' in a run that is ' || r.status", "r.finished_at IS NOT NULL AND s.finished_at IS NULL"),
  },
  {
    id: "ended-complete",
    invariant: "I8",
    holds: "An ended run has a row for each step of its workflow",
    sql: `SELECT r.id AS run_id, r.public_id AS run, d.path || ' has none' AS found FROM run r JOIN version_steps d ON d.version_id = r.version_id
      LEFT JOIN step s ON s.key = (r.id << 28 | d.ordinal) WHERE r.finished_at IS NOT NULL AND s.key IS NULL`,
  },
  {
    id: "ended-waits",
    invariant: "I2",
    holds: "An ended run waits for nothing",
    sql: `SELECT r.id AS run_id, r.public_id AS run, 'waits for ' || w.kind || ', and is ' || r.status AS found
      FROM wait w JOIN run r ON r.id = w.run_id WHERE r.finished_at IS NOT NULL`,
  },
  {
    id: "ended-commands",
    invariant: "I5",
    holds: "An ended run has no unread cancel, pause, resume or retry",
    sql: `SELECT r.id AS run_id, r.public_id AS run, i.kind || ' ' || i.seq || ' is unread' AS found
      FROM inbox i JOIN run r ON r.id = i.run_id
      WHERE r.finished_at IS NOT NULL AND i.consumed_at IS NULL AND i.kind IN ('cancel', 'pause', 'resume', 'retry')`,
  },
  {
    id: "run-times",
    invariant: "I7",
    holds: "A run is made, then starts, then ends",
    sql: runs("'its times are out of order'", "r.started_at < r.created_at OR r.finished_at < coalesce(r.started_at, r.created_at)"),
  },
  {
    id: "run-revisions",
    invariant: "I8",
    holds: "The revisions of a run only grow, and its end is the last one",
    sql: [
      runs("'its own'", "r.started_revision < r.created_revision OR r.revision < coalesce(r.started_revision, r.created_revision)"),
      steps("' changed after the end'", "r.finished_at IS NOT NULL AND s.revision > r.revision"),
      steps(
        "' goes back'",
        "s.attempt_revision < s.started_revision OR s.revision < s.attempt_revision OR s.revision < r.created_revision",
        STEPS,
      ),
      later("attempt", "'attempt ' || x.attempt || ' of step ' || x.ordinal"),
      later("event", "x.event"),
    ].join(" UNION ALL "),
  },
  {
    id: "run-parents",
    invariant: "I2",
    holds: "A child run stands one below a parent that is there",
    sql: `SELECT r.id AS run_id, r.public_id AS run, 'at depth ' || r.depth || ' below ' || coalesce(p.public_id, 'no run') AS found
      FROM run r LEFT JOIN run p ON p.id = r.parent_run_id
      WHERE r.parent_run_id IS NOT NULL AND (p.id IS NULL OR r.depth <> p.depth + 1 OR r.root_run_id <> coalesce(p.root_run_id, p.id)
        OR r.tenant <> p.tenant)`,
  },
  {
    id: "attempt-numbers",
    invariant: "I3",
    holds: "Every earlier attempt of a step is recorded once, and none beyond its present one",
    sql: [
      `SELECT r.id AS run_id, r.public_id AS run, 'attempt ' || a.attempt || ' of step ' || a.ordinal || ' is beyond ' || coalesce(s.attempt, 0) AS found
       FROM attempt a JOIN run r ON r.id = a.run_id LEFT JOIN step s ON s.key = (a.run_id << 28 | a.ordinal)
       WHERE s.key IS NULL OR a.attempt > s.attempt`,
      steps(
        "' is in attempt ' || s.attempt || ', and not all before it are there'",
        `s.attempt > 1 AND NOT ${IS_REOPENED}
         AND s.attempt - 1 <> (SELECT count(*) FROM attempt a WHERE a.run_id = r.id AND a.ordinal = (s.key & 268435455) AND a.attempt < s.attempt)`,
      ),
    ].join(" UNION ALL "),
  },
];

function orphans(table: string, runId: string): string {
  return `SELECT x.run_id, NULL AS run, 'a row of ${table} of run number ' || x.run_id AS found FROM (SELECT ${runId} AS run_id FROM ${table}) x
    LEFT JOIN run r ON r.id = x.run_id WHERE r.id IS NULL AND NOT EXISTS (SELECT 1 FROM removed_run d WHERE d.run_id = x.run_id)`;
}

/** Rows of an ended run that say to be later than its end. */
function later(table: string, found: string): string {
  return `SELECT r.id AS run_id, r.public_id AS run, ${found} || ' is later than the end' AS found
    FROM ${table} x JOIN run r ON r.id = x.run_id WHERE r.finished_at IS NOT NULL AND x.revision > r.revision`;
}

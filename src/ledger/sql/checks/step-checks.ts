import { beside, ENDED_STEP_STATUSES, type LedgerCheck, STEPS, STORED_STEP_STATUSES, steps } from "./check.ts";

const STATE = "' is ' || s.status || coalesce(' (' || s.reason || ')', '')";
const ITS_WAIT = "LEFT JOIN wait w ON w.run_id = r.id AND w.ordinal = (s.key & 268435455)";

/** What must hold of steps, of what they wait for, and of what is kept beside their waits. */
export const STEP_CHECKS: readonly LedgerCheck[] = [
  {
    id: "step-status",
    invariant: "I8",
    holds: "A step has a time of its end exactly when its status is one",
    sql: steps(
      STATE,
      `s.status NOT IN (${STORED_STEP_STATUSES}) OR (s.finished_at IS NULL) = (s.status IN (${ENDED_STEP_STATUSES}))
       OR (s.status = 'FAILED' AND s.error IS NULL)`,
    ),
  },
  {
    id: "step-running",
    invariant: "I8",
    holds: "A step is RUNNING only in a run that is",
    sql: steps("' is RUNNING in a run that is ' || r.status", "s.status = 'RUNNING' AND r.status <> 'RUNNING'"),
  },
  {
    id: "step-scope",
    invariant: "I8",
    holds: "Nothing is open inside an item, a round or a block that has ended",
    sql: steps(
      `${STATE} || ' inside ' || coalesce(p.path, 'a block') || ', which is ' || p.status`,
      "s.finished_at IS NULL AND p.finished_at IS NOT NULL",
      `${STEPS} JOIN step p ON p.key = (r.id << 28 | s.parent)`,
    ),
  },
  {
    id: "step-times",
    invariant: "I7",
    holds: "A step starts, then tries again, then ends",
    sql: steps(
      "'''s times are out of order'",
      "s.attempt_started_at < s.started_at OR s.finished_at < s.attempt_started_at OR s.started_at < r.created_at",
    ),
  },
  {
    id: "step-results",
    invariant: "I3",
    holds: "An attempt has one result",
    sql: beside(
      "attempt",
      "a",
      "' succeeded in attempt ' || a.attempt || ', which is ' || a.status",
      "s.status = 'SUCCEEDED' AND a.attempt = s.attempt AND a.status <> 'DISCARDED' AND coalesce(s.reason, '') <> 'fallback'",
    ),
  },
  {
    id: "step-waits",
    invariant: "I2",
    holds: "A step that is SUSPENDED waits for something",
    sql: steps(
      `${STATE} || ', and nothing ends that'`,
      "s.status = 'SUSPENDED' AND w.run_id IS NULL AND coalesce(s.reason, '') NOT IN ('quarantined', 'steps')",
      `${STEPS} ${ITS_WAIT}`,
    ),
  },
  {
    id: "wait-step",
    invariant: "I6",
    holds: "What waits is a step that is SUSPENDED, or is RUNNING with what woke it",
    // a step whose operator nobody has may have no row yet
    sql: beside(
      "wait",
      "w",
      "' is ' || coalesce(s.status, 'not begun') || ' and waits for ' || w.kind",
      `w.ordinal >= 0 AND coalesce(s.status, '') <> 'SUSPENDED' AND NOT (s.key IS NULL AND w.kind = 'no_worker')
       AND NOT (s.key IS NOT NULL AND s.status = 'RUNNING' AND (w.kind = 'resume' OR coalesce(w.detail, '') LIKE '%"woken"%'))`,
    ),
  },
  {
    id: "wait-due",
    invariant: "I6",
    holds: "A wait for time alone has a time at which it is over",
    sql: beside(
      "wait",
      "w",
      "' waits for ' || w.kind || ' without a time'",
      "w.due_at IS NULL AND w.kind IN ('retry', 'timer', 'delay', 'timeout', 'resume')",
    ),
  },
  {
    id: "wait-child",
    invariant: "I2",
    holds: "A child that a step waits for is there, and has told its end if it has ended",
    sql: `SELECT r.id AS run_id, r.public_id AS run, 'waits for ' || coalesce(c.public_id || ', which is ' || c.status, 'a run that is not there') AS found
      FROM wait w JOIN run r ON r.id = w.run_id LEFT JOIN run c ON c.id = w.child_run_id
      WHERE w.kind = 'child' AND (c.id IS NULL OR coalesce(c.parent_run_id, 0) <> r.id OR (c.finished_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM inbox i WHERE i.run_id = r.id AND i.kind = 'child' AND i.ordinal = w.ordinal AND i.consumed_at IS NULL)))`,
  },
  {
    id: "wait-task",
    invariant: "I2",
    holds: "A task that a step waits for is open, or has told its end",
    sql: beside(
      "wait",
      "w",
      "' waits for a task that is ' || coalesce((SELECT t.status FROM task t WHERE t.public_id = w.key), 'not there')",
      `w.kind = 'task' AND NOT EXISTS (SELECT 1 FROM task t WHERE t.public_id = w.key AND t.run_id = w.run_id AND t.ordinal = w.ordinal
         AND (t.closed_at IS NULL OR EXISTS (SELECT 1 FROM inbox i WHERE i.run_id = t.run_id AND i.kind = 'task' AND i.ordinal = t.ordinal
           AND i.consumed_at IS NULL)))`,
    ),
  },
  {
    id: "task-wait",
    invariant: "I2",
    holds: "A task is open only while its step waits for it",
    sql: beside(
      "task",
      "t",
      "' does not wait for its task, which is ' || t.status",
      `(t.closed_at IS NULL) = (t.status IN ('DONE', 'CANCELLED', 'EXPIRED')) OR (t.closed_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM wait w WHERE w.run_id = t.run_id AND w.ordinal = t.ordinal AND w.kind = 'task' AND w.key = t.public_id))`,
    ),
  },
  {
    id: "wait-event",
    invariant: "I5",
    holds: "A step that waits for events is subscribed to one, or has been sent one",
    sql: beside(
      "wait",
      "w",
      "' waits for an event to which it is not subscribed'",
      `w.kind = 'event' AND NOT EXISTS (SELECT 1 FROM subscription u WHERE u.run_id = w.run_id AND u.ordinal = w.ordinal)
       AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.run_id = w.run_id AND i.kind = 'event' AND i.ordinal = w.ordinal AND i.consumed_at IS NULL)`,
    ),
  },
  {
    id: "event-wait",
    invariant: "I5",
    holds: "Nobody is subscribed to events but steps that wait for them",
    sql: beside(
      "subscription",
      "u",
      "' is subscribed to ' || u.event || ' and does not wait for it'",
      "NOT EXISTS (SELECT 1 FROM wait w WHERE w.run_id = u.run_id AND w.ordinal = u.ordinal AND w.kind = 'event')",
    ),
  },
];

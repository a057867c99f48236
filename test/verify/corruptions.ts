/** A change that no engine makes, spelt as SQLite does, and the check that must find it. */
export interface Corruption {
  readonly check: string;
  readonly does: string;
  readonly sql: string;
  /** The workflow whose run is named; absent where no run is concerned. */
  readonly of?: string;
  /** What only several engines can have wrong. */
  readonly isShared?: true;
}

const run = (workflow: string): string =>
  `(SELECT min(r.id) FROM run r JOIN version v ON v.id = r.version_id WHERE v.workflow = '${workflow}' AND r.started_at IS NOT NULL)`;
const ordinal = (workflow: string, kind: string): string =>
  `(SELECT ordinal FROM wait WHERE run_id = ${run(workflow)} AND kind = '${kind}')`;
const stepsOf = (workflow: string): string => `key BETWEEN ${run(workflow)} << 28 AND ${run(workflow)} << 28 | 268435455`;
const WAIT = "INSERT INTO wait (run_id, ordinal, kind, key, since) VALUES";
const unread = (of: string): string =>
  `INSERT INTO inbox (run_id, seq, kind, actor, accepted_at) VALUES (${run(of)}, (SELECT inbox_seq FROM run WHERE id = ${run(of)}), 'resume', 'ann', 1)`;

/** At least one for each check. */
export const CORRUPTIONS: readonly Corruption[] = [
  { check: "schema", does: "a migration that is not the one that was applied", sql: "UPDATE migration SET checksum = 'other'" },
  {
    check: "run-numbers",
    does: "the counter of runs goes back",
    sql: `UPDATE meta SET value = ${run("done")} WHERE key = 'next_run_id'`,
    of: "done",
  },
  ...[
    "event (run_id, revision, event, actor, at) VALUES (9999, 1, 'x', 'x', 1)",
    "wait (run_id, ordinal, kind, since) VALUES (9999, 0, 'signal', 1)",
  ].map((row) => ({ check: "run-rows", does: `a row without its run: ${row.slice(0, 5)}`, sql: `INSERT INTO ${row}` })),
  {
    check: "run-keys",
    does: "a key loses the hash of its request",
    sql: `UPDATE run SET idempotency_hash = NULL WHERE id = ${run("asks")}`,
    of: "asks",
  },
  { check: "run-next", does: "a sleeping run loses its due time", sql: `DELETE FROM wait WHERE run_id = ${run("sleeps")}`, of: "sleeps" },
  {
    check: "run-next",
    does: "a run is RUNNING and nobody's",
    sql: `UPDATE run SET status = 'RUNNING', owner_epoch = NULL WHERE id = ${run("listens")}`,
    of: "listens",
  },
  {
    check: "run-queue",
    does: "a run in the queue has started",
    sql: "UPDATE run SET started_at = created_at WHERE status = 'QUEUED'",
  },
  {
    check: "run-deadline",
    does: "nobody looks for a run when its time is over",
    sql: `DELETE FROM wait WHERE run_id = ${run("timed")} AND ordinal = -1`,
    of: "timed",
  },
  { check: "run-status", does: "an end without a time", sql: `UPDATE run SET finished_at = NULL WHERE id = ${run("done")}`, of: "done" },
  { check: "run-status", does: "a status that nobody knows", sql: `UPDATE run SET status = 'LOST' WHERE id = ${run("asks")}`, of: "asks" },
  {
    check: "ended-steps",
    does: "an ended run has a step at work",
    sql: `UPDATE step SET status = 'RUNNING', finished_at = NULL WHERE ${stepsOf("undone")} AND kind = 'compensation'`,
    of: "undone",
  },
  {
    check: "ended-complete",
    does: "an ended run loses a step",
    sql: `DELETE FROM step WHERE key = (${run("undone")} << 28 | 2)`,
    of: "undone",
  },
  { check: "ended-waits", does: "an ended run waits", sql: `${WAIT} (${run("done")}, 0, 'signal', 'x', 1)`, of: "done" },
  { check: "ended-commands", does: "a cancel was not read", sql: "UPDATE inbox SET consumed_at = NULL WHERE kind = 'cancel'" },
  {
    check: "run-times",
    does: "a run ends before it starts",
    sql: `UPDATE run SET finished_at = started_at - 1 WHERE id = ${run("done")}`,
    of: "done",
  },
  {
    check: "run-revisions",
    does: "a run's end goes back",
    sql: `UPDATE run SET revision = created_revision WHERE id = ${run("done")}`,
    of: "done",
  },
  {
    check: "run-revisions",
    does: "a step's revision goes back",
    sql: `UPDATE step SET revision = 0 WHERE ${stepsOf("asks")} AND finished_at IS NOT NULL`,
    of: "asks",
  },
  { check: "run-parents", does: "a child stands too deep", sql: "UPDATE run SET depth = 5 WHERE parent_run_id IS NOT NULL", of: "kid" },
  { check: "run-parents", does: "a child's parent is not there", sql: "UPDATE run SET parent_run_id = 9999 WHERE depth = 1", of: "kid" },
  {
    check: "attempt-numbers",
    does: "an earlier attempt is not there",
    sql: `DELETE FROM attempt WHERE run_id = ${run("done")}`,
    of: "done",
  },
  {
    check: "attempt-numbers",
    does: "an attempt is beyond its step's",
    sql: `UPDATE attempt SET attempt = 9 WHERE run_id = ${run("done")}`,
    of: "done",
  },
  {
    check: "step-status",
    does: "a step ends without a time",
    sql: `UPDATE step SET finished_at = NULL WHERE ${stepsOf("undone")}`,
    of: "undone",
  },
  {
    check: "step-running",
    does: "a step of a parked run is at work",
    sql: `UPDATE step SET status = 'RUNNING' WHERE ${stepsOf("sleeps")} AND status = 'SUSPENDED'`,
    of: "sleeps",
  },
  {
    check: "step-scope",
    does: "a step of an item that has ended is open",
    sql: `UPDATE step SET status = 'SUSPENDED', finished_at = NULL WHERE ${stepsOf("done")} AND kind = 'step' AND parent IS NOT NULL`,
    of: "done",
  },
  {
    check: "step-times",
    does: "a step ends before it starts",
    sql: `UPDATE step SET finished_at = 1 WHERE ${stepsOf("done")}`,
    of: "done",
  },
  {
    check: "step-results",
    does: "an attempt has failed and succeeded",
    sql: `UPDATE step SET attempt = 1 WHERE ${stepsOf("done")} AND attempt = 2`,
    of: "done",
  },
  {
    check: "step-waits",
    does: "a step waits for nothing",
    sql: `DELETE FROM wait WHERE run_id = ${run("listens")}`,
    of: "listens",
  },
  { check: "wait-step", does: "a step that has ended waits", sql: `${WAIT} (${run("asks")}, 0, 'signal', 'x', 1)`, of: "asks" },
  {
    check: "wait-due",
    does: "a wait for time has no time",
    sql: `UPDATE wait SET due_at = NULL WHERE run_id = ${run("sleeps")}`,
    of: "sleeps",
  },
  { check: "wait-child", does: "a child is not there", sql: "UPDATE wait SET child_run_id = 9999 WHERE kind = 'child'", of: "calls" },
  {
    check: "wait-child",
    does: "a child's end was never told",
    sql: `UPDATE run SET status = 'SUCCEEDED', finished_at = started_at WHERE id = ${run("kid")}`,
    of: "calls",
  },
  { check: "wait-task", does: "a task is not there", sql: `UPDATE wait SET key = 'x' WHERE run_id = ${run("asks")}`, of: "asks" },
  {
    check: "wait-task",
    does: "a decision was never told",
    sql: `UPDATE task SET status = 'DONE', closed_at = 1 WHERE run_id = ${run("works")}`,
    of: "works",
  },
  { check: "task-wait", does: "a task for nobody", sql: `DELETE FROM wait WHERE run_id = ${run("works")}`, of: "works" },
  { check: "wait-event", does: "a subscription is gone", sql: "DELETE FROM subscription", of: "subscribes" },
  { check: "event-wait", does: "a subscription for nobody", sql: `DELETE FROM wait WHERE run_id = ${run("subscribes")}`, of: "subscribes" },
  {
    check: "inbox-numbers",
    does: "a row of an inbox is gone",
    sql: `DELETE FROM inbox WHERE run_id = ${run("listens")} AND seq = 1`,
    of: "listens",
  },
  {
    check: "inbox-order",
    does: "a signal was used before it came",
    sql: `UPDATE inbox SET consumed_at = accepted_at - 1 WHERE run_id = ${run("listens")} AND consumed_at IS NOT NULL`,
    of: "listens",
  },
  {
    check: "inbox-told",
    does: "nobody is told of a word to a parked run",
    sql: `UPDATE run SET inbox_seq = inbox_seq + 1 WHERE id = ${run("sleeps")}; ${unread("sleeps")}`,
    of: "sleeps",
    isShared: true,
  },
  {
    check: "owner-known",
    does: "nobody knows a run's engine",
    sql: `UPDATE run SET owner_epoch = 99 WHERE id = ${run("asks")}`,
    of: "asks",
  },
  { check: "owner-known", does: "an ended run is somebody's", sql: `UPDATE run SET owner_epoch = 1 WHERE id = ${run("done")}`, of: "done" },
  {
    check: "owner-known",
    does: "a run is a fenced engine's",
    sql: `UPDATE run SET owner_epoch = 1 WHERE id = ${run("asks")}`,
    of: "asks",
    isShared: true,
  },
  {
    check: "owner-lanes",
    does: "a fenced engine can still write",
    sql: "INSERT INTO lane (epoch, number, token) VALUES (1, 7, 0)",
    isShared: true,
  },
  {
    check: "owner-lanes",
    does: "a list for a run that is not there",
    sql: "INSERT INTO ready (owner, run_id, seq) VALUES (0, 9999, 1)",
    isShared: true,
  },
  { check: "payloads", does: "a definition was changed", sql: "UPDATE version SET definition = definition || ' '" },
  { check: "payloads", does: "a run's input was changed", sql: `UPDATE run SET input = '[]' WHERE id = ${run("asks")}`, of: "asks" },
  { check: "payloads", does: "a step's output was changed", sql: `UPDATE step SET output = '{}' WHERE ${stepsOf("asks")}`, of: "asks" },
  {
    check: "payloads",
    does: "an output became an error",
    sql: `UPDATE step SET error = output, output = NULL WHERE ${stepsOf("asks")} AND status = 'SUCCEEDED'`,
    of: "asks",
  },
  {
    check: "payloads",
    does: "why an attempt failed was changed",
    sql: `UPDATE attempt SET error = '{}' WHERE run_id = ${run("done")}`,
    of: "done",
  },
  {
    check: "payloads",
    does: "a detail of the history was changed",
    sql: `UPDATE event SET detail = '{}' WHERE run_id = ${run("listens")}`,
    of: "listens",
  },
  {
    check: "payloads",
    does: "what a wait needs was changed",
    sql: `UPDATE wait SET detail = '{}' WHERE run_id = ${run("calls")} AND ordinal = ${ordinal("calls", "child")}`,
    of: "calls",
  },
  {
    check: "payloads",
    does: "a signal was changed",
    sql: `UPDATE inbox SET payload = '7' WHERE run_id = ${run("listens")}`,
    of: "listens",
  },
  { check: "payloads", does: "a task was changed", sql: `UPDATE task SET payload = '7' WHERE run_id = ${run("works")}`, of: "works" },
  { check: "payloads", does: "a kept event was changed", sql: "UPDATE event_kept SET data = '7'" },
  { check: "queue-asks", does: "a run that waits for its turn is not to be found", sql: "DELETE FROM admission_note" },
  {
    check: "queue-order",
    does: "a partition has no run",
    sql: `INSERT INTO queue_partition (id, name, worker_group, tenant, limits, head, aside_for) VALUES (9, 'x', 'default', 'default', '[]', 1, NULL)`,
  },
  {
    check: "slots-held",
    does: "an ended run holds a slot",
    sql: `INSERT INTO slot (limiter_id, run_id, is_until_end) VALUES (9, ${run("done")}, 0)`,
    of: "done",
  },
  {
    check: "slots-counted",
    does: "a slot is counted that nobody holds",
    sql: `INSERT INTO limiter (id, tenant, name, version_id, limited_to, period_ms, held, used_until_us, open_at, partitions, aside)
      VALUES (9, 'default', 'x', 1, 1, NULL, 1, 0, 0, 0, 0)`,
  },
];

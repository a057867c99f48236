import type { Json } from "../model/json.ts";
import type { UpdateTask } from "./own-writes.ts";
import type { TaskDecision, TaskFailure, TaskLease, TaskOutcome, TaskPoll, Tasks } from "./port.ts";
import { taskClosed, taskDead, taskExpired, taskLeaseLost, taskNotFound, taskTaken } from "./refusals.ts";
import type { JsonText, TaskRow, TaskStatus } from "./rows.ts";
import type { Transaction, Within } from "./transaction.ts";
import type { Work } from "./work.ts";

/** What a change of a task leaves as it was is not named. */
type Change = Partial<Omit<UpdateTask, "write" | "runId" | "taskId" | "seen">>;

const FREE = { leaseToken: null, worker: null, leaseUntil: null } as const;
const isClosed = (status: TaskStatus): boolean => status === "DONE" || status === "CANCELLED" || status === "EXPIRED";

/** The one decision about an approval: the task and the wake of its step are one transaction. */
function* decideTask(transaction: Transaction, entry: TaskDecision): Work<TaskOutcome> {
  const { tenant, publicId, isApproved, actor, comment, form } = entry;
  const task = yield* openTask(transaction, tenant, publicId);
  if (task.type !== "approval") throw taskNotFound(publicId, "approval");
  const decision: Json = { approved: isApproved, by: actor, comment, form };
  const refusal = { code: "TASK_REJECTED", message: `${actor} rejected "${task.title}"`, data: decision };
  const outcome: Json = isApproved || task.onReject === "continue" ? { ok: true, payload: decision } : { ok: false, error: refusal };
  return yield* close(transaction, task, { decidedBy: actor, decision: JSON.stringify(decision) }, outcome, actor);
}

/** Gives work to a worker: what is ready, what may be tried again, and what a worker did not come back with. */
function* pollTasks(transaction: Transaction, { tenant, topic, worker, token, limit }: TaskPoll): Work<readonly TaskRow[]> {
  const claimed: TaskRow[] = [];
  for (const task of yield* transaction.claimableTasks(tenant, topic, limit)) {
    const isAbandoned = task.status === "CLAIMED";
    const failures = task.failures + (isAbandoned ? 1 : 0);
    if (isAbandoned && failures >= task.maxAttempts) {
      const error = JSON.stringify({ code: "TASK_LEASE_LOST", message: `worker "${task.worker}" did not come back` });
      yield* update(transaction, task, { ...FREE, status: "DEAD_LETTER", failures, error, availableAt: null });
      continue;
    }
    claimed.push(yield* lease(transaction, task, { worker, token, failures }));
  }
  return claimed;
}

/** A person takes one work item up by hand: its delay between two attempts does not hold them. */
function* claimTask(transaction: Transaction, { tenant, publicId, token }: TaskLease, worker: string): Work<TaskRow> {
  const task = yield* openTask(transaction, tenant, publicId);
  if (task.type !== "work") throw taskNotFound(publicId, "work item");
  const isAbandoned = task.status === "CLAIMED" && (task.leaseUntil ?? 0) <= transaction.now;
  if (task.status === "CLAIMED" && !isAbandoned) throw taskTaken(task);
  if (task.status === "DEAD_LETTER") throw taskDead(task);
  return yield* lease(transaction, task, { worker, token, failures: task.failures + (isAbandoned ? 1 : 0) });
}

function* lease(
  transaction: Transaction,
  task: TaskRow,
  { worker, token, failures }: { readonly worker: string; readonly token: string; readonly failures: number },
): Work<TaskRow> {
  const leaseUntil = transaction.now + task.leaseMs;
  const claimed = { leaseToken: token, worker, leaseUntil, availableAt: leaseUntil };
  return yield* update(transaction, task, { ...claimed, status: "CLAIMED", attempt: task.attempt + 1, failures, error: null });
}

/** The worker is still at it: its lease begins anew. */
function* extendLease(transaction: Transaction, held: TaskLease): Work<TaskRow> {
  const task = yield* claimedTask(transaction, held);
  const leaseUntil = transaction.now + task.leaseMs;
  return yield* update(transaction, task, { leaseUntil, availableAt: leaseUntil });
}

function* completeTask(transaction: Transaction, held: TaskLease, payload: Json): Work<TaskOutcome> {
  const task = yield* claimedTask(transaction, held);
  const actor = task.worker ?? "worker";
  return yield* close(transaction, task, { decidedBy: actor, decision: JSON.stringify(payload) }, { ok: true, payload }, actor);
}

/** The next attempt follows after a delay; after the last one, or when none can help, the task waits for a person. */
function* failTask(transaction: Transaction, held: TaskLease, { error, isRetryable }: TaskFailure): Work<TaskRow> {
  const task = yield* claimedTask(transaction, held);
  const failures = task.failures + 1;
  const common = { ...FREE, failures, error: JSON.stringify(error) };
  if (!isRetryable || failures >= task.maxAttempts)
    return yield* update(transaction, task, { ...common, status: "DEAD_LETTER", availableAt: null });
  return yield* update(transaction, task, { ...common, status: "RETRY_WAIT", availableAt: transaction.now + task.retryDelayMs });
}

/** A dead letter is work again, with all its attempts. */
function* restoreTask(transaction: Transaction, tenant: string, publicId: string): Work<TaskRow> {
  const task = yield* openTask(transaction, tenant, publicId);
  if (task.status !== "DEAD_LETTER") throw taskClosed(task);
  return yield* update(transaction, task, { status: "READY", failures: 0, availableAt: transaction.now });
}

function* claimedTask(transaction: Transaction, { tenant, publicId, token }: TaskLease): Work<TaskRow> {
  const task = yield* heldTask(transaction, tenant, publicId);
  if (task.leaseToken !== token) throw taskLeaseLost(publicId);
  return expectOpen(transaction, task);
}

function* openTask(transaction: Transaction, tenant: string, publicId: string): Work<TaskRow> {
  return expectOpen(transaction, yield* heldTask(transaction, tenant, publicId));
}

function* heldTask(transaction: Transaction, tenant: string, publicId: string): Work<TaskRow> {
  yield* transaction.hold({ task: { tenant, publicId } });
  const task = yield* transaction.task(tenant, publicId);
  if (task === undefined) throw taskNotFound(publicId, "task");
  return task;
}

function expectOpen({ now }: Transaction, task: TaskRow): TaskRow {
  const isExpired = !isClosed(task.status) && task.expiresAt !== null && task.expiresAt <= now;
  if (isExpired || task.status === "EXPIRED") throw taskExpired(task.publicId);
  if (isClosed(task.status)) throw taskClosed(task);
  return task;
}

function* close(
  transaction: Transaction,
  task: TaskRow,
  by: { readonly decidedBy: string; readonly decision: JsonText },
  outcome: Json,
  actor: string,
): Work<TaskOutcome> {
  const done = yield* update(transaction, task, { ...by, status: "DONE", error: null, availableAt: null, closedAt: transaction.now });
  const { runId, ordinal } = task;
  const post = { write: "postInbox", runId, targetRunId: runId, kind: "task", ordinal, name: null, actor } as const;
  const accepted = yield* transaction.post({ ...post, payload: JSON.stringify(outcome) });
  if (accepted === undefined) throw taskClosed(task);
  return { task: done, accepted };
}

function* update(transaction: Transaction, task: TaskRow, change: Change): Work<TaskRow> {
  const { runId, id: taskId, revision: seen, ...state } = { ...task, ...change };
  yield* transaction.apply({ write: "updateTask", runId, taskId, seen, ...state });
  return { ...task, ...change, revision: seen + 1 };
}

/** The operations as the port gives them, each in a transaction of its own. */
export function taskOperations(within: Within): Omit<Tasks, "list" | "get"> {
  return {
    decide: (entry) => within((transaction) => decideTask(transaction, entry)),
    poll: (request) => within((transaction) => pollTasks(transaction, request)),
    claim: (held, worker) => within((transaction) => claimTask(transaction, held, worker)),
    heartbeat: (held) => within((transaction) => extendLease(transaction, held)),
    complete: (held, payload) => within((transaction) => completeTask(transaction, held, payload)),
    fail: (held, failure) => within((transaction) => failTask(transaction, held, failure)),
    restore: (tenant, publicId) => within((transaction) => restoreTask(transaction, tenant, publicId)),
  };
}

import type { Mutant } from "../../mutants/mutant.ts";

/** Faults planted into approvals, work for remote workers, and compensation. */
export const TASK_MUTANTS: readonly Mutant[] = [
  {
    name: "decision acknowledged before stored",
    does: "a decision is answered before it is in the ledger",
    file: "src/engine/task-commands.ts",
    from: "    return this.#told(\n      await ledger.tasks.decide({ tenant, publicId: taskId, isApproved, actor: by, comment: comment ?? null, form: filled }),\n    );",
    to: "    void ledger.tasks\n      .decide({ tenant, publicId: taskId, isApproved, actor: by, comment: comment ?? null, form: filled })\n      .then((outcome) => this.#told(outcome), () => undefined);\n    return detailOf(task);",
  },
  {
    name: "decided twice",
    does: "an approval that is closed takes another decision",
    file: "src/ledger/tasks.ts",
    from: "  if (isClosed(task.status)) throw taskClosed(task);\n  return task;",
    to: "  return task;",
  },
  {
    name: "expiry ignored",
    does: "a task is decided after it has expired",
    file: "src/ledger/tasks.ts",
    from: "task.expiresAt !== null && task.expiresAt <= now;",
    to: "task.expiresAt !== null && task.expiresAt < 0;",
  },
  {
    name: "strangers decide",
    does: "somebody decides whom nobody asked",
    file: "src/engine/task-commands.ts",
    from: "    refuseStranger(task, by, groups);\n",
    to: "",
  },
  {
    name: "lease not asked for",
    does: "a worker that lost its lease completes the task",
    file: "src/ledger/tasks.ts",
    from: "  if (task.leaseToken !== token) throw taskLeaseLost(publicId);\n",
    to: "",
  },
  {
    name: "done and given out",
    does: "work that is done is given to the next worker that polls",
    file: "src/ledger/tasks.ts",
    from: 'status: "DONE", error: null, availableAt: null,',
    to: 'status: "DONE", error: null, availableAt: transaction.now,',
  },
  {
    name: "heartbeat keeps nothing",
    does: "work is given out although its worker has just been heard of",
    file: "src/ledger/tasks.ts",
    from: "  return yield* update(transaction, task, { leaseUntil, availableAt: leaseUntil });",
    to: "  return yield* update(transaction, task, { leaseUntil });",
  },
  {
    name: "restored and lost",
    does: "a dead letter that is restored is given to nobody",
    file: "src/ledger/tasks.ts",
    from: '{ status: "READY", failures: 0, availableAt: transaction.now }',
    to: '{ status: "READY", failures: 0, availableAt: null }',
  },
  {
    name: "undone in the wrong order",
    does: "what was done first is undone first",
    file: "src/engine/compensation.ts",
    from: '(order === "forward" ? forward : forward.toReversed())',
    to: '(order === "forward" ? forward.toReversed() : forward)',
  },
  {
    name: "undone twice",
    does: "after a crash everything is undone from the beginning",
    file: "src/engine/restore-steps.ts",
    from: "  if (first === undefined) return;\n  steps.undo",
    to: "  if (first !== undefined || rows.length === 0) return;\n  steps.undo",
  },
  {
    name: "failures undone",
    does: "a step that failed is undone as well",
    file: "src/engine/step-recorder.ts",
    from: 'step.compensate !== null && status === "SUCCEEDED"',
    to: "step.compensate !== null",
  },
  {
    name: "undoing not taken over",
    does: "whether a cancelled run is being undone is asked before its cancel has been read again",
    file: "src/engine/compensation.ts",
    from: "    if (restore === undefined && !isUndoDue(",
    to: "    if (!isUndoDue(",
  },
];

import { StepwellError } from "../model/errors.ts";
import { type JsonObject, parseJsonOrNull } from "../model/json.ts";
import type { WorkerIdentity } from "./port.ts";
import type { RunRow, TaskRow } from "./rows.ts";

export function runNotFound(publicId: string): StepwellError {
  return new StepwellError("RUN_NOT_FOUND", `There is no run ${publicId}`, { data: { run: publicId } });
}

export function runFinished(publicId: string): StepwellError {
  return new StepwellError("RUN_FINISHED", `Run ${publicId} has already ended`, { data: { run: publicId } });
}

export function keyReused(key: string): StepwellError {
  return new StepwellError("IDEMPOTENCY_KEY_REUSED", `The idempotency key "${key}" already started another request`, {
    hint: "Use a new key for a new request.",
    data: { key },
  });
}

/** A write that breaks a guard, with where it stood as far as the ledger knows. */
export function guardBroken({ write, runId }: { readonly write: string; readonly runId?: number }, place: JsonObject = {}): StepwellError {
  const of = runId === undefined ? "" : ` of run ${runId}`;
  return new StepwellError("LEDGER_CONFLICT", `${write}${of} does not follow from what the ledger holds`, { data: { write, ...place } });
}

export function ownedBy(what: string, owner: WorkerIdentity | undefined): StepwellError {
  const who = owner === undefined ? "another engine" : `engine ${owner.name} (process ${owner.pid} on ${owner.host})`;
  return new StepwellError("LEDGER_OWNED", `${what} is owned by ${who}`, {
    hint: "Stop that engine, or use it: runs can be started, listed and cancelled while it works.",
    data: owner === undefined ? { ledger: what } : { ledger: what, name: owner.name, pid: owner.pid, host: owner.host },
  });
}

export function runNotFailed({ publicId, status }: RunRow): StepwellError {
  return new StepwellError("RUN_NOT_FAILED", `Run ${publicId} is ${status}; only a FAILED run can be tried again`, {
    data: { run: publicId, status },
  });
}

export function taskNotFound(publicId: string, what: "task" | "approval" | "work item"): StepwellError {
  return new StepwellError("TASK_NOT_FOUND", `There is no ${what} ${publicId}`, { data: { task: publicId } });
}

/** With what became of it, for somebody who comes too late. */
export function taskClosed({ publicId: task, status, decidedBy, decision }: TaskRow): StepwellError {
  const by = decidedBy === null ? "" : `, by ${decidedBy}`;
  return new StepwellError("TASK_CLOSED", `Task ${task} is ${status}${by}`, {
    data: { task, status, by: decidedBy, decision: parseJsonOrNull(decision) },
  });
}

export function taskExpired(publicId: string): StepwellError {
  return new StepwellError("TASK_EXPIRED", `Task ${publicId} has expired`, { data: { task: publicId } });
}

export function taskLeaseLost(publicId: string): StepwellError {
  return new StepwellError("TASK_LEASE_LOST", `Task ${publicId} is not leased under this token`, { data: { task: publicId } });
}

/** A worker has it, and only its token speaks for the task. */
export function taskTaken({ publicId: task, worker, leaseUntil }: TaskRow): StepwellError {
  return new StepwellError("TASK_LEASE_LOST", `Task ${task} is claimed by "${worker}"`, {
    hint: "Give the token of that claim, or wait until its lease ends.",
    data: { task, worker, leaseUntil },
  });
}

export function taskDead({ publicId: task }: TaskRow): StepwellError {
  return new StepwellError("TASK_CLOSED", `Task ${task} is a dead letter`, {
    hint: "Restore it first: stepwell tasks restore.",
    data: { task, status: "DEAD_LETTER" },
  });
}

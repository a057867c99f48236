import { StepwellError } from "../model/errors.ts";
import type { WorkerIdentity } from "./port.ts";

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

export function ownedBy(what: string, owner: WorkerIdentity | undefined): StepwellError {
  const who = owner === undefined ? "another engine" : `engine ${owner.name} (process ${owner.pid} on ${owner.host})`;
  return new StepwellError("LEDGER_OWNED", `${what} is owned by ${who}`, {
    hint: "Stop that engine, or use it: runs can be started, listed and cancelled while it works.",
    data: owner === undefined ? { ledger: what } : { ledger: what, name: owner.name, pid: owner.pid, host: owner.host },
  });
}

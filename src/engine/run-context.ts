import { AsyncLocalStorage } from "node:async_hooks";
import type { RunContext } from "../operators/operator.ts";

const storage = new AsyncLocalStorage<RunContext | undefined>();

/**
 * The run whose step is executing here, also across awaits, timers and callbacks that the operator started (S1-7, S1-23);
 * undefined outside an operator.
 */
export function currentRun(): RunContext | undefined {
  return storage.getStore();
}

export function withRunContext<T>(context: RunContext, body: () => T): T {
  return storage.run(context, body);
}

export function outsideRuns<T>(body: () => T): T {
  return storage.run(undefined, body);
}

import { invariant } from "../model/errors.ts";

/**
 * What an operation of a ledger does, written once for all backends: one whose answers are there at once finishes it within the
 * turn, one behind a connection follows it from answer to answer. Operations are generators that take each other's results by `yield*`.
 */
export type Work<T> = Iterable<Promise<unknown>, T, unknown>;

/** An answer that is there. */
export function done<T>(value: T): Work<T> {
  const result = { done: true, value } as const;
  return { [Symbol.iterator]: () => ({ next: () => result }) };
}

/** Does work that waits for nothing. */
export function finish<T>(work: Work<T>): T {
  const step = work[Symbol.iterator]().next();
  invariant(step.done === true, "work on a ledger of this process waits for nothing");
  return step.value;
}

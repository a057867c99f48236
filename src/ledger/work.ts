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

/** The answer of a connection, inside work. */
export function* answer<T>(promise: Promise<T>): Work<T> {
  // what is sent back is what this promise has resolved with: see `follow`
  return (yield promise) as T;
}

/** Does work whose answers come later; a rejection is thrown inside it, where it was asked for. */
export async function follow<T>(work: Work<T>): Promise<T> {
  const steps = work[Symbol.iterator]();
  let step = steps.next();
  while (step.done !== true) {
    const settled = await step.value.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if ("value" in settled) step = steps.next(settled.value);
    else if (steps.throw === undefined) throw settled.error;
    else step = steps.throw(settled.error);
  }
  return step.value;
}

/** Does several pieces of work side by side, so that none waits for the answers of another; gives back what each came to. */
export function* together<T extends readonly unknown[]>(...works: { readonly [K in keyof T]: Work<T[K]> }): Work<T> {
  const results: unknown[] = [];
  let open = works.map((work, index) => ({ index, steps: work[Symbol.iterator](), answer: undefined as unknown }));
  for (;;) {
    const asked: { readonly each: (typeof open)[number]; readonly answer: Promise<unknown> }[] = [];
    for (const each of open) {
      const step = each.steps.next(each.answer);
      if (step.done === true) results[each.index] = step.value;
      else asked.push({ each, answer: step.value });
    }
    // each work has given its own
    if (asked.length === 0) return results as unknown as T;
    const answers = yield* answer(Promise.all(asked.map((question) => question.answer)));
    open = asked.map(({ each }, position) => ({ ...each, answer: answers[position] }));
  }
}

import type { Place } from "./contestant.ts";
import { openStepwell, type Source } from "./ours.ts";
import { createWork, HELD } from "./workflows.ts";

/** Starts runs whose second step does not end, and resolves when all of them have come so far. */
export async function holdRuns(place: Place, from: Source, runs: number): Promise<object> {
  let held = 0;
  const all = Promise.withResolvers<undefined>();
  const hold = (): Promise<never> => {
    held += 1;
    if (held === runs) all.resolve(undefined);
    return new Promise(() => undefined);
  };
  const { stepwell } = await openStepwell(place, from, { operators: { work: createWork(), hold } });
  await stepwell.register(HELD);
  await Promise.all(Array.from({ length: runs }, () => stepwell.start(HELD.name, {})));
  await all.promise;
  return { held };
}

/** An engine that drives whatever runs it finds, at most so many at once; over a long queue it is not open before it has seen its end. */
export async function work(place: Place, from: Source, concurrency: number, queue = "ledger"): Promise<object> {
  const operators = { work: createWork(), hold: createWork() };
  const { stepwell } = await openStepwell(place, from, { operators, queue, concurrency: { runs: concurrency, steps: concurrency } });
  void stepwell.open();
  return { concurrency };
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./contestant.ts";
import { openStepwell, type Source } from "./ours.ts";
import { openFilled } from "./queue.ts";
import { median, percentile } from "./statistics.ts";

/** Milliseconds of the starts of one tenant: alone, and while another one has a queue. */
export interface FairnessSample {
  readonly idleP99Ms: number;
  readonly floodedP99Ms: number;
  readonly floodedMedianMs: number;
  /** What a run of the flood keeps its place for. */
  readonly runMs: number;
  /** Runs of the flood that were done when the last start was measured. */
  readonly floodDone: number;
}

/** Runs that the engine has in hand. */
const IN_HAND = 32;
const RUN_MS = 50;
const STARTS = 400;
const WARM_UP_STARTS = 50;
const GAP_MS = 25;
const FLOOD = "flood";

/** Has a tenant start a trivial run every now and then, first alone, then beside another one's queue. */
export async function measureFairness(from: Source, alone: Place, flooded: Place, runs: number): Promise<FairnessSample> {
  const idle = await waits(from, alone);
  const filled = await openFilled(flooded, FLOOD, () => []);
  await filled.fill(runs);
  await filled.ledger.close();
  const { waitsMs, runMs, done } = await waits(from, flooded);
  if (done >= runs) throw new Error("the flood was over too early");
  return {
    idleP99Ms: percentile(idle.waitsMs, 0.99),
    floodedP99Ms: percentile(waitsMs, 0.99),
    floodedMedianMs: median(waitsMs),
    runMs,
    floodDone: done,
  };
}

/** From `start` to the first step. */
async function waits(
  from: Source,
  place: Place,
): Promise<{ readonly waitsMs: readonly number[]; readonly runMs: number; readonly done: number }> {
  const lengthsMs: number[] = [];
  let began = Promise.withResolvers<number>();
  const operators = {
    probe: async () => {
      began.resolve(performance.now());
      return null;
    },
    work: async () => {
      const startedAt = performance.now();
      await sleep(RUN_MS);
      lengthsMs.push(performance.now() - startedAt);
      return null;
    },
  };
  const concurrency = { runs: IN_HAND, steps: IN_HAND };
  const { stepwell } = await openStepwell(place, from, { operators, concurrency, tenant: "quiet" });
  await stepwell.register({ name: "probe", steps: [{ uses: "probe" }] });
  void stepwell.open();
  const waitsMs: number[] = [];
  for (let start = -WARM_UP_STARTS; start < STARTS; start++) {
    await sleep(GAP_MS * (0.5 + Math.random()));
    began = Promise.withResolvers<number>();
    const startedAt = performance.now();
    const id = await stepwell.start("probe", null);
    const waitedMs = (await began.promise) - startedAt;
    if (start >= 0) waitsMs.push(waitedMs);
    await stepwell.result(id);
  }
  const done = lengthsMs.length;
  await stepwell.stop();
  return { waitsMs, runMs: done === 0 ? RUN_MS : median(lengthsMs), done };
}

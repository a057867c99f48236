import { setTimeout as sleep } from "node:timers/promises";
import type { Contestant, Place } from "./contestant.ts";
import { peakRssMb, startMeter, type Usage } from "./meter.ts";
import { median, percentile } from "./statistics.ts";
import { stepsOf, type WorkflowName } from "./workflows.ts";

/**
 * closed: so many callers, each starting a run when its last has ended. repeated: one run after the other, each timed.
 * paced: single runs with random gaps of up to `gapMs` between them, each timed.
 */
export type Load =
  | { readonly kind: "closed"; readonly workflow: WorkflowName; readonly concurrency: number; readonly seconds: number }
  | { readonly kind: "repeated"; readonly workflow: WorkflowName; readonly runs: number }
  | { readonly kind: "paced"; readonly workflow: WorkflowName; readonly runs: number; readonly gapMs: number };

/** What one child measured. */
export interface Sample {
  readonly runs: number;
  readonly runsPerSecond: number;
  readonly stepsPerSecond: number;
  readonly cpuMicrosPerStep: number;
  /** Of the runs that were timed one by one; null under a closed loop. */
  readonly medianMs: number | null;
  readonly p99Ms: number | null;
  readonly usage: Usage;
  readonly peakRssMb: number;
  /** Resident memory once a second. */
  readonly rssMb: readonly number[];
}

const RSS_EVERY_MS = 1_000;
const WARM_UP_RUNS = 200;
const WARM_UP_LONG_RUNS = 8;
const LONG_RUN_STEPS = 100;

/**
 * Warms up and carries out the load in the contestant that it was given, which is closed then.
 *
 * @throws Error when the contestant's ledger does not hold every run that it told to be complete
 */
export async function measure(contestant: Contestant, load: Load, place: Place): Promise<Sample> {
  const warmUpRuns = await warmUp(contestant, load);
  const rssMb: number[] = [];
  const sampler = setInterval(() => rssMb.push(process.memoryUsage.rss() / 2 ** 20), RSS_EVERY_MS);
  const stop = await startMeter(place);
  const { runs, timesMs } = await carryOut(contestant, load);
  const usage = await stop();
  clearInterval(sampler);
  const peak = peakRssMb();
  const stored = await contestant.close();
  if (stored !== runs + warmUpRuns) throw new Error(`${runs + warmUpRuns} runs were told to be complete, the ledger holds ${stored}`);
  const steps = runs * stepsOf(load.workflow);
  return {
    runs,
    runsPerSecond: runs / usage.seconds,
    stepsPerSecond: timesMs.length === 0 ? steps / usage.seconds : (stepsOf(load.workflow) * 1_000) / median(timesMs),
    cpuMicrosPerStep: (usage.cpuSeconds * 1e6) / steps,
    medianMs: timesMs.length === 0 ? null : median(timesMs),
    p99Ms: timesMs.length === 0 ? null : percentile(timesMs, 0.99),
    usage,
    peakRssMb: peak,
    rssMb,
  };
}

/** Resolves with the number of runs. */
async function warmUp(contestant: Contestant, load: Load): Promise<number> {
  if (load.kind === "closed") {
    return closedLoop(contestant, load.concurrency, Math.min(1.5, load.seconds));
  }
  const runs = stepsOf(load.workflow) >= LONG_RUN_STEPS ? WARM_UP_LONG_RUNS : WARM_UP_RUNS;
  for (let index = 0; index < runs; index++) await contestant.run();
  return runs;
}

async function carryOut(contestant: Contestant, load: Load): Promise<{ readonly runs: number; readonly timesMs: readonly number[] }> {
  if (load.kind === "closed") {
    return { runs: await closedLoop(contestant, load.concurrency, load.seconds), timesMs: [] };
  }
  const timesMs: number[] = [];
  for (let index = 0; index < load.runs; index++) {
    if (load.kind === "paced") await sleep(Math.random() * load.gapMs);
    const startedAt = performance.now();
    await contestant.run();
    timesMs.push(performance.now() - startedAt);
  }
  return { runs: load.runs, timesMs };
}

async function closedLoop(contestant: Contestant, callers: number, seconds: number): Promise<number> {
  const endsAt = performance.now() + seconds * 1_000;
  let runs = 0;
  const call = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await contestant.run();
      runs += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return runs;
}

import { z } from "zod";
import { inOwnFolder, medianResources, usageShape } from "./comparison.ts";
import type { Settings, WorkResult } from "./engine-works.ts";
import type { GrowthSample } from "./growth.ts";
import type { ItemsSample } from "./items.ts";
import { sourceOf } from "./ours.ts";
import type { Row, Target } from "./report.ts";
import { spreadOf } from "./statistics.ts";
import type { Times, WaitingSample } from "./waiting.ts";

const times: z.ZodType<Times> = z.object({ p50: z.number(), p99: z.number(), longest: z.number() });
const waitingSample: z.ZodType<WaitingSample> = z.object({
  runs: z.number(),
  insertedPerSecond: z.number(),
  waitingRssMb: z.number(),
  highestWaitingRssMb: z.number(),
  wokenPerSecond: z.number(),
  wakingRssMb: z.number(),
  startMs: times,
  getMs: times,
  parkedLateMs: times,
  shortLateMs: times,
  early: z.number(),
  signalledPerSecond: z.number(),
  usage: usageShape,
  peakRssMb: z.number(),
});
const itemsSample: z.ZodType<ItemsSample> = z.object({
  items: z.number(),
  itemsPerSecond: z.number(),
  usage: usageShape,
  peakRssMb: z.number(),
});
const growthSample: z.ZodType<GrowthSample> = z.object({
  scenario: z.string(),
  unit: z.string(),
  units: z.number(),
  smallMicros: z.number(),
  largeMicros: z.number(),
});

const ITEMS = 100_000;
/** A million runs take minutes; the figures of one repetition are already those of a million. */
const REPEATED_UP_TO_RUNS = 200_000;
const WAITING_REPETITIONS = 3;
/** Four times the size may cost half as much again per unit: trees grow deeper, memory is further away. */
const MAX_GROWTH = 1.5;

const atLeast = (value: number): Target => ({ of: "figure", bound: "at least", value });
const atMost = (value: number): Target => ({ of: "figure", bound: "at most", value });
const ALONE = { limit: null, ratio: null, ratioToRunning: null } as const;

/** Runs that wait: how fast they come, what they cost, how fast and how late they go on. */
export async function w7({ ours, repetitions, waitingRuns, progress }: Settings): Promise<WorkResult> {
  const count = waitingRuns > REPEATED_UP_TO_RUNS ? 1 : Math.min(repetitions, WAITING_REPETITIONS);
  const samples: WaitingSample[] = [];
  for (let repetition = 1; repetition <= count; repetition++) {
    progress(`W7, ${waitingRuns} runs, ${repetition} of ${count}`);
    samples.push(
      waitingSample.parse(await inOwnFolder((directory) => ({ kind: "waiting", from: sourceOf(ours), runs: waitingRuns, directory }))),
    );
  }
  const resources = medianResources(samples);
  const row = (work: string, unit: string, read: (sample: WaitingSample) => number, target: Target | null): Row => ({
    ...ALONE,
    work: `W7 ${work}`,
    unit,
    ours: spreadOf(samples.map(read)),
    target,
    resources,
  });
  return {
    rows: [
      row("inserted", "runs/s", (sample) => sample.insertedPerSecond, atLeast(15_000)),
      row("RSS while waiting", "MB", (sample) => sample.highestWaitingRssMb, atMost(250)),
      row("woken", "runs/s", (sample) => sample.wokenPerSecond, atLeast(5_000)),
      row("RSS while waking", "MB", (sample) => sample.wakingRssMb, null),
      row("start meanwhile p99", "ms", (sample) => sample.startMs.p99, null),
      row("get meanwhile p99", "ms", (sample) => sample.getMs.p99, null),
      row("parked timers late p99", "ms", (sample) => sample.parkedLateMs.p99, atMost(100)),
      row("short timers late p99", "ms", (sample) => sample.shortLateMs.p99, atMost(100)),
      row("early", "timers", (sample) => sample.early, atMost(0)),
      row("signalled", "runs/s", (sample) => sample.signalledPerSecond, null),
    ],
    details: samples,
  };
}

/** One run with a step for each of 100,000 items. */
export async function w8({ ours, repetitions, scale, progress }: Settings): Promise<WorkResult> {
  progress("W8");
  const items = ITEMS * scale;
  const samples: ItemsSample[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++)
    samples.push(itemsSample.parse(await inOwnFolder((directory) => ({ kind: "items", from: sourceOf(ours), items, directory }))));
  const resources = medianResources(samples.map((sample) => ({ ...sample, runs: sample.items })));
  const common = { ...ALONE, resources };
  return {
    rows: [
      { ...common, work: "W8", unit: "items/s", ours: spreadOf(samples.map((sample) => sample.itemsPerSecond)), target: atLeast(30_000) },
      { ...common, work: "W8 peak RSS", unit: "MB", ours: spreadOf(samples.map((sample) => sample.peakRssMb)), target: atMost(400) },
    ],
    details: samples,
  };
}

/** What one more costs in a case and in one four times its size. */
export async function growth({ ours, scale, progress }: Settings): Promise<WorkResult> {
  progress("growth");
  const answer = await inOwnFolder((directory) => ({ kind: "growth", from: sourceOf(ours), scale, directory }));
  const { samples } = z.object({ samples: z.array(growthSample) }).parse(answer);
  const rows = samples.flatMap(({ scenario, unit, units, smallMicros, largeMicros }): Row[] => [
    {
      ...ALONE,
      work: `growth: ${units} ${scenario}`,
      unit: `µs CPU/${unit}`,
      ours: spreadOf([largeMicros]),
      target: null,
      resources: null,
    },
    {
      ...ALONE,
      work: "  by four times the size",
      unit: "times",
      ours: spreadOf([largeMicros / smallMicros]),
      target: atMost(MAX_GROWTH),
      resources: null,
    },
  ]);
  return { rows, details: samples };
}

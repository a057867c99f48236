import { interleave, measureOnce, medianResources } from "./comparison.ts";
import type { ContestantName } from "./contestant.ts";
import type { Load, Sample } from "./loads.ts";
import type { Row, Target } from "./report.ts";
import { median, pairwise, spreadOf } from "./statistics.ts";

export interface Settings {
  /** The PostgreSQL server that ledgers are made on; null for SQLite files. */
  readonly server: string | null;
  readonly ours: Extract<ContestantName, "ours" | "ours-dist">;
  readonly repetitions: number;
  /** Of the closed loops, after their warm-up. */
  readonly seconds: number;
  /** How long the memory is watched. */
  readonly minutes: number;
  /** Runs that W7 has waiting. */
  readonly waitingRuns: number;
  /** Size of W8 and of the growth scenarios: 1 is what targets are set for. */
  readonly scale: number;
  /** Tells the person who waits what happens now. */
  readonly progress: (message: string) => void;
}

export interface WorkResult {
  readonly rows: readonly Row[];
  readonly details: unknown;
}

/** What is read from a sample. */
interface Figure {
  readonly work: string;
  readonly unit: string;
  readonly read: (sample: Sample) => number;
}

const atLeast = (value: number): Target => ({ of: "ratio", bound: "at least", value });
const figureAtMost = (value: number): Target => ({ of: "figure", bound: "at most", value });
const atMost = (value: number): Target => ({ of: "ratio", bound: "at most", value });

const CALLERS = [1, 32, 256, 1_024] as const;
/** By the name of a figure; what is not there is not promised. */
const TARGETS: Readonly<Record<"sqlite" | "postgres", Readonly<Record<string, Target>>>> = {
  sqlite: {
    "W1 c=1": atLeast(0.8),
    "W1 c=32": atLeast(0.55),
    "W1 c=256": atLeast(0.45),
    W2: atLeast(0.8),
    W3: atMost(2.5),
    "W4 p50": atMost(1.3),
    "W4 p99": atMost(2),
  },
  postgres: { "W1 c=1": atLeast(0.75), "W1 c=256": atLeast(0.4), "W4 p50": atMost(1.4) },
};
const PACED_RUNS = 500;
const PACED_GAP_MS = 10;
const LONG_RUNS = 7;
const MAX_MAPPING_MICROS = 8;
const MEMORY_CALLERS = 256;
const MAX_RSS_MB = 180;
const WARM_UP_SECONDS = 1;
/** Resident memory may differ by so much between the second quarter of the time and the last: a collector breathes. */
const FLAT_GROWTH_PERCENT = 5;

/** Closed loop of runs with three trivial steps in a row. */
export async function w1(settings: Settings): Promise<WorkResult> {
  const results: WorkResult[] = [];
  for (const concurrency of CALLERS) {
    const load: Load = { kind: "closed", workflow: "three", concurrency, seconds: settings.seconds };
    const work = `W1 c=${concurrency}`;
    results.push(await beside(settings, load, [{ work, unit: "runs/s", read: (sample) => sample.runsPerSecond }]));
  }
  return { rows: results.flatMap(({ rows }) => rows), details: results.map(({ details }) => details) };
}

/** One run of 1,000 steps in a row. */
export function w2(settings: Settings): Promise<WorkResult> {
  const load: Load = { kind: "repeated", workflow: "chain", runs: LONG_RUNS };
  return beside(settings, load, [{ work: "W2", unit: "steps/s", read: (sample) => sample.stepsPerSecond }]);
}

/** One run of 1,000 steps at once and a join. */
export function w3(settings: Settings): Promise<WorkResult> {
  const load: Load = { kind: "repeated", workflow: "fan", runs: LONG_RUNS };
  return beside(settings, load, [{ work: "W3", unit: "ms", read: (sample) => sample.medianMs ?? Number.NaN }]);
}

/** Runs of one step with idle time between them. */
export function w4(settings: Settings): Promise<WorkResult> {
  const load: Load = { kind: "paced", workflow: "one", runs: PACED_RUNS, gapMs: PACED_GAP_MS };
  return beside(settings, load, [
    { work: "W4 p50", unit: "ms", read: (sample) => sample.medianMs ?? Number.NaN },
    { work: "W4 p99", unit: "ms", read: (sample) => sample.p99Ms ?? Number.NaN },
  ]);
}

/** What mapping its input adds to a step: CPU time of W1 with expressions less that of W1, both with the same input. */
export async function w14(settings: Settings): Promise<WorkResult> {
  settings.progress("W14");
  const { ours: contestant, seconds } = settings;
  const load = { kind: "closed", concurrency: MEMORY_CALLERS, seconds } as const;
  const entries = (["mapped", "three"] as const).map((workflow) => ({ contestant, load: { ...load, workflow } }));
  const [mapped = [], plain = []] = await interleave(entries, settings.repetitions, settings.server);
  const row: Row = {
    work: "W14 added",
    unit: "µs CPU/step",
    ours: spreadOf(pairwise(micros(mapped), micros(plain), (left, right) => left - right)),
    limit: spreadOf(micros(plain)),
    ratio: null,
    ratioToRunning: null,
    target: figureAtMost(MAX_MAPPING_MICROS),
    resources: medianResources(mapped),
  };
  return { rows: [row], details: { mapped, plain } };
}

/** W1 with 256 callers for minutes, in a process that finds everything compiled: the most memory that it took, and whether it kept growing. */
export async function memory(settings: Settings): Promise<WorkResult> {
  settings.progress(`memory, ${settings.minutes} min`);
  const load: Load = { kind: "closed", workflow: "three", concurrency: MEMORY_CALLERS, seconds: settings.minutes * 60 };
  await measureOnce({ contestant: settings.ours, load: { ...load, seconds: WARM_UP_SECONDS } }, settings.server);
  const sample = await measureOnce({ contestant: settings.ours, load }, settings.server);
  const { rssMb } = sample;
  const quarter = (number: number): number =>
    median(rssMb.slice(Math.floor(((number - 1) * rssMb.length) / 4), Math.ceil((number * rssMb.length) / 4)));
  const growth = (quarter(4) / quarter(2) - 1) * 100;
  const common = { limit: null, ratio: null, ratioToRunning: null, resources: medianResources([sample]) };
  const duration = `${settings.minutes} min`;
  return {
    rows: [
      { ...common, work: "memory peak", unit: `MB in ${duration}`, ours: spreadOf([sample.peakRssMb]), target: figureAtMost(MAX_RSS_MB) },
      { ...common, work: "memory growth", unit: `% in ${duration}`, ours: spreadOf([growth]), target: figureAtMost(FLAT_GROWTH_PERCENT) },
    ],
    details: sample,
  };
}

function micros(samples: readonly Sample[]): number[] {
  return samples.map(({ cpuMicrosPerStep }) => cpuMicrosPerStep);
}

/** Ours beside both limits under one load. */
async function beside(settings: Settings, load: Load, figures: readonly Figure[]): Promise<WorkResult> {
  settings.progress(figures.map(({ work }) => work).join(", "));
  const entries = ([settings.ours, "limit", "limit-running"] as const).map((contestant) => ({ contestant, load }));
  const [ours = [], limit = [], running = []] = await interleave(entries, settings.repetitions, settings.server);
  const rows = figures.map(({ work, unit, read }): Row => {
    const ratioTo = (other: readonly Sample[]): number => median(pairwise(ours.map(read), other.map(read), (left, right) => left / right));
    return {
      work,
      unit,
      ours: spreadOf(ours.map(read)),
      limit: spreadOf(limit.map(read)),
      ratio: ratioTo(limit),
      ratioToRunning: ratioTo(running),
      target: TARGETS[settings.server === null ? "sqlite" : "postgres"][work] ?? null,
      resources: medianResources(ours),
    };
  });
  return { rows, details: { load, ours, limit, running } };
}

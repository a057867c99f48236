import { z } from "zod";
import type { Place } from "./contestant.ts";
import type { Settings, WorkResult } from "./engine-works.ts";
import type { FairnessSample } from "./fairness.ts";
import { sourceOf } from "./ours.ts";
import { inOwnPlace } from "./place.ts";
import { runJob } from "./processes.ts";
import type { Backlog, QueueSample } from "./queue.ts";
import type { Row, Target } from "./report.ts";
import { median, pairwise, spreadOf } from "./statistics.ts";

const queueSample: z.ZodType<QueueSample> = z.object({ small: z.array(z.number()), large: z.array(z.number()) });
const fairnessSample: z.ZodType<FairnessSample> = z.object({
  idleP99Ms: z.number(),
  floodedP99Ms: z.number(),
  floodedMedianMs: z.number(),
  runMs: z.number(),
  floodDone: z.number(),
});

const SMALL = 1_000;
const BACKLOGS: readonly Backlog[] = ["one key", "many keys", "no limit"];
/** Of the rate in a queue that is a hundred or a thousand times shorter. */
const MIN_RATIO = 0.8;
const MIN_FLOOD = 20_000;
const MAX_FLOOD = 100_000;
const MOST_FLOODS = 3;
const ALONE = { limit: null, ratio: null, ratioToRunning: null, target: null, resources: null } as const;
const MICROS = 1_000_000;

/** What admitting one run costs in a long queue and in a short one, and what a tenant waits beside one that has a long queue. */
export async function queue(settings: Settings): Promise<WorkResult> {
  const rows: Row[] = [];
  const details: object[] = [];
  for (const backlog of BACKLOGS) {
    settings.progress(`queue, ${settings.waitingRuns} runs, ${backlog}`);
    const sample = await inTwoPlaces(settings, async (places) => {
      const job = { kind: "queue", places, backlog, runs: [SMALL, settings.waitingRuns] } as const;
      return queueSample.parse(await runJob(job));
    });
    details.push({ backlog, ...sample });
    rows.push(...rowsOf(backlog, settings.waitingRuns, sample));
  }
  const fairness: FairnessSample[] = [];
  for (let repetition = 1; repetition <= Math.min(settings.repetitions, MOST_FLOODS); repetition++) {
    settings.progress(`queue, fairness, ${repetition}`);
    fairness.push(await flood(settings));
  }
  details.push(...fairness);
  return { rows: [...rows, ...fairnessRows(fairness)], details };
}

function flood(settings: Settings): Promise<FairnessSample> {
  const runs = Math.max(MIN_FLOOD, Math.min(MAX_FLOOD, settings.waitingRuns));
  return inTwoPlaces(settings, async ([alone, flooded]) => {
    const job = { kind: "fairness", from: sourceOf(settings.ours), alone, flooded, runs } as const;
    return fairnessSample.parse(await runJob(job));
  });
}

function inTwoPlaces<T>({ server }: Settings, work: (places: readonly [Place, Place]) => Promise<T>): Promise<T> {
  return inOwnPlace(server, (first) => inOwnPlace(server, (second) => work([first, second])));
}

function rowsOf(backlog: Backlog, runs: number, { small, large }: QueueSample): readonly Row[] {
  const rates = (micros: readonly number[]): readonly number[] => micros.map((each) => MICROS / each);
  const what = backlog === "no limit" ? "200 at once, no limit" : `one free slot, ${backlog}`;
  const target: Target = { of: "ratio", bound: "at least", value: MIN_RATIO };
  return [
    {
      ...ALONE,
      work: `queue of ${runs.toLocaleString("en-US")}: ${what}`,
      unit: "runs/s",
      ours: middleOf(rates(large)),
      limit: middleOf(rates(small)),
      ratio: median(pairwise(small, large, (short, long) => short / long)),
      target,
    },
    { ...ALONE, work: "  admitting one takes", unit: "µs/run", ours: middleOf(large), limit: middleOf(small) },
  ];
}

/** Of single calls, some of which meet a flush of somebody else: the middle half. */
function middleOf(values: readonly number[]): Row["ours"] {
  const sorted = values.toSorted((left, right) => left - right);
  const quarter = Math.floor(sorted.length / 4);
  return spreadOf(sorted.slice(quarter, sorted.length - quarter));
}

function fairnessRows(samples: readonly FairnessSample[]): readonly Row[] {
  const row = (work: string, read: (sample: FairnessSample) => number): Row => ({
    ...ALONE,
    work: `queue: ${work}`,
    unit: "ms",
    ours: spreadOf(samples.map(read)),
  });
  const most = median(samples.map(({ idleP99Ms, runMs }) => 2 * idleP99Ms + runMs));
  const target: Target = { of: "figure", bound: "at most", value: Math.ceil(most) };
  return [
    row("start to first step p99, alone", ({ idleP99Ms }) => idleP99Ms),
    row("the same beside a flood, p50", ({ floodedMedianMs }) => floodedMedianMs),
    { ...row("the same beside a flood, p99", ({ floodedP99Ms }) => floodedP99Ms), target },
    row("a run of the flood", ({ runMs }) => runMs),
  ];
}

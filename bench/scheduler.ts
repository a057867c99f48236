import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createTopology, decisionStep, type GraphShape, NO_DECISION, Scheduler, type Topology } from "../src/scheduler/index.ts";

/** One measurement of W6: the scheduler alone, without engine, ledger or names. */
export interface W6Row {
  readonly shape: string;
  readonly steps: number;
  readonly edges: number;
  /** Nanoseconds of processor time of a whole run, divided by its steps: the median, the fastest and the slowest repetition. */
  readonly nsPerStep: number;
  readonly fastest: number;
  readonly slowest: number;
  /** What PERFORMANCE allows for this many steps and edges: 40 ns a step and 8 an edge, 250 a step on a random million. */
  readonly limitNsPerStep: number;
  /** Bytes of the topology, shared by all runs of a version, and of one run that has begun on top of it, divided by the steps. */
  readonly topologyBytesPerStep: number;
  readonly runBytesPerStep: number;
}

/** Time and memory told apart by step and by edge: two random graphs with the same steps and different edges, solved for both. */
export interface W6Fit {
  readonly steps: number;
  readonly nsPerStep: number;
  readonly nsPerEdge: number;
  readonly bytesPerStep: number;
  readonly bytesPerEdge: number;
}

type Edges = readonly (readonly [from: number, to: number])[];

const SHAPES: Readonly<Record<string, (steps: number) => Edges>> = { chain, wide, layered, random: (steps) => random(steps, 2) };
const SIZES = [1_000, 10_000, 100_000, 1_000_000] as const;
/** Enough whole runs for a repetition to take a hundred ticks of a kernel that counts processor time in ticks of 4 ms. */
const STEPS_PER_REPETITION = 8_000_000;
const REPETITIONS = 7;

export function benchScheduler(): W6Row[] {
  warmUp();
  return SIZES.flatMap((steps) => Object.entries(SHAPES).map(([shape, edgesOf]) => measure(shape, steps, edgesOf(steps))));
}

export function fitScheduler(): W6Fit[] {
  warmUp();
  return SIZES.map((steps) => fit(measure("sparse", steps, random(steps, 1)), measure("dense", steps, random(steps, 6))));
}

/** Nanoseconds of processor time to create and begin a run of `steps` steps in a row, and to carry it out. */
export function benchCreation(steps: number): { readonly createNs: number; readonly runNs: number } {
  warmUp();
  const topology = topologyOf(steps, chain(steps));
  const rounds = Math.ceil(STEPS_PER_REPETITION / steps);
  const createNs = median(() => cpuNanoseconds(rounds, () => new Scheduler(topology).begin()) / rounds);
  const runNs = median(() => cpuNanoseconds(rounds, () => run(new Scheduler(topology))) / rounds);
  return { createNs: createNs.middle, runNs: runNs.middle };
}

function measure(shape: string, steps: number, edges: Edges): W6Row {
  const graph = shapeOf(steps, edges);
  const before = usedBytes();
  const topology = createTopology(graph);
  const topologyBytes = usedBytes() - before;
  const scheduler = new Scheduler(topology);
  scheduler.begin();
  const runBytes = usedBytes() - before - topologyBytes;
  run(scheduler, true);
  const rounds = Math.max(1, Math.floor(STEPS_PER_REPETITION / steps));
  const time = median(() => cpuNanoseconds(rounds, () => run(new Scheduler(topology))) / rounds / steps);
  return {
    shape,
    steps,
    edges: graph.edges.length,
    nsPerStep: time.middle,
    fastest: time.fastest,
    slowest: time.slowest,
    limitNsPerStep: steps > 100_000 && shape === "random" ? 250 : 40 + (8 * edges.length) / steps,
    topologyBytesPerStep: topologyBytes / steps,
    runBytesPerStep: runBytes / steps,
  };
}

function fit(sparse: W6Row, dense: W6Row): W6Fit {
  const { steps } = sparse;
  const slope = (sparseTotal: number, denseTotal: number) => ((denseTotal - sparseTotal) * steps) / (dense.edges - sparse.edges);
  const density = sparse.edges / steps;
  const nsPerEdge = slope(sparse.nsPerStep, dense.nsPerStep);
  const bytesPerEdge = slope(bytesOf(sparse), bytesOf(dense));
  return {
    steps,
    nsPerStep: sparse.nsPerStep - nsPerEdge * density,
    nsPerEdge,
    bytesPerStep: bytesOf(sparse) - bytesPerEdge * density,
    bytesPerEdge,
  };
}

function bytesOf({ topologyBytesPerStep, runBytesPerStep }: W6Row): number {
  return topologyBytesPerStep + runBytesPerStep;
}

/** Every ready step starts and succeeds in the order of the decisions. */
function run(scheduler: Scheduler, hasBegun = false): void {
  if (!hasBegun) scheduler.begin();
  for (let decision = scheduler.next(); decision !== NO_DECISION; decision = scheduler.next()) {
    const step = decisionStep(decision);
    scheduler.markRunning(step);
    scheduler.markSucceeded(step);
  }
  if (scheduler.outcome() !== "succeeded") throw new Error("the run did not complete");
}

function topologyOf(steps: number, edges: Edges): Topology {
  return createTopology(shapeOf(steps, edges));
}

function shapeOf(steps: number, edges: Edges): GraphShape {
  return {
    steps: Array.from({ length: steps }, () => ({ join: "some", onError: "fail" })),
    edges: edges.map(([from, to]) => ({ from, to, kind: "data", required: true })),
    onFailure: "isolate",
  };
}

function chain(steps: number): Edges {
  return Array.from({ length: steps - 1 }, (_, index) => [index, index + 1] as const);
}

/** One step, all others but the last after it, and a join. */
function wide(steps: number): Edges {
  return Array.from({ length: steps - 2 }, (_, index) => index + 1).flatMap((middle) => [
    [0, middle] as const,
    [middle, steps - 1] as const,
  ]);
}

/** Layers of a hundred; every step needs three of the layer before. */
function layered(steps: number): Edges {
  const width = 100;
  return Array.from({ length: steps - width }, (_, index) => index + width).flatMap((to) => {
    const start = Math.floor(to / width) * width - width;
    return [0, 1, 2].map((offset) => [start + ((to + offset * 37) % width), to] as const);
  });
}

/** Every step but the first needs up to `degree` different earlier ones, drawn by a fixed linear congruential generator. */
function random(steps: number, degree: number): Edges {
  let seed = 12_345;
  const draw = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  return Array.from({ length: steps - 1 }, (_, index) => index + 1).flatMap((to) => {
    const sources = new Set(Array.from({ length: degree }, () => draw(to)));
    return Array.from(sources, (from) => [from, to] as const);
  });
}

/** Small runs and every shape, so that what is measured is the steady state of a process that runs all sizes. */
function warmUp(): void {
  const topologies = [topologyOf(3, chain(3)), ...Object.values(SHAPES).map((edgesOf) => topologyOf(1_000, edgesOf(1_000)))];
  for (let round = 0; round < 300; round++) for (const topology of topologies) run(new Scheduler(topology));
}

/** What `rounds` calls take of this thread's processor time, which other programs do not add to. */
function cpuNanoseconds(rounds: number, call: () => void): number {
  const before = process.threadCpuUsage();
  for (let round = 0; round < rounds; round++) call();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) * 1_000;
}

function median(sample: () => number): { readonly middle: number; readonly fastest: number; readonly slowest: number } {
  const samples = Array.from({ length: REPETITIONS }, sample).toSorted((left, right) => left - right);
  const pick = (position: number) => samples[position] ?? Number.NaN;
  return { middle: pick(REPETITIONS >> 1), fastest: pick(0), slowest: pick(REPETITIONS - 1) };
}

setFlagsFromString("--expose-gc");

/** All of a graph and of a run stands in typed arrays; the few objects around them do not grow. Buffers are freed late: until nothing changes any more. */
function usedBytes(): number {
  let used = Number.POSITIVE_INFINITY;
  for (;;) {
    runInNewContext("gc(); gc()");
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers === used) return used;
    used = arrayBuffers;
  }
}

function rounded(value: unknown): number | string {
  return typeof value === "number" ? Number(value.toFixed(1)) : String(value);
}

function printTable(rows: readonly object[]): void {
  console.table(rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, rounded(value)]))));
}

if (import.meta.main) {
  printTable(benchScheduler());
  printTable(fitScheduler());
  printTable([3, 10, 100].map((steps) => ({ steps, ...benchCreation(steps) })));
}

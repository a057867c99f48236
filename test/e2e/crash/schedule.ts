import { SIDES } from "../../simulation/oracle/write-points.ts";
import { type Random, randomFrom } from "../seeded-random.ts";
import { type Crash, type CrashPoint, POINT_NAMES } from "./crash-points.ts";
import { STARTED } from "./workflows.ts";

export interface StartPlan {
  readonly workflow: string;
  readonly key: string;
  /** Put into the queue by another process, not started through the engine. */
  readonly isQueued: boolean;
}

/** What one engine after the other is to suffer. */
export interface EnginePlan {
  readonly crash: Crash | null;
  /** Told to stop in order after that many looks of the outside, with whatever is unfinished. */
  readonly stopAfter: number | null;
}

export interface Schedule {
  readonly seed: number;
  readonly starts: readonly StartPlan[];
  readonly engines: readonly EnginePlan[];
  /** Runs that an engine holds in memory at once. */
  readonly runs: number;
  /** How much of what people do goes past the engine, by a connection of their own: 0 to 1. */
  readonly outsideShare: number;
  /** How likely a signal is sent at a look although nobody waits for it yet: it meets the run at any moment, also as it parks. */
  readonly eagerness: number;
  /** Effects that are out reach the sink before the next commit is written: whoever called too early is seen by it. */
  readonly areCommitsSlow: boolean;
}

/** How often a life without crashes passes each side of each point, by `C12.before`. */
export type Passages = Readonly<Record<string, number>>;

/** Points that are passed once in the life of an engine, at its begin or its end. */
const AT_START: ReadonlySet<CrashPoint> = new Set(["C29", "C34"]);
const AT_STOP: ReadonlySet<CrashPoint> = new Set(["C35", "C36"]);
/** What an engine passes when it takes up what another one left. */
const IN_RECOVERY: readonly CrashPoint[] = ["C29", "C06", "C05", "C13", "C14", "C07", "C08", "C12"];
const MOST_CRASHES = 3;
const FEWEST_STARTS = 4;
/** One schedule in so many has a single run, which nothing but the ledger reminds the next engine of. */
const ALONE_IN = 10;
/** What most schedules have in common. */
const ORDINARY = { runs: 4, outsideShare: 0, eagerness: 0, areCommitsSlow: false } as const;

function startsOf(names: readonly string[], random: Random): readonly StartPlan[] {
  return names.map((workflow, index) => ({ workflow, key: `${workflow}-${index}`, isQueued: random() < 0.2 }));
}

/** A life without a crash, in which everything goes through the engine. */
export function undisturbed(seed: number, areCommitsSlow: boolean): Schedule {
  return { seed, starts: startsOf(STARTED, randomFrom(seed)), engines: [], ...ORDINARY, areCommitsSlow };
}

/** A crash for each of the first engines, among runs of every workflow. */
export function crashing(crashes: readonly Crash[], seed: number): Schedule {
  const random = randomFrom(seed);
  const starts = startsOf(shuffled(STARTED, random), random);
  return { seed, starts, engines: crashes.map((crash) => planFor(crash, random)), ...ORDINARY };
}

/** One run that only time wakes, in an engine without room for it while it waits: it parks, and the engine dies. */
function alone(seed: number): Schedule {
  const starts = [{ workflow: "sleeper", key: "sleeper-0", isQueued: false }];
  return { seed, starts, engines: [{ crash: { point: "C23", side: "after", nth: 1 }, stopAfter: null }], ...ORDINARY, runs: 1 };
}

/** A random point, side and occurrence, up to three crashes in a row, some of them while an engine recovers. */
export function randomSchedule(seed: number, passages: Passages): Schedule {
  if (seed % ALONE_IN === 0) return alone(seed);
  const random = randomFrom(seed);
  const names = shuffled(STARTED, random);
  const starts = startsOf(names.slice(0, between(random, FEWEST_STARTS, names.length)), random);
  const engines: EnginePlan[] = [];
  for (let crashes = between(random, 1, MOST_CRASHES); crashes > 0; crashes--) {
    const isRecovering = engines.length > 0 && random() < 0.5;
    engines.push(planFor(isRecovering ? recoveryCrash(random) : randomCrash(random, passages), random));
  }
  return {
    seed,
    starts,
    engines,
    runs: random() < 0.5 ? 4 : 100,
    outsideShare: oneOf([0, 0.5, 1], random),
    eagerness: oneOf([0, 0.1], random),
    areCommitsSlow: random() < 0.25,
  };
}

function planFor(crash: Crash, random: Random): EnginePlan {
  return { crash, stopAfter: AT_STOP.has(crash.point) ? between(random, 2, 20) : null };
}

function randomCrash(random: Random, passages: Passages): Crash {
  const point = oneOf(POINT_NAMES, random);
  const side = oneOf(SIDES, random);
  const most = AT_START.has(point) && point !== "C34" ? 1 : (passages[`${point}.${side}`] ?? 1);
  // half of the schedules have about half of the runs: most occurrences are to be there
  return { point, side, nth: between(random, 1, Math.max(1, Math.ceil(most * 0.6))) };
}

function recoveryCrash(random: Random): Crash {
  return { point: oneOf(IN_RECOVERY, random), side: oneOf(SIDES, random), nth: between(random, 1, 2) };
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((value) => ({ value, place: random() }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ value }) => value);
}

export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function oneOf<T>(list: readonly T[], random: Random): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new Error("nothing to choose from");
  return one;
}

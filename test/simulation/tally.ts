import { COMMIT_POINTS, type CommitPoint, pointNames } from "./oracle/commit-points.ts";
import { SIDES, type Side } from "./oracle/write-points.ts";
import type { Shrunk } from "./shrink.ts";
import type { SeedReport } from "./simulate.ts";
import type { StoreKind } from "./storage/store.ts";

/** A seed that showed something that must not be. */
export interface Failure {
  readonly seed: number;
  readonly ledger: StoreKind;
  readonly violations: readonly string[];
  readonly story: readonly string[];
  readonly points: readonly string[];
}

/** What a number of seeds add up to; plain data, so that workers can send it. */
export interface Tally {
  seeds: number;
  runs: number;
  steps: number;
  crashes: number;
  effects: number;
  suspensions: number;
  /** By commit point and side, as `C12.before`: processes that died there. */
  readonly hits: Record<string, number>;
  readonly failures: Failure[];
}

export function emptyTally(): Tally {
  return { seeds: 0, runs: 0, steps: 0, crashes: 0, effects: 0, suspensions: 0, hits: {}, failures: [] };
}

export function addReport(
  tally: Tally,
  { seed, ledger, violations, story, hits, runs, steps, crashes, effects, suspensions }: SeedReport,
): void {
  addTally(tally, {
    seeds: 1,
    runs,
    steps,
    crashes,
    effects,
    suspensions,
    hits: Object.fromEntries(hits),
    failures: violations.length === 0 ? [] : [{ seed, ledger, violations, story, points: [...hits.keys()] }],
  });
}

export function addTally(tally: Tally, other: Tally): void {
  tally.seeds += other.seeds;
  tally.runs += other.runs;
  tally.steps += other.steps;
  tally.crashes += other.crashes;
  tally.effects += other.effects;
  tally.suspensions += other.suspensions;
  for (const [point, more] of Object.entries(other.hits)) tally.hits[point] = (tally.hits[point] ?? 0) + more;
  tally.failures.push(...other.failures);
}

/** Points at whose side no process died. */
export function neverHit({ hits }: Tally): readonly string[] {
  return pointNames().flatMap((point) => SIDES.flatMap((side) => (count(hits, point, side) === 0 ? [`${point}.${side}`] : [])));
}

export function hitTable({ hits }: Tally): string {
  const lines = pointNames().map(
    (point) => `${point}  ${column(count(hits, point, "before"))} ${column(count(hits, point, "after"))}   ${COMMIT_POINTS[point]}`,
  );
  return ["point  before   after   deaths of a process at it", ...lines].join("\n");
}

function count(hits: Tally["hits"], point: CommitPoint, side: Side): number {
  return hits[`${point}.${side}`] ?? 0;
}

function column(value: number): string {
  return String(value).padStart(7);
}

/** What a person needs of a failed seed: what broke, where processes died, how it came, and how to see it again. */
export function failureText({ seed, ledger, violations, story, points }: Failure): string {
  return [
    `seed ${seed} (${ledger}) failed:`,
    ...violations.slice(0, 8).map((violation) => `  ${violation}`),
    `  commit points: ${points.join(" ")}`,
    ...story.slice(-16).map((line) => `  | ${line}`),
    `  again: npm run simulate -- --seed ${seed} --seeds 1 --ledger ${ledger} --trace`,
  ].join("\n");
}

const LAST_LINES = 12;

/** The shortest story that was found of a failure. */
export function shrunkText({ seed: { seed, ledger }, report: { pieces, violations, story }, from, tried }: Shrunk): string {
  return [
    `seed ${seed} (${ledger}) shrunk from ${from} pieces to ${pieces.length} in ${tried} worlds:`,
    `  ${violations[0]}`,
    `  made of: ${pieces.join("; ")}`,
    ...story.slice(-LAST_LINES).map((line) => `  | ${line}`),
    `  again: npm run simulate -- --seed ${seed} --seeds 1 --ledger ${ledger} --trace ${pieces.map((piece) => `--only "${piece}"`).join(" ")}`,
  ].join("\n");
}

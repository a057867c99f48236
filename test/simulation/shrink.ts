import { compileOnce } from "./compiled.ts";
import { type Seed, type SeedReport, simulate } from "./simulate.ts";

/** A failure without what it does not need. */
export interface Shrunk {
  readonly seed: Seed;
  readonly report: SeedReport;
  /** Pieces of the whole world. */
  readonly from: number;
  /** Worlds that were tried. */
  readonly tried: number;
}

const MOST_TRIES = 400;

/**
 * Leaves out halves of what a failed seed is made of, then quarters, down to single pieces, for as long as the same promise is broken
 * (delta debugging).
 */
export async function shrink(seed: Seed): Promise<Shrunk> {
  const compile = compileOnce();
  let report = await simulate(seed, { compile });
  const from = report.pieces.length;
  const promise = brokenIn(report);
  let tried = 0;
  for (let size = Math.ceil(from / 2); size >= 1 && promise !== undefined; ) {
    const before = report.pieces.length;
    for (let at = 0; at < report.pieces.length && tried < MOST_TRIES; tried++) {
      const only = report.pieces.toSpliced(at, size);
      const smaller = await simulate({ ...seed, only }, { compile });
      if (brokenIn(smaller) === promise) report = smaller;
      else at += size;
    }
    if (tried >= MOST_TRIES || (size === 1 && report.pieces.length === before)) break;
    size = Math.ceil(size / 2);
  }
  return { seed: { ...seed, only: report.pieces }, report, from, tried };
}

/** The first promise that a world broke. */
function brokenIn({ violations: [first] }: SeedReport): string | undefined {
  return first?.split(":")[0];
}

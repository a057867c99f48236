/** Of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** The value below which the share `part` (0 to 1) of the values lies; NaN when there are none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted.length >> 1;
  const middle = sorted.slice(sorted.length % 2 === 0 ? upper - 1 : upper, upper + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

/** Pairs measured right after each other stand for the same minute of the machine; what is left over has no partner. */
export function pairwise(left: readonly number[], right: readonly number[], combine: (left: number, right: number) => number): number[] {
  return left.slice(0, right.length).map((value, index) => combine(value, right[index] ?? Number.NaN));
}

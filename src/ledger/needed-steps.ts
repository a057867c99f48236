import type { RunRow, StepRow } from "./rows.ts";

/** Of a loop's rounds only the last one drives it on: it is open, or its row holds what the next one needs. Rows come by ordinal. */
export function withoutPastRounds(steps: readonly StepRow[]): readonly StepRow[] {
  const last = new Map<number | null, StepRow>();
  for (const step of steps) if (step.kind === "round") last.set(step.parent, step);
  return last.size === 0 ? steps : steps.filter((step) => step.kind !== "round" || last.get(step.parent) === step);
}

/**
 * The run with the revision of its last unit, from the rows that are loaded: what is left out settled no later than its scope, and
 * an attempt is written with its step.
 *
 * @param run as its row is
 */
export function withRevision(run: RunRow, steps: readonly StepRow[], lastEvent: number | null): RunRow {
  let revision = Math.max(run.revision, lastEvent ?? 0);
  for (const step of steps) if (step.revision > revision) revision = step.revision;
  return revision === run.revision ? run : { ...run, revision };
}

import type { StepReason } from "../../../src/model/status.ts";
import type { Expected, Passed } from "./construct.ts";

export type JoinTerm = "some" | "all" | "settled";

/**
 * The join table of docs/reference/scheduling.md, for data edges: undefined when the step may start.
 *
 * @param requires whether the step refers to what it needs, so that it cannot do without it
 */
export function refused(join: JoinTerm, before: readonly Passed[], requires: boolean): Expected | undefined {
  if (join === "settled") return undefined;
  const counts = before.map((passed) => passed.counts);
  if (counts.includes("F")) return notRun("CANCELLED", "needs_failed");
  const skips = join === "all" || requires ? counts.includes("K") : counts.length > 0 && !counts.includes("S");
  return skips ? notRun("SKIPPED", "needs_skipped") : undefined;
}

export function notRun(status: "CANCELLED" | "SKIPPED", reason: StepReason): Expected {
  return { status, reason, output: null, calls: false, failures: 0 };
}

/** What a step that ended so counts for those that need it. */
export function passedBy(id: string, { status, output }: Expected, continues: boolean): Passed {
  const counts = status === "SUCCEEDED" || (status === "FAILED" && continues) ? "S" : status === "SKIPPED" ? "K" : "F";
  return { id, counts, output };
}

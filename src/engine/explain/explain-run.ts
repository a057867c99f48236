import { isTerminalRun } from "../../model/status.ts";
import type { RunExplanation } from "./explanation.ts";
import { sentenceOf, sentenceOfRun } from "./sentences.ts";
import { type RunStanding, StandingIndex } from "./standing.ts";
import { waitsForOf } from "./waits-for.ts";

/** More steps than anybody reads; the others are counted. */
export const EXPLAINED_STEPS = 1_000;

/** Says of every unfinished step what it waits for, from stored rows alone. */
export function explainRun(standing: RunStanding): RunExplanation {
  const { run, graph, now } = standing;
  const { publicId: id, workflow, status, reason, pausedBy } = run;
  const index = new StandingIndex(standing);
  const open = isTerminalRun(status) ? [] : [...index.unfinished(graph, 0, ""), ...index.undoing(graph)];
  const steps = open.slice(0, EXPLAINED_STEPS).map((unfinished) => {
    const waitsFor = waitsForOf(standing, index, unfinished);
    const { path: step, row } = unfinished;
    return { step, status: row?.status ?? "PENDING", waitsFor, says: sentenceOf(waitsFor, now) } as const;
  });
  return { id, workflow, status, reason, pausedBy, says: sentenceOfRun(run, open.length, now), steps, more: open.length - steps.length };
}

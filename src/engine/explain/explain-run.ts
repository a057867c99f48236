import type { RunRow } from "../../ledger/rows.ts";
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
  if (isTerminalRun(run.status)) return explainEnd(run);
  const index = new StandingIndex(standing);
  const open = [...index.unfinished(graph, 0, ""), ...index.undoing(graph)];
  const steps = open.slice(0, EXPLAINED_STEPS).map((unfinished) => {
    const waitsFor = waitsForOf(standing, index, unfinished);
    const { path: step, row } = unfinished;
    return { step, status: row?.status ?? "PENDING", waitsFor, says: sentenceOf(waitsFor, now) } as const;
  });
  return { ...headOf(run), says: sentenceOfRun(run, open.length, now), steps, more: open.length - steps.length };
}

/** Nothing of a run that has ended waits: its row alone says how it stands. */
export function explainEnd(run: RunRow): RunExplanation {
  return { ...headOf(run), says: sentenceOfRun(run, 0, run.finishedAt ?? 0), steps: [], more: 0 };
}

function headOf({ publicId: id, workflow, status, reason, pausedBy }: RunRow) {
  return { id, workflow, status, reason, pausedBy };
}

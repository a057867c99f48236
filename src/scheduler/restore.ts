import { InvariantViolation } from "../model/errors.ts";
import type { StepStatus } from "../model/status.ts";
import { at } from "./at.ts";
import { select } from "./on/succeeded.ts";
import { begin, release } from "./propagate.ts";
import { errorContinues, joinsSettled } from "./row.ts";
import { type Ending, enter, type RunState, refuse } from "./state.ts";
import { sweepAll } from "./sweep.ts";
import { hasUnsettledEdges, isPending, isSettled, PHASE, type Phase, phaseIn } from "./word.ts";

/** What the ledger holds of a step; a step without a row is PENDING. */
export interface RestoredStep {
  readonly ordinal: number;
  readonly status: Exclude<StepStatus, "PENDING">;
  /** Ordinals that a switch selected. */
  readonly selected: readonly number[] | null;
}

const PHASE_OF: Readonly<Record<RestoredStep["status"], Phase>> = {
  RUNNING: PHASE.running,
  SUSPENDED: PHASE.suspended,
  SUCCEEDED: PHASE.succeeded,
  FAILED: PHASE.failed,
  SKIPPED: PHASE.skipped,
  CANCELLED: PHASE.cancelled,
};

/** Every status is in place before anything is concluded from it, so the order of the rows does not matter. */
export function restoreInto(state: RunState, rows: readonly RestoredStep[], ending: Ending | null): void {
  state.ending = ending;
  for (const row of rows) place(state, row);
  for (const { ordinal, selected } of rows) {
    if (selected !== null) select(state, ordinal, selected);
    if (isSettled(at(state.words, ordinal))) release(state, ordinal);
  }
  refuseEarlyStarts(state);
  sweepAll(state);
  begin(state);
}

function place(state: RunState, { ordinal, status }: RestoredStep): void {
  if (!isPending(at(state.words, ordinal))) refuse(state, ordinal, `restored as ${status}`);
  enter(state, ordinal, PHASE_OF[status]);
  if (status === "RUNNING" || status === "SUSPENDED") state.open += 1;
  else state.settled += 1;
  if (status === "RUNNING") state.running += 1;
  if (status === "FAILED" && !errorContinues(at(state.topology.rows, ordinal))) state.failed = true;
}

/**
 * A step that still waits for something cannot have started; rows that say so are damaged. A clean-up step may have: it ran because the
 * run failed, and the run was opened again.
 */
function refuseEarlyStarts(state: RunState): void {
  for (let step = 0; step < state.topology.stepCount; step++) {
    const word = at(state.words, step);
    if (joinsSettled(at(state.topology.rows, step))) continue;
    if (hasUnsettledEdges(word) && phaseIn(word) !== PHASE.pending && phaseIn(word) < PHASE.skipped) {
      throw new InvariantViolation(`step ${step} cannot be restored: it started before what it waits for had settled`);
    }
  }
}

import { at } from "./at.ts";
import { DECIDED, type Decided, phaseDecided } from "./decision.ts";
import { joinsSettled } from "./row.ts";
import { close, type Ending, isStopping, log, type RunState } from "./state.ts";
import { isRunning, isSettled, isSuspended } from "./word.ts";

/** What ends the steps of a run that is stopped by a failure or ended from outside. Running steps are left to the engine. */
interface Sweep {
  /** For steps that have not started. */
  readonly waiting: Decided;
  readonly suspended: Decided;
  readonly sparesCleanUp: boolean;
}

const SWEEPS: Readonly<Record<"failure" | Ending, Sweep>> = {
  failure: { waiting: DECIDED.cancelledByFailure, suspended: DECIDED.cancelledByFailure, sparesCleanUp: true },
  cancel: { waiting: DECIDED.skippedByCancel, suspended: DECIDED.cancelledByCancel, sparesCleanUp: false },
  timeout: { waiting: DECIDED.cancelledByTimeout, suspended: DECIDED.cancelledByTimeout, sparesCleanUp: false },
  stop: { waiting: DECIDED.cancelledByFailure, suspended: DECIDED.cancelledByFailure, sparesCleanUp: false },
};

/** What the run's own state says about steps that do not run: null while it simply goes on. */
function sweepOf(state: RunState): Sweep | null {
  if (state.ending !== null) return SWEEPS[state.ending];
  return isStopping(state) ? SWEEPS.failure : null;
}

/** Ends every step that the run's state no longer lets start. O(steps); called when that state changes. */
export function sweepAll(state: RunState): void {
  const sweep = sweepOf(state);
  if (sweep === null) return;
  for (let step = 0; step < state.topology.stepCount; step++) sweepStep(state, step, sweep);
}

/** The same for one step, which has just been suspended. */
export function sweepOne(state: RunState, step: number): void {
  const sweep = sweepOf(state);
  if (sweep !== null) sweepStep(state, step, sweep);
}

function sweepStep(state: RunState, step: number, sweep: Sweep): void {
  const word = at(state.words, step);
  if (isRunning(word) || isSettled(word)) return;
  if (sweep.sparesCleanUp && joinsSettled(at(state.topology.rows, step))) return;
  const decided = isSuspended(word) ? sweep.suspended : sweep.waiting;
  close(state, step, phaseDecided(decided));
  log(state, step, decided);
}

import { at } from "../at.ts";
import { spread } from "../propagate.ts";
import { enter, type RunState, refuse } from "../state.ts";
import { sweepOne } from "../sweep.ts";
import { isRunning, PHASE } from "../word.ts";

/** In a run that is stopping or ending nothing waits any more: the step is cancelled at once. */
export function onSuspended(state: RunState, step: number): void {
  if (!isRunning(at(state.words, step))) refuse(state, step, "SUSPENDED");
  const first = state.written;
  enter(state, step, PHASE.suspended);
  state.running -= 1;
  sweepOne(state, step);
  spread(state, first);
}

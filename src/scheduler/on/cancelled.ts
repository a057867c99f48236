import { InvariantViolation } from "../../model/errors.ts";
import { at } from "../at.ts";
import { settle } from "../propagate.ts";
import { isStopping, type RunState, refuse } from "../state.ts";
import { isRunning, PHASE } from "../word.ts";

export function onCancelled(state: RunState, step: number): void {
  if (!isRunning(at(state.words, step))) refuse(state, step, "CANCELLED");
  if (state.ending === null && !isStopping(state)) throw new InvariantViolation(`step ${step} cannot be CANCELLED: its run goes on`);
  settle(state, step, PHASE.cancelled);
}

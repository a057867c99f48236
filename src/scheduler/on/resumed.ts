import { at } from "../at.ts";
import { enter, type RunState, refuse } from "../state.ts";
import { isSuspended, PHASE } from "../word.ts";

export function onResumed(state: RunState, step: number): void {
  if (!isSuspended(at(state.words, step))) refuse(state, step, "resumed");
  enter(state, step, PHASE.running);
  state.running += 1;
}

import { at } from "../at.ts";
import { enter, type RunState, refuse } from "../state.ts";
import { isReady, PHASE } from "../word.ts";

export function onRunning(state: RunState, step: number): void {
  if (!isReady(at(state.words, step))) refuse(state, step, "started");
  enter(state, step, PHASE.running);
  state.running += 1;
}

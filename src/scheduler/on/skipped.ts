import { at } from "../at.ts";
import { settle } from "../propagate.ts";
import { type RunState, refuse } from "../state.ts";
import { isReady, PHASE } from "../word.ts";

export function onSkipped(state: RunState, step: number): void {
  if (!isReady(at(state.words, step))) refuse(state, step, "SKIPPED");
  settle(state, step, PHASE.skipped);
}

import { InvariantViolation } from "../../model/errors.ts";
import { at } from "../at.ts";
import { withSelection } from "../join.ts";
import { settle } from "../propagate.ts";
import { type RunState, refuse } from "../state.ts";
import { leadsTo } from "../topology.ts";
import { isOpen, PHASE } from "../word.ts";

export function onSucceeded(state: RunState, step: number, selected: readonly number[] | undefined): void {
  if (!isOpen(at(state.words, step))) refuse(state, step, "SUCCEEDED");
  if (selected !== undefined) select(state, step, selected);
  settle(state, step, PHASE.succeeded);
}

/** Marks what a switch selected, before it settles and its targets are decided. */
export function select(state: RunState, step: number, selected: readonly number[]): void {
  for (const target of selected) {
    if (!leadsTo(state.topology, step, target)) throw new InvariantViolation(`step ${step} has no switch target ${target}`);
  }
  for (const target of selected) state.words[target] = withSelection(at(state.words, target));
}

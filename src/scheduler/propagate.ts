import { InvariantViolation } from "../model/errors.ts";
import { at } from "./at.ts";
import { decisionStep, isReadyDecision, phaseDecided } from "./decision.ts";
import { edgeKind, edgeTarget } from "./edge.ts";
import { broughtOver, judge, whatItBrings } from "./join.ts";
import { firstEdgeIn } from "./row.ts";
import { close, log, type RunState } from "./state.ts";
import { isDue, isReady, type Phase, withEdgeSettled, withPhase } from "./word.ts";

export function begin(state: RunState): void {
  if (state.begun) throw new InvariantViolation("the run has already begun");
  state.begun = true;
  decideDue(state);
  spread(state, 0);
}

/** Decides, in declaration order, every step that waits for nothing. */
function decideDue(state: RunState): void {
  for (let step = 0; step < state.topology.stepCount; step++) {
    const word = at(state.words, step);
    if (isDue(word)) decide(state, step, word);
  }
}

/** Settles a step by a fact and decides everything that follows from it. */
export function settle(state: RunState, step: number, phase: Phase): void {
  const first = state.written;
  close(state, step, phase);
  release(state, step);
  spread(state, first);
}

/** Releases what was settled by decisions from `first` on. The log is the queue, so a chain of skips needs no stack. */
export function spread(state: RunState, first: number): void {
  for (let next = first; next < state.written; next++) {
    const decision = at(state.log, next);
    if (!isReadyDecision(decision)) release(state, decisionStep(decision));
  }
}

/** Tells every dependant of a settled step and, once the run has begun, decides those for which it was the last. */
export function release(state: RunState, step: number): void {
  const { words, topology, begun } = state;
  const { edges, rows } = topology;
  const row = at(rows, step);
  const end = firstEdgeIn(at(rows, step + 1));
  const brings = whatItBrings(at(words, step), row);
  for (let position = firstEdgeIn(row); position < end; position++) {
    const edge = at(edges, position);
    const target = edgeTarget(edge);
    const word = withEdgeSettled(at(words, target), broughtOver(edgeKind(edge), brings));
    words[target] = word;
    if (isDue(word) && begun) decide(state, target, word);
  }
}

/** Decides a step that is due. */
function decide(state: RunState, step: number, word: number): void {
  const decided = judge(word, at(state.topology.rows, step));
  const after = withPhase(word, phaseDecided(decided));
  state.words[step] = after;
  if (isReady(after)) state.open += 1;
  else state.settled += 1;
  log(state, step, decided);
}

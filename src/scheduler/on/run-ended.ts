import { spread } from "../propagate.ts";
import type { Ending, RunState } from "../state.ts";
import { sweepAll } from "../sweep.ts";

/** Cancelled twice is cancelled once, and a cancel outranks a timeout, never the other way round. */
export function onRunEnded(state: RunState, ending: Ending): void {
  const isFirst = state.ending === null;
  if (isFirst || ending === "cancel") state.ending = ending;
  if (!isFirst) return;
  const first = state.written;
  sweepAll(state);
  spread(state, first);
}

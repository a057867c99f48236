import { at } from "../at.ts";
import { release, settle, spread } from "../propagate.ts";
import { errorContinues, errorSkips } from "../row.ts";
import { close, type RunState, refuse } from "../state.ts";
import { sweepAll } from "../sweep.ts";
import { isOpen, PHASE } from "../word.ts";

export function onFailed(state: RunState, step: number): "FAILED" | "SKIPPED" {
  if (!isOpen(at(state.words, step))) refuse(state, step, "FAILED");
  const row = at(state.topology.rows, step);
  if (errorSkips(row)) {
    settle(state, step, PHASE.skipped);
    return "SKIPPED";
  }
  if (errorContinues(row)) settle(state, step, PHASE.failed);
  else failRun(state, step);
  return "FAILED";
}

/** The sweep comes before anything is released: what stops is stopped by the run's failure, whatever its own edges say. */
function failRun(state: RunState, step: number): void {
  const first = state.written;
  const isFirst = !state.failed;
  state.failed = true;
  close(state, step, PHASE.failed);
  if (isFirst) sweepAll(state);
  release(state, step);
  spread(state, first);
}

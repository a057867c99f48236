import { Suspension } from "../operators/suspension.ts";
import type { AttemptOutcome } from "./attempt.ts";
import type { LiveSteps } from "./live-steps.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { StepOutcome } from "./run-journal.ts";
import { cancelStep, checkedOutput, retryOrFail, succeedStep } from "./settle-step.ts";
import type { StepState } from "./step-state.ts";
import { suspendStep } from "./suspend-step.ts";
import { prepareSuspension } from "./suspension-writes.ts";

/** What the run is told of an attempt that ended: its checked output, what it waits for, or the error that ended it. Never throws. */
export function outcomeOf(steps: LiveSteps, state: StepState, ended: AttemptOutcome): MaybePromise<StepOutcome> {
  if (ended.outcome === "failed") return ended;
  if (ended.outcome === "committed") return ended.result;
  return ended.value instanceof Suspension ? prepareSuspension(steps.core, state, ended.value) : checkedOutput(steps, state, ended.value);
}

/** Records how a step's attempt ended. */
export function tellOutcome(steps: LiveSteps, state: StepState, outcome: StepOutcome): void {
  state.running = null;
  steps.releaseSlot(state);
  if (outcome.outcome === "succeeded") {
    succeedStep(steps, state, outcome, null, null);
  } else if (state.scope.isEnded) {
    cancelStep(steps, state, outcome.outcome === "failed" ? outcome.error : null);
  } else if (outcome.outcome === "suspended") {
    suspendStep(steps, state, outcome);
  } else {
    state.failures += 1;
    retryOrFail(steps, state, outcome.error);
  }
  steps.touch(state.scope);
}

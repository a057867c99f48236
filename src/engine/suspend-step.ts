import { type RecordedError, StepwellError } from "../model/errors.ts";
import type { LiveSteps } from "./live-steps.ts";
import { recordError } from "./recorded-error.ts";
import type { CheckedOutcome, Suspended } from "./run-journal.ts";
import { checkedOutput, failStep, retryOrFail, succeedStep } from "./settle-step.ts";
import type { StepState } from "./step-state.ts";
import { type WakeUp, wakeUpOf } from "./wakes.ts";

/** An operator returned "not yet": state, wait and whatever the wait needs are one commit. What has come before it is used at once. */
export function suspendStep(steps: LiveSteps, state: StepState, outcome: Suspended): void {
  const { scope, step } = state;
  scope.scheduler.markSuspended(step.ordinal);
  // in a scope that stops nothing waits any more: the decision that follows settles the step
  if (scope.scheduler.statusOf(step.ordinal) !== "SUSPENDED") return;
  state.woken = null;
  steps.recorder.suspended(state, outcome);
  wakeIfCome(steps, state);
}

/** Ends the wait of a step if what it waits for is there, or its time is over. */
export function wakeIfCome(steps: LiveSteps, state: StepState): void {
  const wait = steps.recorder.waits.get(state.ordinal);
  if (wait === undefined || steps.isQuiet || state.isRunning) return;
  const wakeUp = wakeUpOf(wait, state.ordinal, steps.inbox, steps.core.host.ledgerNow());
  if (wakeUp !== undefined) wake(steps, state, wakeUp, wait.detail.onTimeout ?? "fail");
}

function wake(steps: LiveSteps, state: StepState, wakeUp: WakeUp, onTimeout: "fail" | "continue"): void {
  const { kind, key, result, rows } = wakeUp;
  const { resume } = steps.core.host.operators.get(state.step.uses ?? "") ?? {};
  for (const row of rows) {
    steps.inbox.take(row);
    steps.recorder.used(row, state.path);
  }
  if (!result.ok) {
    failWait(steps, state, result.error, true);
  } else if (resume !== undefined && resume !== null) {
    const partial = steps.recorder.waits.get(state.ordinal)?.detail.partial ?? null;
    state.woken = { kind, key, payload: result.payload, partial };
    steps.recorder.woken(state, state.woken, rows.length > 0);
    resumeStep(steps, state);
  } else if (kind === "timeout" && onTimeout === "fail") {
    failWait(steps, state, timedOut(state, wakeUp), false);
  } else {
    const outcome = checkedOutput(steps, state, result.payload);
    steps.recorder.endWait(state.ordinal, kind !== "timeout");
    const tell = (checked: CheckedOutcome): void => {
      if (!steps.active.has(state.ordinal)) return;
      if (checked.outcome === "succeeded") succeedStep(steps, state, checked, null, null);
      else failStep(steps, state.scope, state.step, state, checked.error);
    };
    if (outcome instanceof Promise) steps.evaluate(outcome, tell);
    else tell(outcome);
  }
  steps.touch(state.scope);
}

/** @param used what was waited for has come, and it is a failure */
function failWait(steps: LiveSteps, state: StepState, error: RecordedError, used: boolean): void {
  steps.recorder.endWait(state.ordinal, used);
  state.failures += 1;
  retryOrFail(steps, state, error);
}

/** The wake is kept with the step until its operator has used it, so that a crash in between calls `resume` again. */
export function resumeStep(steps: LiveSteps, state: StepState): void {
  const { scope, step } = state;
  steps.whenSlotFree(
    () => steps.active.get(state.ordinal) === state && scope.scheduler.statusOf(step.ordinal) === "SUSPENDED",
    () => {
      scope.scheduler.markResumed(step.ordinal);
      state.holdsSlot = true;
      steps.recorder.resumed(state);
    },
  );
}

function timedOut({ path }: StepState, { key }: WakeUp): RecordedError {
  const what = key === null ? "what it waits for" : `"${key}"`;
  return recordError(new StepwellError("WAIT_TIMEOUT", `step "${path}" waited for ${what} until its deadline`));
}

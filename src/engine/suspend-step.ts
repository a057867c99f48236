import { type RecordedError, StepwellError } from "../model/errors.ts";
import { Suspension } from "../operators/suspension.ts";
import type { LiveSteps } from "./live-steps.ts";
import { recordError } from "./recorded-error.ts";
import type { Suspended } from "./run-journal.ts";
import { failStep, retryOrFail, settleWith } from "./settle-step.ts";
import type { StepState } from "./step-state.ts";
import { type WaitDetail, wokenOf } from "./step-wait.ts";
import type { WaitEnd } from "./suspension-writes.ts";
import { type WakeUp, wakeUpOf } from "./wakes.ts";

/** An operator returned "not yet": state, wait and whatever the wait needs are one commit. What has come before it is used at once. */
export function suspendStep(steps: LiveSteps, state: StepState, outcome: Suspended): void {
  const { scope, step } = state;
  scope.scheduler.markSuspended(step.ordinal);
  // in a scope that stops nothing waits any more: the decision that follows settles the step
  if (scope.scheduler.statusOf(step.ordinal) !== "SUSPENDED") return;
  state.woken = null;
  steps.recorder.suspended(state, outcome);
  wakeIfCome(steps, state, NOT_YET);
}

/** `delivery: confirm`: only a person can know whether the attempt that a crash took had its effect. */
export function askAfterCrash(steps: LiveSteps, state: StepState): void {
  const { path, attempt } = state;
  const task = {
    type: "approval",
    title: `Run step "${path}" again?`,
    description: `A crash took attempt ${attempt} of step "${path}", and nobody knows whether it had its effect. Approve to run it again; reject to fail it.`,
    form: null,
    assignees: [],
    groups: [],
    onReject: "fail",
  } as const;
  const suspension = new Suspension({ kind: "task", task });
  steps.recorder.suspended(state, { outcome: "suspended", suspension, partial: null, child: null }, { confirms: true, ...wokenOf(state) });
}

/** What a step that must not, or may not, start twice fails with after a crash. */
export function outcomeUnknown({ path, attempt }: StepState): RecordedError {
  return recordError(new StepwellError("OUTCOME_UNKNOWN", `a crash hid whether attempt ${attempt} of step "${path}" took effect`));
}

/** Before every due time: whether one has passed is not asked. */
const NOT_YET = Number.NEGATIVE_INFINITY;

/**
 * Ends the wait of a step if what it waits for is there, or its time is over.
 *
 * @param now a time that the ledger has told: what this process thinks of the ledger's clock may be ahead of it
 */
export function wakeIfCome(steps: LiveSteps, state: StepState, now: number): void {
  const wait = steps.recorder.waits.get(state.ordinal);
  if (wait === undefined || steps.isQuiet || state.isRunning) return;
  // what ended it already, a cancel for example, is decided and not yet followed
  if (state.scope.scheduler.statusOf(state.step.ordinal) !== "SUSPENDED") return;
  const wakeUp = wakeUpOf(wait, state.ordinal, steps.inbox, now);
  if (wakeUp !== undefined) wake(steps, state, wakeUp, wait.detail);
}

function wake(steps: LiveSteps, state: StepState, wakeUp: WakeUp, { onTimeout = "fail", confirms }: WaitDetail): void {
  const { kind, key, result, rows } = wakeUp;
  const { resume } = steps.core.host.operators.get(state.step.uses ?? "") ?? {};
  for (const row of rows) {
    steps.inbox.take(row);
    steps.recorder.used(row, state.path);
  }
  if (confirms === true) {
    if (result.ok && kind === "task") steps.recorder.confirmed(state);
    else {
      steps.recorder.endWait(state.ordinal, "used");
      failStep(steps, state.scope, state.step, state, outcomeUnknown(state));
    }
  } else if (!result.ok) {
    failWait(steps, state, result.error, "used");
  } else if (resume !== undefined && resume !== null) {
    const partial = steps.recorder.waits.get(state.ordinal)?.detail.partial ?? null;
    state.woken = { kind, key, payload: result.payload, partial };
    steps.recorder.woken(state, state.woken, kind === "timeout" ? "expired" : "used");
    resumeStep(steps, state);
  } else if (kind === "timeout" && onTimeout === "fail") {
    failWait(steps, state, timedOut(state, wakeUp), "expired");
  } else {
    steps.recorder.endWait(state.ordinal, kind === "timeout" ? "expired" : "used");
    settleWith(steps, state, result.payload, null);
  }
  steps.touch(state.scope);
}

/** What was waited for has come and is a failure, or has not come in time. */
function failWait(steps: LiveSteps, state: StepState, error: RecordedError, end: WaitEnd): void {
  steps.recorder.endWait(state.ordinal, end);
  state.failures += 1;
  retryOrFail(steps, state, error);
}

/** The wake is kept with the step until its operator has used it, so that a crash in between calls `resume` again. */
export function resumeStep(steps: LiveSteps, state: StepState): void {
  resumeWhenFree(steps, state, () => steps.recorder.resumed(state));
}

/** With a slot, now or when one is free, a suspended step is RUNNING again, unless something else has ended its wait by then. */
export function resumeWhenFree(steps: LiveSteps, state: StepState, start: () => void): void {
  const { scheduler } = state.scope;
  const { ordinal } = state.step;
  const wait = steps.recorder.waits.get(state.ordinal);
  // asked for twice, it has run by then and waits for something else
  const isSameWait = (): boolean => steps.recorder.waits.get(state.ordinal) === wait;
  steps.whenSlotFree(
    () => steps.active.get(state.ordinal) === state && scheduler.statusOf(ordinal) === "SUSPENDED" && isSameWait(),
    () => {
      scheduler.markResumed(ordinal);
      state.holdsSlot = true;
      start();
    },
  );
}

function timedOut({ path }: StepState, { key }: WakeUp): RecordedError {
  const what = key === null ? "what it waits for" : `"${key}"`;
  return recordError(new StepwellError("WAIT_TIMEOUT", `step "${path}" waited for ${what} until its deadline`));
}

import type { RecordedError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { StepReason } from "../model/status.ts";
import type { Step } from "../workflow/graph.ts";
import type { BlockResult } from "./blocks/block.ts";
import { evaluateFallback, finishOutput, payloadText } from "./finish-output.ts";
import type { LiveSteps } from "./live-steps.ts";
import { type MaybePromise, proceed } from "./maybe-promise.ts";
import { recordError } from "./recorded-error.ts";
import { nextDelay } from "./retry.ts";
import { endingError } from "./run-end.ts";
import type { CheckedOutcome, Fact, Succeeded } from "./run-journal.ts";
import { NO_RESULT } from "./step-recorder.ts";
import type { StepScope } from "./step-scope.ts";
import type { StepState } from "./step-state.ts";

const FAILURE_REASONS: Readonly<Record<string, StepReason>> = {
  STEP_TIMEOUT: "timeout",
  WAIT_TIMEOUT: "timeout",
  OUTCOME_UNKNOWN: "outcome_unknown",
};

/** Why a block succeeded although something of it went wrong. */
const IN_SPITE_OF: Readonly<Record<string, StepReason>> = { ITEMS_FAILED: "tolerated", LOOP_EXHAUSTED: "exhausted" };

/** Retries are over: `fallback`, then `onError` (SPEC §2, Failure). */
export function failStep(steps: LiveSteps, scope: StepScope, step: Step, state: StepState | undefined, error: RecordedError): void {
  const { fallback, ordinal } = step;
  if (fallback === null) {
    failForGood(steps, scope, step, state, error);
    return;
  }
  const isOpen = (): boolean => scope.scheduler.isReady(ordinal) || steps.active.has(scope.ordinalOf(step));
  steps.evaluate(evaluateFallback(step, fallback, scope.scope, scope.evaluation(step.id), steps.core.host.schemas), (outcome) => {
    if (!isOpen()) return;
    if (outcome.outcome === "failed") {
      failForGood(steps, scope, step, state, outcome.error);
      return;
    }
    scope.scheduler.markSucceeded(ordinal);
    steps.recorder.settled(scope, step, state, { status: "SUCCEEDED", reason: "fallback", output: outcome, error, selected: null });
    leave(steps, scope, step, state);
  });
}

/** An attempt that was told to stop, or a wait that the run's end overtook. */
export function cancelStep(steps: LiveSteps, state: StepState, error: RecordedError | null): void {
  const { scope, step } = state;
  scope.scheduler.markCancelled(step.ordinal);
  steps.recorder.settled(scope, step, state, { ...NO_RESULT, status: "CANCELLED", reason: steps.core.endingReason, error });
  leave(steps, scope, step, state);
}

/** After the run was read back: an attempt that was given up, in a commit that was left out, is not heard of any more. */
export function endAbandoned(steps: LiveSteps, facts: readonly Fact[]): void {
  const ended = new Set(facts.map(({ ordinal }) => ordinal));
  for (const state of [...steps.active.values()])
    if (state.isRunning && state.running === null && state.scope.isEnded && !ended.has(state.ordinal)) cancelOvertaken(steps, state);
}

/** The end of the run came before that of the step. */
export function cancelOvertaken(steps: LiveSteps, state: StepState): void {
  cancelStep(steps, state, recordError(endingError(state.scope.scheduler.ending, steps.core.plan.graph)));
}

/** The scheduler decided the end of a step, which may have been suspended. */
export function endByDecision(steps: LiveSteps, scope: StepScope, step: Step, status: "SKIPPED" | "CANCELLED", reason: StepReason): void {
  const state = steps.active.get(scope.ordinalOf(step));
  steps.recorder.settled(scope, step, state, { ...NO_RESULT, status, reason });
  leave(steps, scope, step, state);
}

/** A block has settled: its output is checked like any other. */
export function settleBlock(steps: LiveSteps, state: StepState, result: BlockResult): void {
  const { scope, step } = state;
  const { isEnded } = scope;
  if (result.outcome === "cancelled" || (result.outcome === "failed" && isEnded)) {
    cancelStep(steps, state, result.outcome === "failed" ? result.error : null);
  } else if (result.outcome === "failed") {
    failStep(steps, scope, step, state, result.error);
  } else {
    settleWith(steps, state, result.output, result.error);
  }
  steps.touch(scope);
}

/**
 * Settles a step that no attempt is running of, with what has come for it.
 *
 * @param error what went wrong in it, though not enough to fail it
 */
export function settleWith(steps: LiveSteps, state: StepState, returned: Json, error: RecordedError | null): void {
  const finished = checkedOutput(steps, state, returned);
  const tell = (outcome: CheckedOutcome): void => {
    if (!steps.active.has(state.ordinal)) return;
    if (outcome.outcome === "succeeded")
      succeedStep(steps, state, outcome, error === null ? null : (IN_SPITE_OF[error.code] ?? null), error);
    else failStep(steps, state.scope, state.step, state, outcome.error);
  };
  if (finished instanceof Promise) steps.evaluate(finished, tell);
  else tell(finished);
}

/** The step's output from what an operator returned or a wake brought. Never throws. */
export function checkedOutput(steps: LiveSteps, state: StepState, returned: unknown): MaybePromise<CheckedOutcome> {
  try {
    const output = successWith(steps, state, returned);
    return output instanceof Promise ? output.catch(failed) : output;
  } catch (thrown) {
    return failed(thrown);
  }
}

/** @throws StepwellError as `finishOutput` */
export function successWith(steps: LiveSteps, { scope, step }: StepState, returned: unknown): MaybePromise<Succeeded> {
  return proceed(finishOutput(step, returned, scope, steps.core.host.schemas), (output) => succeeded(step, output));
}

function succeeded({ id }: Step, output: Json): Succeeded {
  return { outcome: "succeeded", output, text: payloadText(output, `the output of step "${id}"`) };
}

function failed(thrown: unknown): CheckedOutcome {
  return { outcome: "failed", error: recordError(thrown) };
}

export function succeedStep(
  steps: LiveSteps,
  state: StepState,
  output: Succeeded,
  reason: StepReason | null,
  error: RecordedError | null,
): void {
  const { scope, step } = state;
  scope.scheduler.markSucceeded(step.ordinal);
  steps.recorder.settled(scope, step, state, { status: "SUCCEEDED", reason, output, error, selected: null });
  leave(steps, scope, step, state);
}

/** A failure that its retry policy may answer; the step is RUNNING, or its wait has just ended. */
export function retryOrFail(steps: LiveSteps, state: StepState, error: RecordedError): void {
  const { scope, step } = state;
  const { ending, isStopping } = scope.scheduler;
  const mayRetry = ending === null && (!isStopping || step.join === "settled");
  const delayMs = mayRetry ? nextDelay(step.retry, state.failures, error, steps.core.host.random) : undefined;
  if (delayMs === undefined) {
    failStep(steps, scope, step, state, error);
    return;
  }
  if (state.isRunning) scope.scheduler.markSuspended(step.ordinal);
  steps.recorder.retrying(state, error, delayMs);
}

function failForGood(steps: LiveSteps, scope: StepScope, step: Step, state: StepState | undefined, error: RecordedError): void {
  const status = scope.scheduler.markFailed(step.ordinal);
  if (status === "FAILED" && step.onError === "fail") scope.failure ??= { stepId: scope.pathOf(step), error };
  const reason = status === "SKIPPED" ? "on_error" : (FAILURE_REASONS[error.code] ?? null);
  steps.recorder.settled(scope, step, state, { ...NO_RESULT, status, reason, error });
  leave(steps, scope, step, state);
  // what stops in this scope stops in the blocks that stand in it
  if (scope.scheduler.isStopping) for (const block of scope.blocks) block.stop("stop");
}

function leave(steps: LiveSteps, scope: StepScope, step: Step, state: StepState | undefined): void {
  steps.touch(scope);
  if (state === undefined) return;
  steps.active.delete(scope.ordinalOf(step));
  if (state.block !== null) scope.blockEnded(state.block);
}

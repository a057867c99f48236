import { type RecordedError, StepwellError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { StepStatus } from "../model/status.ts";
import type { Ending, Outcome } from "../scheduler/index.ts";
import type { Graph } from "../workflow/graph.ts";
import { payloadText } from "./finish-output.ts";
import { type MaybePromise, proceed } from "./maybe-promise.ts";
import { recordError } from "./recorded-error.ts";
import type { StepFailure } from "./run-core.ts";
import type { RunEnd } from "./run-host.ts";
import type { StepScope } from "./step-scope.ts";

/** What an end says that has no output. */
const NO_OUTPUT = { output: null, outputText: null } as const;

/**
 * How a run whose steps have all settled ends; its output is evaluated if they succeeded, and fails the run if it cannot be, or the
 * ledger cannot hold it. Never throws.
 *
 * @param undone what became of the compensations; null when there were none
 */
export function evaluateEnd(
  { output, timeoutMs }: Graph,
  root: StepScope,
  undone: Readonly<Record<string, StepStatus>> | null,
): MaybePromise<RunEnd> {
  const outcome = root.scheduler.outcome();
  if (outcome !== "succeeded" || output === null) return withUndone(endWithoutOutput(outcome, root.failure, timeoutMs), undone);
  const succeeded = (value: Json): RunEnd => {
    const outputText = value === null ? null : payloadText(value, "the output of the run");
    // evaluated anew it may come out where it did not before: what was undone stays undone
    if (undone !== null) throw new StepwellError("RUN_FAILED", "the output of the run failed, and what its steps did was undone");
    return { status: "SUCCEEDED", reason: null, output: value, outputText, error: null };
  };
  const failed = (thrown: unknown): RunEnd =>
    withUndone({ status: "FAILED", reason: "output_failed", ...NO_OUTPUT, error: recordError(thrown) }, undone);
  try {
    const end = proceed(output.evaluate(root.scope, root.evaluation("output")), succeeded);
    return end instanceof Promise ? end.catch(failed) : end;
  } catch (thrown) {
    return failed(thrown);
  }
}

function endWithoutOutput(outcome: Outcome | undefined, failure: StepFailure | undefined, timeoutMs: number | null): RunEnd {
  switch (outcome) {
    case "cancelled":
      return { status: "CANCELLED", reason: "cancelled", ...NO_OUTPUT, error: null };
    case "timed_out":
      return { status: "FAILED", reason: "timeout", ...NO_OUTPUT, error: recordError(runTimeoutError(timeoutMs)) };
    case "failed":
      return { status: "FAILED", reason: "step_failed", ...NO_OUTPUT, error: stepFailed(failure) };
    default:
      return { status: "SUCCEEDED", reason: null, ...NO_OUTPUT, error: null };
  }
}

/** An error that was answered by compensations says what became of each. */
function withUndone(end: RunEnd, undone: Readonly<Record<string, StepStatus>> | null): RunEnd {
  if (undone === null || end.error === null) return end;
  return { ...end, error: { ...end.error, data: { ...end.error.data, compensation: undone } } };
}

/** Why steps are cancelled that the end of their run overtakes. */
export function endingReasonOf(ending: Ending | null): "run_cancelled" | "run_timeout" | "run_failed" {
  if (ending === "cancel") return "run_cancelled";
  return ending === "timeout" ? "run_timeout" : "run_failed";
}

/** What a step is told that the end of its run overtakes. */
export function endingError(ending: Ending | null, { timeoutMs }: Graph): StepwellError {
  return ending === "timeout" ? runTimeoutError(timeoutMs) : new StepwellError("STEP_CANCELLED", "the run was cancelled");
}

function runTimeoutError(timeoutMs: number | null): StepwellError {
  return new StepwellError("RUN_TIMEOUT", `the run took longer than its timeout of ${timeoutMs} ms`);
}

function stepFailed(failure: StepFailure | undefined): RecordedError {
  if (failure === undefined) return recordError(new StepwellError("RUN_FAILED", "a step failed"));
  const { stepId, error } = failure;
  const data = { step: stepId, code: error.code };
  return recordError(new StepwellError("RUN_FAILED", `step "${stepId}" failed: ${error.message}`, { data }));
}

import type { RecordedError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { Body } from "../../workflow/graph.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { StepFailure } from "../run-core.ts";
import type { StepScope } from "../step-scope.ts";

/**
 * The output of one item or round whose steps have settled well.
 *
 * @throws StepwellError an expression's error (thrown, or as a rejection)
 */
export function bodyOutput({ output, isList, steps }: Body, scope: StepScope): MaybePromise<Json> {
  if (output !== null) return output.evaluate(scope.scope, scope.evaluation("output"));
  if (isList) return scope.views[steps.at(-1)?.id ?? ""]?.output ?? null;
  return Object.fromEntries(steps.map(({ id }) => [id, scope.views[id]?.output ?? null]));
}

/** The error of an item or round: that of the step which failed it, whose path it names. */
export function scopeError(failure: StepFailure | undefined): RecordedError {
  if (failure === undefined) return { code: "STEP_FAILED", message: "a step failed" };
  const { stepId, error } = failure;
  return { ...error, message: `step "${stepId}" failed: ${error.message}`, data: { ...error.data, step: stepId } };
}

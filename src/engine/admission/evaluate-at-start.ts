import type { EvaluationContext, Scope, Template } from "../../expressions/template.ts";
import type { ErrorCode } from "../../model/error-codes.ts";
import { asStepwellError, StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { MaybePromise } from "../maybe-promise.ts";

/** An error that says of which field, with the way out of it. */
export type Refuse = (what: string, hint: string, cause?: unknown) => StepwellError;

/** @param name what is evaluated, as a message names it; `field` is where it stands in the definition */
export function refusing(code: ErrorCode, workflow: string, name: string, field: string): Refuse {
  return (what, hint, cause) => new StepwellError(code, `${name} of "${workflow}" ${what}`, { hint, data: { workflow, field }, cause });
}

/**
 * What `read` makes of a template's value.
 *
 * @throws what `refuse` makes of an expression that fails, and what `read` throws (thrown, or as a rejection)
 */
export function evaluateAtStart<Value>(
  template: Template,
  scope: Scope,
  context: EvaluationContext,
  read: (value: Json) => Value,
  refuse: Refuse,
): MaybePromise<Value> {
  let value: MaybePromise<Json>;
  try {
    value = template.evaluate(scope, context);
  } catch (thrown) {
    throw failed(thrown, refuse);
  }
  if (!(value instanceof Promise)) return read(value);
  return value.then(read, (thrown: unknown) => {
    throw failed(thrown, refuse);
  });
}

function failed(thrown: unknown, refuse: Refuse): StepwellError {
  const { code, message, hint = "Say what holds where the input has no such value: `… ?? 'none'`." } = asStepwellError(thrown);
  return refuse(`cannot be evaluated: ${code}: ${message}`, hint, thrown);
}

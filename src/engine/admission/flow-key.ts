import type { EvaluationContext, Scope, Template } from "../../expressions/template.ts";
import { isScalar, type Json, jsonTypeOf } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import { evaluateAtStart, type Refuse, refusing } from "./evaluate-at-start.ts";

/**
 * The value of a key as text: equal for a number or boolean and a text that reads the same. Null for no key.
 *
 * @param place where it stands in the definition: `concurrency[1]`
 * @throws StepwellError `FLOW_KEY_INVALID` (thrown, or as a rejection)
 */
export function keyText(
  workflow: string,
  place: string,
  key: Template | null,
  scope: Scope,
  context: EvaluationContext,
): MaybePromise<string | null> {
  if (key === null) return null;
  const refuse = refusing("FLOW_KEY_INVALID", workflow, `the key of \`${place}\``, `${place}.key`);
  return evaluateAtStart(key, scope, context, (value) => textOf(value, refuse), refuse);
}

function textOf(value: Json, refuse: Refuse): string {
  if (!isScalar(value)) {
    const hint = "Give a string, a number or a boolean, and a default where it may be absent: `{{ input.customer ?? 'none' }}`.";
    throw refuse(`gives ${jsonTypeOf(value)}`, hint);
  }
  const text = String(value);
  if (text.length <= LIMITS.flowKeyLength) return text;
  const hint = "Use what is short and the same for all that count together, an id for example.";
  throw refuse(`gives ${text.length} characters; a key has at most ${LIMITS.flowKeyLength}`, hint);
}

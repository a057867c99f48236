import { compileTemplate } from "../../src/expressions/index.ts";
import type { CompileOptions, EvaluationContext, Scope } from "../../src/expressions/template.ts";
import type { StepwellError } from "../../src/model/errors.ts";
import type { Json } from "../../src/model/json.ts";

export const CONTEXT: EvaluationContext = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5), seed: "run-1/step" };

/** Freezes a value at every level, as scopes are. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/** Compiles and evaluates. */
export async function evaluate(source: Json, scope: Scope, options: Partial<CompileOptions> = {}, context = CONTEXT): Promise<Json> {
  const { template } = compileTemplate(source, { expect: "any", ...options });
  return template.evaluate(scope, context);
}

/** The code of the error that an evaluation ends with, or its value. */
export async function outcome(source: Json, scope: Scope, options: Partial<CompileOptions> = {}): Promise<unknown> {
  return evaluate(source, scope, options).catch((error: StepwellError) => error.code);
}

/** The problems of a source, without where they are. */
export function problemsOf(source: Json, options: Partial<CompileOptions> = {}): readonly string[] {
  return compileTemplate(source, { expect: "any", ...options }).problems.map(({ code, message }) => `${code}: ${message}`);
}

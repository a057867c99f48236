import type { EvaluationContext, Scope, Template } from "../expressions/template.ts";
import { StepwellError } from "../model/errors.ts";
import { isJsonObject, type Json, type JsonObject, toJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { Step } from "../workflow/graph.ts";
import { type MaybePromise, proceed } from "./maybe-promise.ts";
import type { EvaluatingRun } from "./prepare-step.ts";
import { recordError } from "./recorded-error.ts";
import type { CheckedOutcome } from "./run-journal.ts";
import type { Schemas } from "./schemas.ts";

/**
 * Turns what an operator returned into the step's output: plain JSON, mapped by `output`, checked by `schema`.
 *
 * @throws StepwellError `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`, `OUTPUT_INVALID` or an expression's error (thrown, or as a rejection)
 */
export function finishOutput(step: Step, returned: unknown, run: EvaluatingRun, schemas: Schemas): MaybePromise<Json> {
  const result = toJson(returned, `the result of step "${step.id}"`);
  if (step.output === null && step.schema === null) return result;
  return proceed(mapOutput(step, result, run), (output) => checkOutput(step, output, schemas));
}

/** The output that stands in for a failed step; a fallback that cannot be evaluated or does not match the schema fails the step. */
export async function evaluateFallback(
  step: Step,
  fallback: Template,
  scope: Scope,
  context: EvaluationContext,
  schemas: Schemas,
): Promise<CheckedOutcome> {
  try {
    const output = await checkOutput(step, await fallback.evaluate(scope, context), schemas);
    return { outcome: "succeeded", output, text: payloadText(output, `the fallback of step "${step.id}"`) };
  } catch (thrown) {
    return { outcome: "failed", error: recordError(thrown) };
  }
}

function checkOutput(step: Step, output: Json, schemas: Schemas): MaybePromise<Json> {
  if (step.schema === null) return output;
  return proceed(schemas.check(step.schema, output, "OUTPUT_INVALID", `the output of step "${step.id}"`), () => output);
}

function mapOutput(step: Step, result: Json, run: EvaluatingRun): MaybePromise<Json> {
  if (step.output === null) return result;
  switch (step.output.kind) {
    case "template":
      return step.output.template.evaluate({ ...run.scope, result }, run.evaluation(step.id));
    case "jsonpath":
      return queryPath(step.output.query, result);
    case "extract":
      return extract(result, step.schema ?? {});
  }
}

async function queryPath(query: string, result: Json): Promise<Json> {
  const { query: find } = await import("json-p3");
  const values = find(query, toMutable(result)).values();
  return toJson(values, `what "${query}" found`);
}

/** json-p3 declares its input mutable but only reads it. */
function toMutable(value: Json): Parameters<typeof import("json-p3").query>[1] {
  return structuredClone(value) as Parameters<typeof import("json-p3").query>[1];
}

/** Keeps the members that the schema names, at every level that it describes; what it does not describe is kept whole. */
function extract(value: Json, schema: JsonObject): Json {
  const properties = schema["properties"];
  const items = schema["items"];
  if (Array.isArray(value) && isJsonObject(items)) return value.map((member: Json) => extract(member, items));
  if (!isJsonObject(value) || !isJsonObject(properties)) return value;
  const kept: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value)) {
    const described = properties[name];
    if (described !== undefined) kept[name] = isJsonObject(described) ? extract(member, described) : member;
  }
  return kept;
}

/**
 * JSON text of a value for the ledger.
 *
 * @throws StepwellError `VALUE_TOO_LARGE`
 */
export function payloadText(value: Json, what: string): string {
  const text = JSON.stringify(value);
  if (text.length * 3 > LIMITS.payloadBytes && Buffer.byteLength(text) > LIMITS.payloadBytes) {
    throw new StepwellError("VALUE_TOO_LARGE", `${what} is ${Buffer.byteLength(text)} bytes of JSON; the limit is ${LIMITS.payloadBytes}`, {
      hint: "Return a reference to the data (a file, an object key) instead of the data.",
    });
  }
  return text;
}

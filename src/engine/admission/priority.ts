import type { EvaluationContext, Scope, Template } from "../../expressions/template.ts";
import { parseSignedDuration } from "../../model/duration.ts";
import { asStepwellError } from "../../model/errors.ts";
import { type Json, jsonTypeOf } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import { evaluateAtStart, type Refuse, refusing } from "./evaluate-at-start.ts";

const SECOND_MS = 1_000;
const HINT = "Give a duration as text (`'10m'`, `'-5m'`) or a number of seconds, from -1h to 1h.";

/**
 * How much earlier than its start a run stands, milliseconds.
 *
 * @throws StepwellError `PRIORITY_INVALID` (thrown, or as a rejection)
 */
export function priorityMs(workflow: string, priority: number | Template, scope: Scope, context: EvaluationContext): MaybePromise<number> {
  if (typeof priority === "number") return priority;
  const refuse = refusing("PRIORITY_INVALID", workflow, "the priority", "priority");
  return evaluateAtStart(priority, scope, context, (value) => bounded(readPriority(value, refuse), refuse), refuse);
}

function readPriority(value: Json, refuse: Refuse): number {
  if (typeof value === "number") return Math.round(value * SECOND_MS);
  if (typeof value !== "string") throw refuse(`gives ${jsonTypeOf(value)}`, HINT);
  try {
    return parseSignedDuration(value);
  } catch (thrown) {
    throw refuse(`cannot be read: ${asStepwellError(thrown).message}`, HINT, thrown);
  }
}

function bounded(ms: number, refuse: Refuse): number {
  if (Math.abs(ms) > LIMITS.priorityMs) throw refuse(`is ${ms / SECOND_MS} s`, HINT);
  // no negative zero, which JSON does not have
  return ms === 0 ? 0 : ms;
}

import { jsonTypeOf } from "../model/json.ts";
import { nearest } from "./nearest.ts";
import { Refusal } from "./refusal.ts";
import type { Segment } from "./simple.ts";
import type { Scope } from "./template.ts";

const NAMES_SHOWN = 8;

/** `["steps", "fetch", 0]` as it is written: `steps.fetch[0]`. */
function writePath(segments: readonly Segment[]): string {
  let text = "";
  for (const segment of segments) {
    if (typeof segment === "number") text += `[${segment}]`;
    else text += `${text === "" ? "" : "."}${/^[A-Za-z_]\w*$/.test(segment) ? segment : `\`${segment}\``}`;
  }
  return text;
}

/**
 * Says what is missing along a path, as a refusal; undefined when nothing is: a list on the way was mapped over, and that its
 * members give no value is a result (an empty sequence), not an absence.
 */
export function explainAbsence(scope: Scope, segments: readonly Segment[]): Refusal | undefined {
  let current: unknown = scope;
  for (const [at, segment] of segments.entries()) {
    const before = segments.slice(0, at);
    if (Array.isArray(current)) {
      if (typeof segment === "string") return undefined;
      if (current.length === 0 || current.at(segment) === undefined) {
        return absent(scope, segments, `${writePath(before)} has no item ${segment}; it has ${current.length} items`);
      }
      current = current.at(segment);
    } else if (typeof segment === "string") {
      const next = memberOf(current, segment);
      if (next === undefined) return absent(scope, segments, missing(before, segment, current));
      current = next;
    } else if (segment !== 0 && segment !== -1) {
      return absent(scope, segments, `${writePath(before)} is not a list and has no item ${segment}`);
    }
  }
  return undefined;
}

/** A step that was SKIPPED has no output, and that is no mistake of the one who asks (SPEC §2.1). */
export function isOnSkippedStep(scope: Scope, segments: readonly Segment[]): boolean {
  const [root, id] = segments;
  if (root !== "steps" || typeof id !== "string" || scope.steps === undefined) return false;
  return Object.hasOwn(scope.steps, id) && scope.steps[id]?.status === "SKIPPED";
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function missing(before: readonly Segment[], name: string, current: unknown): string {
  const parent = writePath(before);
  if (!isRecord(current)) return `${parent} is ${article(jsonTypeOf(current))}, which has no member "${name}"`;
  const names = Object.keys(current);
  const near = nearest(name, names);
  const suggestion = near === undefined ? "" : ` (did you mean "${near}"?)`;
  if (before.length === 0) return `there is no "${name}" in scope; there is ${list(names)}${suggestion}`;
  return `${parent} has no member "${name}"; it has ${list(names)}${suggestion}`;
}

function absent(scope: Scope, segments: readonly Segment[], message: string): Refusal {
  if (isOnSkippedStep(scope, segments)) {
    const step = writePath(segments.slice(0, 2));
    return new Refusal("EXPRESSION_UNRESOLVED", `${step} was SKIPPED and has no output`, "Give a value for that case: `… ?? 'default'`.");
  }
  return new Refusal("EXPRESSION_UNRESOLVED", message, "Correct the path, or say what holds without it: `… ?? 'default'`, `$exists(…)`.");
}

function list(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}

function article(type: string): string {
  return type === "null" ? type : `a ${type}`;
}

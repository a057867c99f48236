import { StepwellError } from "./errors.ts";
import type { Json, JsonObject } from "./json-value.ts";
import { LIMITS } from "./limits.ts";

export type { Json, JsonObject } from "./json-value.ts";

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON type name as a person reads it in an error message. */
export function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}

/**
 * Copies a value into plain JSON the way `JSON.stringify` would (`toJSON` is honoured, undefined members are dropped),
 * but refuses what `JSON.stringify` silently loses: NaN, infinities, functions, symbols, BigInt, cycles, and objects whose
 * content is not in their members (Map, Set, Promise, Error, RegExp, …).
 * The copy shares nothing with its source, so a later change of the source cannot reach the ledger.
 *
 * @param what names the value in the error, for example `the output of step "fetch"`
 * @throws StepwellError `VALUE_NOT_JSON` with the path of the offending member
 */
export function toJson(value: unknown, what: string): Json {
  return copy(value, what, "", 0) ?? null;
}

function copy(value: unknown, what: string, path: string, depth: number): Json | undefined {
  switch (typeof value) {
    case "undefined":
    case "string":
    case "boolean":
      return value;
    case "number":
      // JSON text has no negative zero
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      throw refuse(what, path, String(value));
    case "object":
      if (value === null) return null;
      if (depth >= LIMITS.jsonDepth) throw refuse(what, path, `nested deeper than ${LIMITS.jsonDepth} levels (a cycle?)`);
      return Array.isArray(value) ? copyList(value, what, path, depth) : copyObject(value, what, path, depth);
    default:
      throw refuse(what, path, `a ${typeof value}`);
  }
}

function copyList(list: readonly unknown[], what: string, path: string, depth: number): Json {
  const result: Json[] = [];
  // an index loop, because a hole must become null and iterators of subclasses are not to be trusted
  for (let index = 0; index < list.length; index++) {
    result.push(copy(list[index], what, `${path}[${index}]`, depth + 1) ?? null);
  }
  return result;
}

function copyObject(source: object, what: string, path: string, depth: number): Json | undefined {
  if (hasToJson(source)) return copy(source.toJSON(), what, path, depth + 1);
  const tag = Object.prototype.toString.call(source).slice("[object ".length, -1);
  if (tag !== "Object") throw refuse(what, path, `a ${tag}`);
  const result: Record<string, Json> = {};
  for (const [key, member] of Object.entries(source)) {
    const copied = copy(member, what, path === "" ? key : `${path}.${key}`, depth + 1);
    if (copied === undefined) continue;
    if (key === "__proto__") Object.defineProperty(result, key, { value: copied, enumerable: true, writable: true, configurable: true });
    else result[key] = copied;
  }
  return result;
}

function hasToJson(source: object): source is { toJSON(): unknown } {
  return "toJSON" in source && typeof source.toJSON === "function";
}

function refuse(what: string, path: string, found: string): StepwellError {
  const place = path === "" ? what : `${what} at ${path}`;
  return new StepwellError("VALUE_NOT_JSON", `${place} is ${found}, which JSON cannot hold`, {
    hint: "Return plain JSON: objects, lists, strings, finite numbers, booleans and null.",
  });
}

/** JSON text with object keys sorted by code unit at every level: equal values give equal text (RFC 8785 for the values that JSON can hold). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((member: Json) => canonicalJson(member)).join(",")}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

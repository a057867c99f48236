import { StepwellError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** A JSON value as RFC 8259 defines it: finite numbers, no undefined, no functions. */
export type Json = null | boolean | number | string | JsonList | JsonObject;
export type JsonList = readonly Json[];
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON type name as a person reads it in an error message. */
export function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "object" : typeof value;
}

/**
 * Copies a value into plain JSON the way `JSON.stringify` would (`toJSON` is honoured, undefined members are dropped),
 * but refuses what `JSON.stringify` silently loses: NaN, infinities, functions, symbols, BigInt, cycles.
 * The copy shares nothing with its source, so a later change of the source cannot reach the ledger.
 *
 * @param what names the value in the error, for example `the output of step "fetch"`
 * @throws StepwellError `VALUE_NOT_JSON` with the path of the offending member
 */
export function toJson(value: unknown, what: string): Json {
  if (value === undefined) return null;
  return copy(value, what, "", 0);
}

function copy(value: unknown, what: string, path: string, depth: number): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
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
  for (let index = 0; index < list.length; index++) {
    const member = list[index];
    result.push(member === undefined ? null : copy(member, what, `${path}[${index}]`, depth + 1));
  }
  return result;
}

function copyObject(source: object, what: string, path: string, depth: number): Json {
  if ("toJSON" in source && typeof source.toJSON === "function") {
    const converted: unknown = source.toJSON();
    return converted === undefined ? null : copy(converted, what, path, depth + 1);
  }
  const result: Record<string, Json> = {};
  for (const [key, member] of Object.entries(source)) {
    if (member === undefined) continue;
    const copied = copy(member, what, path === "" ? key : `${path}.${key}`, depth + 1);
    if (key === "__proto__") Object.defineProperty(result, key, { value: copied, enumerable: true, writable: true, configurable: true });
    else result[key] = copied;
  }
  return result;
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
    const members: string[] = [];
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
    }
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

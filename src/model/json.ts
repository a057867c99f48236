import { StepwellError } from "./errors.ts";
import type { Json, JsonObject } from "./json-value.ts";
import { LIMITS } from "./limits.ts";

export type { Json, JsonObject } from "./json-value.ts";

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value that reads as text without losing anything: how it goes into a query or a header. */
export type Scalar = string | number | boolean;

export function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** The JSON type name as a person reads it in an error message. */
export function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}

/** Makes a member of the object itself: one named `__proto__` would otherwise become its prototype. */
export function setOwn(object: Record<string, Json>, name: string, value: Json): void {
  if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  else object[name] = value;
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
  return copy(value, { what, path: [] }) ?? null;
}

/** Where a copy stands; one object for a whole value, because most values are never refused. */
interface Place {
  readonly what: string;
  readonly path: (string | number)[];
}

function copy(value: unknown, place: Place): Json | undefined {
  switch (typeof value) {
    case "undefined":
    case "string":
    case "boolean":
      return value;
    case "number":
      // JSON text has no negative zero
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      throw refuse(place, String(value));
    case "object":
      if (value === null) return null;
      if (place.path.length >= LIMITS.jsonDepth) throw refuse(place, `nested deeper than ${LIMITS.jsonDepth} levels (a cycle?)`);
      return Array.isArray(value) ? copyList(value, place) : copyObject(value, place);
    default:
      throw refuse(place, `a ${typeof value}`);
  }
}

function copyList(list: readonly unknown[], place: Place): Json {
  const result: Json[] = [];
  // an index loop, because a hole must become null and iterators of subclasses are not to be trusted
  for (let index = 0; index < list.length; index++) {
    place.path.push(index);
    result.push(copy(list[index], place) ?? null);
    place.path.pop();
  }
  return result;
}

function copyObject(source: object, place: Place): Json | undefined {
  if (hasToJson(source)) return copyConverted(source.toJSON(), place);
  const tag = Object.prototype.toString.call(source);
  if (tag !== "[object Object]") throw refuse(place, `a ${tag.slice("[object ".length, -1)}`);
  const result: Record<string, Json> = {};
  for (const key of Object.keys(source)) {
    place.path.push(key);
    const copied = copy(Reflect.get(source, key), place);
    place.path.pop();
    if (copied !== undefined) setOwn(result, key, copied);
  }
  return result;
}

/** A `toJSON` that gives itself back would go on for ever: its result stands one level deeper. */
function copyConverted(converted: unknown, place: Place): Json | undefined {
  place.path.push("toJSON()");
  const copied = copy(converted, place);
  place.path.pop();
  return copied;
}

function hasToJson(source: object): source is { toJSON(): unknown } {
  return "toJSON" in source && typeof source.toJSON === "function";
}

function refuse({ what, path }: Place, found: string): StepwellError {
  const at = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");
  const place = at === "" ? what : `${what} at ${at.startsWith(".") ? at.slice(1) : at}`;
  return new StepwellError("VALUE_NOT_JSON", `${place} is ${found}, which JSON cannot hold`, {
    hint: "Return plain JSON: objects, lists, strings, finite numbers, booleans and null.",
  });
}

/**
 * The value of JSON text that `JSON.stringify` wrote.
 *
 * @throws SyntaxError when the text is not JSON
 */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** The same for text that need not be there: null for null. */
export function parseJsonOrNull(text: string | null): Json {
  return text === null ? null : parseJson(text);
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

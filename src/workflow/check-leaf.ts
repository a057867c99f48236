import { parseDuration, parseSignedDuration } from "../model/duration.ts";
import { isJsonObject, type Json, jsonTypeOf } from "../model/json.ts";
import type { Finding } from "./findings.ts";
import { isJsonList } from "./readers.ts";
import { reasonOf } from "./reason.ts";
import type { ChoiceShape, LeafShape, NumberShape, Shape } from "./shape.ts";
import { didYouMean } from "./suggest.ts";

type LeafFault = Pick<Finding, "code" | "message" | "hint">;

/** A part of a hundred, from 0% to 100%. */
export const PERCENT = /^(?:100|\d{1,2}(?:\.\d+)?)%$/;

const compiledPatterns = new Map<string, RegExp>();

/** What keeps a value from being of a shape without members; undefined when nothing does. `name` is its path, for the message. */
export function leafFault(shape: LeafShape, value: Json, name: string): LeafFault | undefined {
  switch (shape.kind) {
    case "text":
      return textFault(shape, value, name);
    case "number":
      return numberFault(shape, value, name);
    case "choice":
      return choiceFault(shape, value, name);
    case "onlyTrue":
      return value === true ? undefined : mismatch("`true`, or left out", value, name);
    case "condition":
      return typeof value === "boolean" || typeof value === "string" ? undefined : mismatch("an expression, true or false", value, name);
    case "template":
      return undefined;
    case "schema":
      return isJsonObject(value) ? undefined : mismatch("a JSON Schema, which is an object", value, name);
    case "items":
      return typeof value === "string" || isJsonList(value) ? undefined : mismatch("a list, or an expression that gives one", value, name);
    case "tolerance":
      return toleranceFault(value, name);
    case "version":
      return versionFault(value, name);
    case "key":
      return keyFault(value, name);
    case "priority":
      return priorityFault(value, name);
    default:
      return durationFault(shape.positive, value, name);
  }
}

export function mismatch(expected: string, value: Json, name: string): LeafFault {
  const type = jsonTypeOf(value);
  const found = value === null ? "nothing is written here" : `this is ${type === "object" ? "an" : "a"} ${type}`;
  return { code: "FIELD_INVALID", message: `\`${name}\` is ${expected}; ${found}` };
}

function toleranceFault(value: Json, name: string): LeafFault | undefined {
  const fits = typeof value === "number" ? Number.isSafeInteger(value) && value >= 0 : typeof value === "string" && PERCENT.test(value);
  if (fits) return undefined;
  const expected = "a whole number of items, or a part of them like `10%`";
  const isText = typeof value === "string" || typeof value === "number";
  return isText ? { code: "FIELD_INVALID", message: `\`${name}\` is ${expected}; this is ${value}` } : mismatch(expected, value, name);
}

function versionFault(value: Json, name: string): LeafFault | undefined {
  if (typeof value === "string" || Number.isSafeInteger(value)) return undefined;
  return { ...mismatch("a text", value, name), hint: "Put it in quotes: without them 1.10 is the number 1.1." };
}

function textFault(shape: Extract<Shape, { kind: "text" }>, value: Json, name: string): LeafFault | undefined {
  if (typeof value !== "string") {
    const isPlain = typeof value === "number" || typeof value === "boolean";
    return isPlain ? { ...mismatch("a text", value, name), hint: "Put it in quotes." } : mismatch("a text", value, name);
  }
  if (value === "") return { code: "FIELD_INVALID", message: `\`${name}\` is empty` };
  const { form } = shape;
  if (form === undefined) return undefined;
  if (value.length > form.maxLength) return { code: "FIELD_INVALID", message: `\`${name}\` is longer than ${form.maxLength} characters` };
  return matches(form.pattern, value)
    ? undefined
    : { code: "FIELD_INVALID", message: `\`${value}\` is not a name`, hint: `A name has ${form.means}.` };
}

/** Patterns of the field table, each compiled once. */
export function matches(pattern: string, value: string): boolean {
  const compiled = compiledPatterns.get(pattern) ?? new RegExp(pattern, "u");
  compiledPatterns.set(pattern, compiled);
  return compiled.test(value);
}

function numberFault({ minimum, maximum, integer, hint }: NumberShape, value: Json, name: string): LeafFault | undefined {
  const expected = `${integer ? "a whole number" : "a number"} from ${minimum} to ${maximum}`;
  if (typeof value !== "number") return { ...mismatch(expected, value, name), hint };
  const fits = value >= minimum && value <= maximum && (!integer || Number.isInteger(value));
  return fits ? undefined : { code: "FIELD_INVALID", message: `\`${name}\` is ${expected}; this is ${value}`, hint };
}

function choiceFault({ values, instead = {} }: ChoiceShape, value: Json, name: string): LeafFault | undefined {
  const expected = values.map((word) => `\`${word}\``).join(" or ");
  if (typeof value !== "string") return mismatch(expected, value, name);
  if (values.includes(value)) return undefined;
  const hint = () => (Object.hasOwn(instead, value) ? instead[value] : didYouMean(value, values));
  return { code: "FIELD_INVALID", message: `\`${name}\` is ${expected}; this is \`${value}\``, hint };
}

function durationFault(positive: boolean, value: Json, name: string): LeafFault | undefined {
  if (typeof value !== "string" && typeof value !== "number") return mismatch("a duration", value, name);
  try {
    const ms = parseDuration(value);
    return positive && ms === 0 ? { code: "FIELD_INVALID", message: `\`${name}\` is longer than zero` } : undefined;
  } catch (error) {
    const hint = "Write a number with a unit (200ms, 5s, 10m, 2h, 3d), ISO 8601 (PT5M), or plain milliseconds; up to 100 years.";
    return { code: "DURATION_INVALID", message: reasonOf(error), hint };
  }
}

function keyFault(value: Json, name: string): LeafFault | undefined {
  if (typeof value === "string") return value === "" ? { code: "FIELD_INVALID", message: `\`${name}\` is empty` } : undefined;
  return { ...mismatch("a text with an expression", value, name), hint: 'Write it in quotes: `"{{ input.customer }}"`.' };
}

/** A number would be read as milliseconds by one and as seconds by another. */
function priorityFault(value: Json, name: string): LeafFault | undefined {
  const hint = "Write a number with a unit (30s, 10m, -5m), or an expression in quotes: `\"{{ input.urgent ? '10m' : '0s' }}\"`.";
  if (typeof value !== "string") return { ...mismatch("a duration with a unit, or a text with an expression", value, name), hint };
  if (value.includes("{{")) return undefined;
  try {
    parseSignedDuration(value);
    return undefined;
  } catch (error) {
    return { code: "DURATION_INVALID", message: reasonOf(error), hint };
  }
}

import { isJsonObject, type Json, type JsonObject } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { leafFault, matches, mismatch } from "./check-leaf.ts";
import type { Report } from "./findings.ts";
import { type Path, pathText } from "./path.ts";
import { isJsonList } from "./readers.ts";
import type { RecordShape, Shape } from "./shape.ts";
import { didYouMean } from "./suggest.ts";

/** Reports every way in which a value is not of its shape. */
export function checkShape(shape: Shape, value: Json, path: Path, report: Report): void {
  switch (shape.kind) {
    case "list":
      checkList(shape, value, path, report);
      break;
    case "short":
      checkShort(shape, value, path, report);
      break;
    case "map":
      checkMap(shape, value, path, report);
      break;
    case "constant":
      checkConstant(value, path, report);
      break;
    case "steps":
      checkSteps(shape, value, path, report);
      break;
    case "record":
      checkRecord(shape, value, path, report);
      break;
    default: {
      const fault = leafFault(shape, value, pathText(path));
      if (fault !== undefined) report({ ...fault, path });
    }
  }
}

/** Reports what stands where something else is expected. */
function wrong(expected: string, value: Json, path: Path, report: Report): void {
  report({ ...mismatch(expected, value, pathText(path)), path });
}

function checkList(shape: Extract<Shape, { kind: "list" }>, value: Json, path: Path, report: Report): void {
  if (isJsonList(value)) {
    const { minItems, maxItems = value.length } = shape;
    if (value.length < minItems) report({ code: "FIELD_INVALID", path, message: `\`${pathText(path)}\` is empty` });
    if (value.length > maxItems) {
      const message = `\`${pathText(path)}\` has at most ${maxItems} entries; this one has ${value.length}`;
      report({ code: "FIELD_INVALID", path, message });
    }
    for (const [index, member] of value.entries()) checkShape(shape.of, member, [...path, index], report);
  } else if (shape.orOne && (shape.of.kind === "record" ? isJsonObject(value) : typeof value === "string")) {
    checkShape(shape.of, value, path, report);
  } else wrong("a list", value, path, report);
}

/** A plain value of the wrong kind is told of both forms. */
function checkShort(shape: Extract<Shape, { kind: "short" }>, value: Json, path: Path, report: Report): void {
  if (typeof value === "object" && value !== null) {
    checkShape(shape.for, value, path, report);
    return;
  }
  const fault = leafFault(shape.value, value, pathText(path));
  if (fault === undefined) return;
  if (shape.value.kind === typeof value) report({ ...fault, path });
  else wrong(shape.means, value, path, report);
}

function checkMap({ of, keys }: Extract<Shape, { kind: "map" }>, value: Json, path: Path, report: Report): void {
  if (!isJsonObject(value)) {
    wrong("an object of names and values", value, path, report);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    if (keys !== null && !matches(keys.pattern, key)) {
      report({
        code: "FIELD_INVALID",
        path: [...path, key],
        key: true,
        message: `\`${key}\` is not a name`,
        hint: `A name has ${keys.means}.`,
      });
    }
    checkShape(of, member, [...path, key], report);
  }
}

function checkConstant(value: Json, path: Path, report: Report): void {
  if (typeof value === "string" && value.includes("{{")) {
    const message = `\`${pathText(path)}\` is a constant; the expression in it would not be evaluated`;
    report({ code: "FIELD_INVALID", path, message, hint: "Write the expression where the value is used." });
  } else if (isJsonList(value)) {
    for (const [index, member] of value.entries()) checkConstant(member, [...path, index], report);
  } else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) checkConstant(member, [...path, key], report);
  }
}

function checkSteps(shape: Extract<Shape, { kind: "steps" }>, value: Json, path: Path, report: Report): void {
  if (!isJsonList(value) && !isJsonObject(value)) {
    wrong("a list or a map of steps", value, path, report);
    return;
  }
  const entries: readonly (readonly [string | number, Json])[] = isJsonList(value) ? [...value.entries()] : Object.entries(value);
  if (entries.length === 0) {
    report({ code: "FIELD_INVALID", path, message: `${path.length === 1 ? "A workflow" : "A block"} has at least one step` });
  }
  if (entries.length > LIMITS.stepsPerWorkflow) {
    const message = `A workflow has at most ${LIMITS.stepsPerWorkflow} steps; this one has ${entries.length}`;
    report({ code: "DEFINITION_TOO_LARGE", path, message });
    return;
  }
  const record = shape.of(isJsonList(value) ? "list" : "map");
  for (const [key, step] of entries) checkRecord(record, step, [...path, key], report);
}

function checkRecord(shape: RecordShape, value: Json, path: Path, report: Report): void {
  if (!isJsonObject(value)) {
    wrong(`${shape.title}, which is an object`, value, path, report);
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (field === undefined) reportUnknown(shape, name, path, report);
    else checkShape(field.shape, member, [...path, name], report);
  }
  for (const [name, field] of Object.entries(shape.fields)) {
    if (field.required === true && !Object.hasOwn(value, name)) {
      report({ code: "FIELD_MISSING", path, message: `${capital(shape.title)} has a \`${name}\`; it is missing here`, hint: field.about });
    }
  }
  checkCompany(shape, value, path, report);
  const chosen = shape.alternatives === undefined ? [] : checkAlternatives(shape, shape.alternatives, value, path, report);
  if (chosen !== undefined) checkCompanions(shape, value, chosen, path, report);
}

function reportUnknown(shape: RecordShape, name: string, path: Path, report: Report): void {
  report({
    code: "FIELD_UNKNOWN",
    path: [...path, name],
    key: true,
    message: `${capital(shape.title)} has no field \`${name}\``,
    hint: () => {
      if (shape.elsewhere !== undefined && Object.hasOwn(shape.elsewhere, name)) return shape.elsewhere[name];
      const isLater = shape.later?.includes(name) === true;
      return isLater ? `This version of Stepwell does not have \`${name}\`.` : didYouMean(name, Object.keys(shape.fields));
    },
  });
}

/** Fields of which one must be there, and fields that cannot be there together. */
function checkCompany(
  { title, fields, someOf, exclusive, exclusiveHint: hint }: RecordShape,
  value: JsonObject,
  path: Path,
  report: Report,
): void {
  if (someOf?.some((name) => Object.hasOwn(value, name)) === false) {
    const meanings = someOf.map((name) => `\`${name}\`: ${fields[name]?.about}`).join(" ");
    report({ code: "FIELD_MISSING", path, message: `${capital(title)} has ${orList(someOf)}; this one has neither`, hint: meanings });
  }
  if (exclusive?.every((name) => Object.hasOwn(value, name)) === true) {
    const [, second] = exclusive;
    const message = `${capital(title)} has ${orList(exclusive)}, not both`;
    report({ code: "FIELD_INVALID", path: [...path, second], key: true, message, hint });
  }
}

/** Gives the set that was chosen; undefined when it is unclear which. */
function checkAlternatives(
  shape: RecordShape,
  sets: readonly (readonly string[])[],
  value: JsonObject,
  path: Path,
  report: Report,
): readonly string[] | undefined {
  const title = `${capital(shape.title)} has ${orList(sets.map((set) => set.join("` and `")))}`;
  const own = (set: readonly string[]) => set.filter((name) => sets.every((other) => other === set || !other.includes(name)));
  const started = sets.filter((set) => own(set).some((name) => Object.hasOwn(value, name)));
  const [only] = started;
  if (only === undefined) {
    report({ code: "FIELD_MISSING", path, message: `${title}; this one has ${sets.length > 2 ? "none of them" : "neither"}` });
  } else if (started.length > 1) {
    const message = `${title}, ${sets.length > 2 ? "only one of them" : "not both"}`;
    report({ code: "FIELD_INVALID", path, message, hint: adviceFor(shape, value) });
  } else {
    for (const name of only.filter((member) => !Object.hasOwn(value, member))) {
      report({ code: "FIELD_MISSING", path, message: `${title}; \`${name}\` is missing here` });
    }
    return only;
  }
  return undefined;
}

/** Fields that mean nothing without another one; the chosen alternative was already asked for. */
function checkCompanions(shape: RecordShape, value: JsonObject, chosen: readonly string[], path: Path, report: Report): void {
  for (const name of Object.keys(value)) {
    const needs = Object.hasOwn(shape.fields, name) && !chosen.includes(name) ? shape.fields[name]?.needs : undefined;
    const group = needs?.find((others) => !others.some((other) => Object.hasOwn(value, other)));
    if (group === undefined) continue;
    const message = `\`${name}\` means nothing without ${orList(group)}`;
    if (group.includes("schema")) report({ code: "FIELD_MISSING", path, message });
    else report({ code: "FIELD_INVALID", path: [...path, name], key: true, message, hint: adviceFor(shape, value) });
  }
}

function adviceFor({ advice = {} }: RecordShape, value: JsonObject): string | undefined {
  return Object.entries(advice).find(([name]) => Object.hasOwn(value, name))?.[1];
}

/** `a` or `b`; `a`, `b`, or `c`. */
function orList(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length > 2 ? `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1)}` : quoted.join(" or ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

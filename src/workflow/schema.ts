import type { Json, JsonObject } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { PERCENT } from "./check-leaf.ts";
import { WORKFLOW } from "./fields.ts";
import { EXPRESSION_NAME } from "./name-forms.ts";
import type { Field, RecordShape, Shape } from "./shape.ts";

/** Forms of `parseDuration`. */
const DURATION =
  "(?:(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h|d|w))+|P(?=.)(?:\\d+W)?(?:\\d+D)?(?:T(?=.)(?:\\d+H)?(?:\\d+M)?(?:\\d+(?:\\.\\d+)?S)?)?)";
const DURATION_PATTERN = `^\\s*${DURATION}\\s*$`;
/** An expression, or a form of `parseSignedDuration`. */
const PRIORITY_PATTERN = `\\{\\{|^\\s*(?:-\\s*)?${DURATION}\\s*$`;
/** Records that stand in many places are written once. */
const SHARED_TITLES: readonly string[] = ["a retry policy", "a case", "a loop", "a compensation", "a concurrency limit", "a rate limit"];

/** The JSON Schema (2020-12) of the definition format, for editors; checked in as `schema/workflow.schema.json`. */
export function definitionSchema(): JsonObject {
  const shared = new Map<string, JsonObject>();
  const root = recordSchema(WORKFLOW, shared);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Stepwell workflow",
    ...root,
    $defs: Object.fromEntries(shared),
  };
}

function schemaOf(shape: Shape, shared: Map<string, JsonObject>): JsonObject {
  switch (shape.kind) {
    case "text":
      return {
        type: "string",
        minLength: 1,
        ...(shape.form === undefined ? {} : { maxLength: shape.form.maxLength, pattern: shape.form.pattern }),
      };
    case "number":
      return { type: shape.integer ? "integer" : "number", minimum: shape.minimum, maximum: shape.maximum };
    case "onlyTrue":
      return { const: true };
    case "choice":
      return { enum: [...shape.values] };
    case "duration":
      return {
        anyOf: [
          { type: "string", pattern: DURATION_PATTERN },
          shape.positive ? { type: "number", exclusiveMinimum: 0 } : { type: "number", minimum: 0 },
        ],
      };
    case "condition":
      return { type: ["string", "boolean"] };
    case "template":
    case "constant":
      return {};
    case "schema":
      return { type: "object" };
    case "list":
      return listSchema(shape, shared);
    case "map": {
      const names = shape.keys === null ? {} : { propertyNames: { pattern: shape.keys.pattern } };
      return { type: "object", ...names, additionalProperties: schemaOf(shape.of, shared) };
    }
    case "items":
      return { type: ["string", "array"] };
    case "tolerance":
      return {
        anyOf: [
          { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          { type: "string", pattern: PERCENT.source },
        ],
      };
    case "version":
      return { type: ["string", "integer"] };
    case "key":
      return { type: "string", minLength: 1 };
    case "priority":
      return { type: "string", pattern: PRIORITY_PATTERN };
    case "short":
      return { anyOf: [schemaOf(shape.value, shared), schemaOf(shape.for, shared)] };
    case "steps":
      return stepsSchema(shape.of, shared);
    default:
      return SHARED_TITLES.includes(shape.title) ? share(shape, shared) : recordSchema(shape, shared);
  }
}

function listSchema({ of, minItems, maxItems, orOne }: Extract<Shape, { kind: "list" }>, shared: Map<string, JsonObject>): JsonObject {
  const items = schemaOf(of, shared);
  const list: JsonObject = {
    type: "array",
    items,
    ...(minItems === 0 ? {} : { minItems }),
    ...(maxItems === undefined ? {} : { maxItems }),
  };
  return orOne ? { anyOf: [list, items] } : list;
}

/** Steps can have steps, so their schemas are written once and refer to each other. */
function stepsSchema(of: Extract<Shape, { kind: "steps" }>["of"], shared: Map<string, JsonObject>): JsonObject {
  if (!shared.has("steps")) {
    const bounds = { minProperties: 1, maxProperties: LIMITS.stepsPerWorkflow };
    const names = { propertyNames: { pattern: EXPRESSION_NAME.pattern, maxLength: LIMITS.idLength } };
    shared.set("steps", {
      anyOf: [
        { type: "array", minItems: 1, maxItems: LIMITS.stepsPerWorkflow, items: { $ref: "#/$defs/listStep" } },
        { type: "object", ...bounds, ...names, additionalProperties: { $ref: "#/$defs/step" } },
      ],
    });
    shared.set("step", recordSchema(of("map"), shared));
    shared.set("listStep", recordSchema(of("list"), shared));
  }
  return { $ref: "#/$defs/steps" };
}

function share(shape: RecordShape, shared: Map<string, JsonObject>): JsonObject {
  const name = shape.title.replace(/^an? /, "").replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
  if (!shared.has(name)) shared.set(name, recordSchema(shape, shared));
  return { $ref: `#/$defs/${name}` };
}

function recordSchema(shape: RecordShape, shared: Map<string, JsonObject>): JsonObject {
  const fields = Object.entries(shape.fields);
  const required = fields.flatMap(([name, field]) => (field.required === true ? [name] : []));
  const needs = fields.flatMap(([name, field]) => (field.needs ?? []).map((group) => ({ name, group })));
  const dependent = Map.groupBy(
    needs.filter(({ group }) => group.length === 1),
    ({ name }) => name,
  );
  const choices = needs.filter(({ group }) => group.length > 1).map(({ name, group }): [string, Json] => [name, anyOf(group)]);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(field, shared)])),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
    ...(dependent.size === 0
      ? {}
      : { dependentRequired: Object.fromEntries([...dependent].map(([name, all]) => [name, all.flatMap(({ group }) => group)])) }),
    ...(choices.length === 0 ? {} : { dependentSchemas: Object.fromEntries(choices) }),
    ...(shape.someOf === undefined ? {} : anyOf(shape.someOf)),
    ...(shape.exclusive === undefined ? {} : { not: { required: [...shape.exclusive] } }),
    ...(shape.alternatives === undefined ? {} : { oneOf: shape.alternatives.map((names) => ({ required: [...names] })) }),
  };
}

/** At least one of the fields is there. */
function anyOf(names: readonly string[]): JsonObject {
  return { anyOf: names.map((name) => ({ required: [name] })) };
}

function fieldSchema(field: Field, shared: Map<string, JsonObject>): JsonObject {
  const base = { description: field.about, ...schemaOf(field.shape, shared) };
  return field.default === undefined ? base : { ...base, default: field.default };
}

import { isJsonObject, type Json, type JsonObject } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import type { Definition } from "../graph.ts";
import type { Path } from "../path.ts";
import { asChoice, asObject, isJsonList } from "../readers.ts";
import { GATHER_KINDS, LIMIT_KINDS } from "./fields.ts";
import type { FlowGather, FlowLimit } from "./flow.ts";

/** A limit as it is written, short forms written out; its fields may still be wrong. */
export interface WrittenLimit {
  readonly kind: FlowLimit["kind"];
  readonly index: number;
  readonly path: Path;
  readonly fields: JsonObject;
}

export interface WrittenGather {
  readonly kind: FlowGather["kind"];
  readonly path: Path;
  readonly fields: JsonObject;
}

/** The limits of a definition in its order, as many as a workflow may have. */
export function readLimits(definition: Definition): readonly WrittenLimit[] {
  const limits = Object.keys(definition).flatMap((field) => {
    const kind = asChoice(field, LIMIT_KINDS);
    return kind === undefined ? [] : limitsOf(kind, definition[kind]);
  });
  return limits.slice(0, LIMITS.limitsPerWorkflow);
}

/** How many limits of each kind a definition has, those that are too many included. */
export function countLimits(definition: Definition): readonly number[] {
  return LIMIT_KINDS.map((kind) => entriesOf(definition[kind]).length);
}

function limitsOf(kind: WrittenLimit["kind"], value: Json | undefined): readonly WrittenLimit[] {
  const isList = isJsonList(value);
  return entriesOf(value).flatMap((entry, index) => {
    const fields = fieldsOf(kind, entry);
    return fields === undefined ? [] : [{ kind, index, path: isList ? [kind, index] : [kind], fields }];
  });
}

function entriesOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return isJsonList(value) ? value : [value];
}

function fieldsOf(kind: WrittenLimit["kind"], entry: Json): JsonObject | undefined {
  if (kind === "concurrency" && typeof entry === "number") return { limit: entry };
  if (kind === "singleton" && entry === true) return {};
  return isJsonObject(entry) ? entry : undefined;
}

/** Both kinds, when both are there: that is reported, and what else is wrong with them too. */
export function readGathers(definition: Definition): readonly WrittenGather[] {
  return GATHER_KINDS.flatMap((kind) => {
    const value = definition[kind];
    return value === undefined ? [] : [{ kind, path: [kind], fields: asObject(value) }];
  });
}

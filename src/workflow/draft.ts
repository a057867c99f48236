import type { Json, JsonObject } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { matches } from "./check-leaf.ts";
import { EXPRESSION_NAME, RESERVED_IDS } from "./fields.ts";
import type { Report } from "./findings.ts";
import type { Definition } from "./graph.ts";
import type { Path } from "./path.ts";
import { asObject, asText, isJsonList } from "./readers.ts";

/** A definition with its steps found and named; the fields are still as written. */
export interface Draft {
  readonly definition: Definition;
  readonly isList: boolean;
  readonly steps: readonly DraftStep[];
  /** Step id → ordinal. */
  readonly ordinals: ReadonlyMap<string, number>;
  readonly defaults: JsonObject;
}

export interface DraftStep {
  readonly ordinal: number;
  readonly id: string;
  readonly path: Path;
  readonly fields: JsonObject;
}

export function readDraft(definition: Definition, report: Report): Draft {
  const written = definition["steps"];
  const isList = isJsonList(written);
  const entries: readonly (readonly [string | number, Json])[] = isJsonList(written)
    ? [...written.entries()]
    : Object.entries(asObject(written));
  const takenIds = new Set(isList ? entries.flatMap(([, step]) => asText(asObject(step)["id"]) ?? []) : []);
  const ordinals = new Map<string, number>();
  const steps: DraftStep[] = [];
  for (const [key, value] of entries.slice(0, LIMITS.stepsPerWorkflow)) {
    const fields = asObject(value);
    const id = typeof key === "string" ? key : (asText(fields["id"]) ?? derivedId(fields, key, takenIds));
    const step = { ordinal: steps.length, id, path: ["steps", key], fields };
    checkId(step, typeof key === "number", ordinals, report);
    if (!ordinals.has(id)) ordinals.set(id, step.ordinal);
    steps.push(step);
  }
  return { definition, isList, steps, ordinals, defaults: asObject(definition["defaults"]) };
}

function derivedId(fields: JsonObject, index: number, taken: Set<string>): string {
  const stem = (asText(fields["uses"]) ?? "switch").replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
  const wanted = `${stem}_${index + 1}`.slice(-LIMITS.idLength);
  let id = wanted;
  for (let next = 2; taken.has(id); next++) id = `${wanted}_${next}`;
  taken.add(id);
  return id;
}

/** The form of an id in a list is checked with its field. */
function checkId(step: DraftStep, inList: boolean, ordinals: ReadonlyMap<string, number>, report: Report): void {
  const { id } = step;
  const path = inList && Object.hasOwn(step.fields, "id") ? [...step.path, "id"] : step.path;
  if (!inList && (!matches(EXPRESSION_NAME.pattern, id) || id.length > LIMITS.idLength)) {
    const hint = `An id has up to ${LIMITS.idLength} ${EXPRESSION_NAME.means}.`;
    report({ code: "FIELD_INVALID", path, key: true, message: `\`${id.slice(0, LIMITS.idLength)}\` is not a step id`, hint });
  }
  if (RESERVED_IDS.includes(id)) {
    report({ code: "FIELD_INVALID", path, key: true, message: `\`${id}\` is a reserved name`, hint: "Choose another id." });
  }
  if (ordinals.has(id)) {
    report({ code: "STEP_DUPLICATE", path, message: `Two steps have the id \`${id}\``, hint: "Give each step its own id." });
  }
}

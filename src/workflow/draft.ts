import type { Json, JsonObject } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { matches } from "./check-leaf.ts";
import { RESERVED_IDS } from "./fields.ts";
import type { Report } from "./findings.ts";
import type { Definition } from "./graph.ts";
import { EXPRESSION_NAME } from "./name-forms.ts";
import type { Path } from "./path.ts";
import { asObject, asText, isJsonList } from "./readers.ts";

/** A definition with its steps found and named; the fields are still as written. */
export interface Draft {
  readonly definition: Definition;
  readonly defaults: JsonObject;
  readonly root: Level;
}

/** Steps that can need each other: the workflow's own, or the body of a block. */
export interface Level {
  readonly isList: boolean;
  readonly steps: readonly DraftStep[];
  /** Step id → ordinal. */
  readonly ordinals: ReadonlyMap<string, number>;
  /** The block whose body this is; null for the workflow's own steps. */
  readonly block: EnclosingBlock | null;
}

export interface EnclosingBlock {
  /** Where the block stands. */
  readonly level: Level;
  readonly ordinal: number;
  /** How many blocks stand around the body, this one included. */
  readonly depth: number;
}

export interface DraftStep {
  readonly ordinal: number;
  readonly id: string;
  readonly path: Path;
  readonly fields: JsonObject;
  readonly kind: "work" | "switch" | "foreach" | "loop";
  /** The steps of a `foreach` or a `loop`; null for others. */
  readonly body: Level | null;
}

export function readDraft(definition: Definition, report: Report): Draft {
  const root = new Reader(report).level(definition["steps"], ["steps"], null);
  return { definition, defaults: asObject(definition["defaults"]), root };
}

/** A level and all levels inside it, the outer ones first. */
export function levelsIn(level: Level): readonly Level[] {
  return walk(level, ({ steps }) => steps.map(({ body }) => body));
}

/** A level in any form and all levels inside it, the outer ones first. */
export function walk<AnyLevel>(root: AnyLevel, bodiesOf: (level: AnyLevel) => readonly (AnyLevel | null)[]): readonly AnyLevel[] {
  // `levels` grows while it is walked.
  const levels = [root];
  for (const level of levels) for (const body of bodiesOf(level)) if (body !== null) levels.push(body);
  return levels;
}

class Reader {
  readonly #report: Report;
  /** Steps that still fit into the workflow. */
  #room: number = LIMITS.stepsPerWorkflow;

  constructor(report: Report) {
    this.#report = report;
  }

  level(written: Json | undefined, path: Path, block: EnclosingBlock | null): Level {
    const isList = isJsonList(written);
    const all: readonly (readonly [string | number, Json])[] = isJsonList(written)
      ? [...written.entries()]
      : Object.entries(asObject(written));
    const entries = this.#take(all, path);
    const takenIds = new Set(isList ? entries.flatMap(([, step]) => asText(asObject(step)["id"]) ?? []) : []);
    const ordinals = new Map<string, number>();
    const steps: DraftStep[] = [];
    const level: Level = { isList, steps, ordinals, block };
    for (const [key, value] of entries) {
      const fields = asObject(value);
      const kind = kindOf(fields);
      const id = typeof key === "string" ? key : (asText(fields["id"]) ?? derivedId(fields, kind, key, takenIds));
      const ordinal = steps.length;
      const place = { id, path: [...path, key], fields };
      checkId(place, typeof key === "number", ordinals, this.#report);
      if (!ordinals.has(id)) ordinals.set(id, ordinal);
      const hasBody = kind === "foreach" || kind === "loop";
      const body = hasBody ? this.#body(place, { level, ordinal, depth: (block?.depth ?? 0) + 1 }) : null;
      steps.push({ ...place, ordinal, kind, body });
    }
    return level;
  }

  #body({ path, fields }: DraftPlace, block: EnclosingBlock): Level | null {
    if (block.depth <= LIMITS.blockDepth) return this.level(fields["steps"], [...path, "steps"], block);
    const message = `Blocks stand inside each other more than ${LIMITS.blockDepth} deep`;
    const hint = "Make a workflow of the inner ones, and run it with `uses: workflow`.";
    this.#report({ code: "DEFINITION_TOO_LARGE", path, message, hint });
    return null;
  }

  /** As many as the workflow still has room for; a single list that is too long was reported before. */
  #take<Entry>(entries: readonly Entry[], path: Path): readonly Entry[] {
    const taken = entries.slice(0, this.#room);
    if (taken.length < entries.length && entries.length <= LIMITS.stepsPerWorkflow) {
      const message = `A workflow has at most ${LIMITS.stepsPerWorkflow} steps, those of its blocks included`;
      this.#report({ code: "DEFINITION_TOO_LARGE", path, message });
    }
    this.#room -= taken.length;
    return taken;
  }
}

type DraftPlace = Pick<DraftStep, "id" | "path" | "fields">;

function kindOf(fields: JsonObject): DraftStep["kind"] {
  if (Object.hasOwn(fields, "foreach")) return "foreach";
  if (Object.hasOwn(fields, "loop")) return "loop";
  return Object.hasOwn(fields, "switch") ? "switch" : "work";
}

function derivedId(fields: JsonObject, kind: DraftStep["kind"], index: number, taken: Set<string>): string {
  const name = asText(fields["uses"]) ?? (kind === "work" ? "switch" : kind);
  const stem = name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
  const wanted = `${stem}_${index + 1}`.slice(-LIMITS.idLength);
  let id = wanted;
  for (let next = 2; taken.has(id); next++) id = `${wanted}_${next}`;
  taken.add(id);
  return id;
}

/** The form of an id in a list is checked with its field. */
function checkId(step: DraftPlace, inList: boolean, ordinals: ReadonlyMap<string, number>, report: Report): void {
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

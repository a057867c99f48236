import { nearest } from "../expressions/nearest.ts";
import type { Reference } from "../expressions/template.ts";
import type { JsonObject } from "../model/json.ts";
import { at } from "./at.ts";
import type { DraftStep, Level } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { Definition } from "./graph.ts";
import type { Path } from "./path.ts";
import { asObject } from "./readers.ts";
import { didYouMean } from "./suggest.ts";

const STEP_MEMBERS: readonly string[] = ["output", "status", "error"];
/** Names that mean something only inside a block, and in which. */
const BLOCK_ROOTS: ReadonlyMap<string, string> = new Map([
  ["item", "foreach"],
  ["index", "foreach"],
  ["carry", "loop"],
  ["round", "loop"],
]);
const STEP_ROOTS: readonly string[] = ["input", "steps", "vars", "env", "run"];

/** What a definition declares beside its steps. */
export interface Declarations {
  readonly vars: JsonObject;
  readonly env: JsonObject;
  readonly secrets: JsonObject;
  readonly input: JsonObject | undefined;
  /** The input is `{ items }`, the inputs of the starts that became one run. */
  readonly isBatch: boolean;
}

/** What an expression may refer to, by where it stands. */
export interface Sight {
  readonly declared: Declarations;
  /** Its steps, and those around it. */
  readonly level: Level;
  readonly roots: readonly string[];
}

export function declarationsOf(definition: Definition): Declarations {
  const input = definition["input"];
  return {
    vars: asObject(definition["vars"]),
    env: asObject(definition["env"]),
    secrets: asObject(definition["secrets"]),
    input: input === undefined ? undefined : asObject(input),
    isBatch: definition["batch"] !== undefined,
  };
}

/** The first names of expressions in a level: blocks add their own, and an inner one hides an outer one. */
export function rootsIn({ block }: Level): readonly string[] {
  if (block === null) return STEP_ROOTS;
  const { kind } = at(block.level.steps, block.ordinal);
  const own = [...BLOCK_ROOTS].flatMap(([root, of]) => (of === kind ? [root] : []));
  return [...new Set([...rootsIn(block.level), ...own])];
}

/** Reports what the reference gets wrong; gives the id of the step that it reads, if there is one. */
export function resolveReference(reference: Reference, path: Path, sight: Sight, report: Report): string | undefined {
  const { declared } = sight;
  const [name] = reference.path;
  if (!sight.roots.includes(reference.root)) reportRoot(reference.root, path, sight, report);
  else if (reference.root === "steps") return resolveStep(reference, path, sight.level, report);
  else if (name === undefined) return undefined;
  else if (reference.root === "input" && declared.isBatch) reportBatch(name, path, report);
  else if (reference.optional) return undefined;
  else if (reference.root === "vars") reportUndeclared("vars", name, declared.vars, path, report);
  else if (reference.root === "env") reportUndeclared("env", name, declared.env, path, report);
  else if (reference.root === "input") reportInput(name, declared.input, path, report);
  return undefined;
}

function reportRoot(root: string, path: Path, { roots, level }: Sight, report: Report): void {
  const hint = () => {
    const block = BLOCK_ROOTS.get(root);
    if (block !== undefined) return `\`${root}\` is known only inside a \`${block}\`.`;
    if (root === "result") return "`result` is known only in the `output` of a step with `uses`.";
    if (visibleStep(level, root) !== undefined) return `Did you mean \`steps.${root}.output\`?`;
    const near = nearest(root, roots);
    return near === undefined
      ? `An expression here begins with ${roots.map((name) => `\`${name}\``).join(", ")}.`
      : `Did you mean \`${near}\`?`;
  };
  report({ code: "REFERENCE_UNKNOWN", path, message: `Nothing is called \`${root}\` here`, hint });
}

/** The step that an id means in a level: its own, else that of the nearest level around it. */
export function visibleStep(level: Level, id: string): DraftStep | undefined {
  for (let here: Level | undefined = level; here !== undefined; here = here.block?.level) {
    const ordinal = here.ordinals.get(id);
    if (ordinal !== undefined) return at(here.steps, ordinal);
  }
  return undefined;
}

function visibleIds(level: Level): readonly string[] {
  return [...level.ordinals.keys(), ...(level.block === null ? [] : visibleIds(level.block.level))];
}

function resolveStep(reference: Reference, path: Path, level: Level, report: Report): string | undefined {
  const [id, member] = reference.path;
  if (id === undefined) {
    const hint = "Name each step that you read: `steps.fetch.output`.";
    report({ code: "REFERENCE_UNKNOWN", path, message: "The expression reads `steps` without naming a step", hint });
    return undefined;
  }
  const step = visibleStep(level, id);
  if (step === undefined) {
    report({ code: "STEP_UNKNOWN", path, message: `There is no step \`${id}\``, hint: () => didYouMean(id, visibleIds(level)) });
  } else if (member !== undefined && !STEP_MEMBERS.includes(member) && !(member === "items" && step.kind === "foreach")) {
    const near = nearest(member, STEP_MEMBERS);
    const hint = near === undefined ? `Did you mean \`steps.${id}.output.${member}\`?` : `Did you mean \`steps.${id}.${near}\`?`;
    report({ code: "REFERENCE_UNKNOWN", path, message: `A step has \`output\`, \`status\` and \`error\`, not \`${member}\``, hint });
  }
  return step?.id;
}

function reportUndeclared(root: string, name: string, declared: JsonObject, path: Path, report: Report): void {
  if (Object.hasOwn(declared, name)) return;
  const hint = () => didYouMean(name, Object.keys(declared)) ?? `Declare it under \`${root}\`.`;
  report({ code: "REFERENCE_UNKNOWN", path, message: `\`${root}.${name}\` is not declared`, hint });
}

/** Optional or not: what is never there is always absent. */
function reportBatch(name: string, path: Path, report: Report): void {
  if (name === "items") return;
  const message = `The input of a batch has \`items\`, not \`${name}\``;
  const hint = `Each item is the input of one start: \`input.items[0].${name}\`, or \`item.${name}\` in a \`foreach\` over \`input.items\`.`;
  report({ code: "REFERENCE_UNKNOWN", path, message, hint });
}

/** An input may have more members than its schema names, unless the schema is closed: then the name is an error, else only suspect. */
function reportInput(name: string, schema: JsonObject | undefined, path: Path, report: Report): void {
  if (schema === undefined || !Object.hasOwn(schema, "properties")) return;
  const properties = asObject(schema["properties"]);
  const isOpen = ["$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"].some((word) =>
    Object.hasOwn(schema, word),
  );
  if (isOpen || Object.hasOwn(properties, name)) return;
  const severity = schema["additionalProperties"] === false ? "error" : "warning";
  if (severity === "warning" && schema["additionalProperties"] !== undefined) return;
  report({
    code: "REFERENCE_UNKNOWN",
    severity,
    path,
    message: `The schema of the input has no property \`${name}\``,
    hint: () => didYouMean(name, Object.keys(properties)),
  });
}

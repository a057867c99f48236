import { nearest } from "../expressions/nearest.ts";
import type { Reference } from "../expressions/template.ts";
import type { JsonObject } from "../model/json.ts";
import type { Draft } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { Path } from "./path.ts";
import { asObject } from "./readers.ts";
import { didYouMean } from "./suggest.ts";

/** A step that an expression reads. */
export interface StepReference {
  readonly ordinal: number;
  /** The reading step is skipped when the read one was. */
  readonly required: boolean;
  readonly path: Path;
}

/** Names that mean something only inside `foreach` and `loop`. */
const BLOCK_ROOTS: readonly string[] = ["item", "index", "carry", "round"];
const STEP_MEMBERS: readonly string[] = ["output", "status", "error"];

export const STEP_ROOTS: readonly string[] = ["input", "steps", "vars", "env", "run"];
export const OUTPUT_ROOTS: readonly string[] = [...STEP_ROOTS, "result"];

/** What expressions may refer to. */
export interface Declarations {
  readonly steps: ReadonlyMap<string, number>;
  readonly vars: JsonObject;
  readonly env: JsonObject;
  readonly secrets: JsonObject;
  readonly input: JsonObject | undefined;
}

export function declarationsOf({ definition, ordinals }: Draft): Declarations {
  const input = definition["input"];
  return {
    steps: ordinals,
    vars: asObject(definition["vars"]),
    env: asObject(definition["env"]),
    secrets: asObject(definition["secrets"]),
    input: input === undefined ? undefined : asObject(input),
  };
}

/** Reports what the reference gets wrong and gives the ordinal of the step that it reads. */
export function resolveReference(
  reference: Reference,
  path: Path,
  roots: readonly string[],
  declared: Declarations,
  report: Report,
): number | undefined {
  const [name] = reference.path;
  if (!roots.includes(reference.root)) reportRoot(reference.root, path, roots, declared, report);
  else if (reference.root === "steps") return resolveStep(reference, path, declared, report);
  else if (name === undefined || reference.optional) return undefined;
  else if (reference.root === "vars") reportUndeclared("vars", name, declared.vars, path, report);
  else if (reference.root === "env") reportUndeclared("env", name, declared.env, path, report);
  else if (reference.root === "input") reportInput(name, declared.input, path, report);
  return undefined;
}

function reportRoot(root: string, path: Path, roots: readonly string[], declared: Declarations, report: Report): void {
  const hint = () => {
    if (BLOCK_ROOTS.includes(root)) return `\`${root}\` belongs to foreach and loop, which this version does not have.`;
    if (root === "result") return "`result` is known only in the `output` of a step.";
    if (declared.steps.has(root)) return `Did you mean \`steps.${root}.output\`?`;
    const near = nearest(root, roots);
    return near === undefined
      ? `An expression here begins with ${roots.map((name) => `\`${name}\``).join(", ")}.`
      : `Did you mean \`${near}\`?`;
  };
  report({ code: "REFERENCE_UNKNOWN", path, message: `Nothing is called \`${root}\` here`, hint });
}

function resolveStep(reference: Reference, path: Path, declared: Declarations, report: Report): number | undefined {
  const [id, member] = reference.path;
  if (id === undefined) {
    const hint = "Name each step that you read: `steps.fetch.output`.";
    report({ code: "REFERENCE_UNKNOWN", path, message: "The expression reads `steps` without naming a step", hint });
    return undefined;
  }
  const ordinal = declared.steps.get(id);
  if (ordinal === undefined) {
    report({ code: "STEP_UNKNOWN", path, message: `There is no step \`${id}\``, hint: () => didYouMean(id, declared.steps.keys()) });
  } else if (member !== undefined && !STEP_MEMBERS.includes(member)) {
    const near = nearest(member, STEP_MEMBERS);
    const hint = near === undefined ? `Did you mean \`steps.${id}.output.${member}\`?` : `Did you mean \`steps.${id}.${near}\`?`;
    report({ code: "REFERENCE_UNKNOWN", path, message: `A step has \`output\`, \`status\` and \`error\`, not \`${member}\``, hint });
  }
  return ordinal;
}

function reportUndeclared(root: string, name: string, declared: JsonObject, path: Path, report: Report): void {
  if (Object.hasOwn(declared, name)) return;
  const hint = () => didYouMean(name, Object.keys(declared)) ?? `Declare it under \`${root}\`.`;
  report({ code: "REFERENCE_UNKNOWN", path, message: `\`${root}.${name}\` is not declared`, hint });
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

import { compileTemplate } from "../expressions/index.ts";
import type { CompileOptions, Template } from "../expressions/template.ts";
import { isJsonObject, type Json } from "../model/json.ts";
import type { Draft, DraftStep } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { OutputMapping } from "./graph.ts";
import type { Path } from "./path.ts";
import { asList, asObject, isJsonList } from "./readers.ts";
import { type Declarations, declarationsOf, OUTPUT_ROOTS, resolveReference, STEP_ROOTS, type StepReference } from "./references.ts";
import { didYouMean } from "./suggest.ts";

/** The compiled expressions of a step, and the steps that they read. */
export interface StepTemplates {
  readonly with: Template | null;
  readonly when: Template | null;
  readonly fallback: Template | null;
  readonly idempotencyKey: Template | null;
  readonly output: OutputMapping | null;
  /** One for each entry of `switch`; null for `otherwise`. */
  readonly cases: readonly (Template | null)[];
  readonly references: readonly StepReference[];
}

export interface Templates {
  readonly steps: readonly StepTemplates[];
  readonly output: Template | null;
}

const VALUE: CompileOptions = { expect: "any" };
const CONDITION: CompileOptions = { expect: "boolean", bare: true };
const JSONPATH_PREFIX = "jsonpath:";

/** Compiles every expression of a definition and reports what is wrong with it or with what it refers to. */
export function compileTemplates(draft: Draft, report: Report): Templates {
  const declared = declarationsOf(draft);
  const steps = draft.steps.map((step) => compileStep(step, declared, report));
  const outputContext: Context = { declared, report, roots: STEP_ROOTS, references: [], isRequired: true };
  return { steps, output: compileField(draft.definition["output"], ["output"], VALUE, outputContext) };
}

interface Context {
  readonly declared: Declarations;
  readonly report: Report;
  readonly roots: readonly string[];
  readonly references: StepReference[];
  /** False: what is read here is not needed for the step to run. */
  readonly isRequired: boolean;
}

function compileStep(step: DraftStep, declared: Declarations, report: Report): StepTemplates {
  const references: StepReference[] = [];
  const context: Context = { declared, report, roots: STEP_ROOTS, references, isRequired: true };
  const field = (name: string, options: CompileOptions, own: Context = context) =>
    compileField(step.fields[name], [...step.path, name], options, own);
  const compiled = {
    with: field("with", VALUE),
    when: field("when", CONDITION),
    // Read only after a failure, so it must not decide whether the step runs.
    fallback: field("fallback", VALUE, { ...context, isRequired: false }),
    idempotencyKey: field("idempotencyKey", VALUE),
    output: compileOutput(step, { ...context, roots: OUTPUT_ROOTS }),
    cases: asList(step.fields["switch"]).map((entry, index) =>
      compileField(asObject(entry)["when"], [...step.path, "switch", index, "when"], CONDITION, context),
    ),
    references,
  };
  checkSecrets(step.fields["with"], [...step.path, "with"], declared.secrets, report);
  return compiled;
}

function compileField(source: Json | undefined, path: Path, options: CompileOptions, context: Context): Template | null {
  if (source === undefined) return null;
  if (options.expect === "boolean" && typeof source !== "boolean" && typeof source !== "string") return null;
  const { template, problems } = compileTemplate(source, options);
  for (const { code, message, hint, at, offset } of problems) context.report({ code, path: [...path, ...at], offset, message, hint });
  for (const reference of template.references) {
    const place = [...path, ...reference.at];
    const ordinal = resolveReference(reference, place, context.roots, context.declared, context.report);
    if (ordinal !== undefined) context.references.push({ ordinal, required: context.isRequired && !reference.optional, path: place });
  }
  return template;
}

function compileOutput(step: DraftStep, context: Context): OutputMapping | null {
  const source = step.fields["output"];
  const path = [...step.path, "output"];
  if (step.fields["extract"] === true) {
    const message = "A step has `output` or `extract`, not both";
    if (source !== undefined) context.report({ code: "FIELD_INVALID", path, message });
    return { kind: "extract" };
  }
  if (typeof source === "string" && source.startsWith(JSONPATH_PREFIX)) {
    return { kind: "jsonpath", query: source.slice(JSONPATH_PREFIX.length).trim() };
  }
  const template = compileField(source, path, VALUE, context);
  return template === null ? null : { kind: "template", template };
}

/** `{ secret: NAME }` names a declared secret; the engine puts its value there after `with` was evaluated. */
function checkSecrets(value: Json | undefined, path: Path, declared: Readonly<Record<string, Json>>, report: Report): void {
  if (isJsonList(value)) {
    value.forEach((member, index) => {
      checkSecrets(member, [...path, index], declared, report);
    });
  } else if (isJsonObject(value)) {
    const name = value["secret"];
    if (typeof name === "string" && Object.keys(value).length === 1) {
      if (Object.hasOwn(declared, name)) return;
      const hint = () => didYouMean(name, Object.keys(declared)) ?? "Declare it under `secrets`.";
      report({ code: "REFERENCE_UNKNOWN", path: [...path, "secret"], message: `The secret \`${name}\` is not declared`, hint });
    } else {
      for (const [key, member] of Object.entries(value)) checkSecrets(member, [...path, key], declared, report);
    }
  }
}

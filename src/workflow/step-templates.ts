import { compileTemplate } from "../expressions/index.ts";
import type { CompileOptions, Template } from "../expressions/template.ts";
import { isJsonObject, type Json } from "../model/json.ts";
import { at } from "./at.ts";
import type { Draft, DraftStep, Level } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { OutputMapping } from "./graph.ts";
import { LevelReferences, type StepReference } from "./level-references.ts";
import type { Path } from "./path.ts";
import { asList, asObject, isJsonList } from "./readers.ts";
import { declarationsOf, resolveReference, rootsIn, type Sight } from "./references.ts";
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
  /** Input of what undoes the step. */
  readonly compensate: Template | null;
  readonly references: readonly StepReference[];
  /** Null for a step that is not a block. */
  readonly block: BlockTemplates | null;
}

export interface BlockTemplates {
  readonly items: Template | null;
  readonly until: Template | null;
  readonly while: Template | null;
  readonly carry: Template | null;
  readonly output: Template | null;
  readonly steps: readonly StepTemplates[];
  /** Ids of steps outside that the block's body, `output`, `until`, `while` or `carry` read. */
  readonly outward: readonly string[];
}

export interface Templates {
  readonly steps: readonly StepTemplates[];
  readonly output: Template | null;
}

const VALUE: CompileOptions = { expect: "any" };
const LIST: CompileOptions = { expect: "list" };
const CONDITION: CompileOptions = { expect: "boolean", bare: true };
const JSONPATH_PREFIX = "jsonpath:";

/** Compiles every expression of a definition and reports what is wrong with it or with what it refers to. */
export function compileTemplates({ definition, root }: Draft, report: Report): Templates {
  const references = new LevelReferences(root, null, report);
  const sight: Sight = { declared: declarationsOf(definition), level: root, roots: rootsIn(root) };
  const steps = compileLevel(references, sight, report);
  return { steps, output: compileField(definition["output"], ["output"], VALUE, { ...AFTERWARDS, sight, references, report }) };
}

interface Context {
  readonly sight: Sight;
  readonly references: LevelReferences;
  /** Ordinal of the reading step; null: see `LevelReferences`. */
  readonly reader: number | null;
  readonly report: Report;
  /** False: what is read here is not needed for the step to run. */
  readonly isRequired: boolean;
}

/** The terms of expressions that are read after all steps of their level. */
const AFTERWARDS = { reader: null, isRequired: true } as const;

function compileLevel(references: LevelReferences, sight: Sight, report: Report): readonly StepTemplates[] {
  return sight.level.steps.map((step) => compileStep(step, { sight, references, reader: step.ordinal, report, isRequired: true }));
}

function compileStep(step: DraftStep, context: Context): StepTemplates {
  const field = (name: string, options: CompileOptions, own: Context = context) =>
    compileField(step.fields[name], [...step.path, name], options, own);
  const { sight } = context;
  const compiled = {
    with: field("with", VALUE),
    when: field("when", CONDITION),
    // Read only after a failure, so it must not decide whether the step runs.
    fallback: field("fallback", VALUE, { ...context, isRequired: false }),
    idempotencyKey: field("idempotencyKey", VALUE),
    output: step.body === null ? compileOutput(step, { ...context, sight: { ...sight, roots: [...sight.roots, "result"] } }) : null,
    cases: asList(step.fields["switch"]).map((entry, index) =>
      compileField(asObject(entry)["when"], [...step.path, "switch", index, "when"], CONDITION, context),
    ),
    compensate: compileField(asObject(step.fields["compensate"])["with"], [...step.path, "compensate", "with"], VALUE, {
      ...context,
      ...AFTERWARDS,
    }),
    block: step.body === null ? null : compileBlock(step, step.body, context),
    references: at(context.references.byStep, step.ordinal),
  };
  checkSecrets(step.fields["with"], [...step.path, "with"], sight.declared.secrets, context.report);
  checkSecrets(step.fields["compensate"], [...step.path, "compensate"], sight.declared.secrets, context.report);
  return compiled;
}

/** `foreach` and `while` are asked outside of the body; `output`, `until` and `carry` after its steps. */
function compileBlock(step: DraftStep, body: Level, outside: Context): BlockTemplates {
  const { report, sight } = outside;
  const loop = asObject(step.fields["loop"]);
  const references = new LevelReferences(body, outside.references, report);
  const within: Sight = { ...sight, level: body, roots: rootsIn(body) };
  const inwards: Context = { ...AFTERWARDS, sight: within, references, report };
  const before: Context = { ...outside, sight: { ...sight, roots: within.roots } };
  const inLoop = (name: string, options: CompileOptions, context: Context) =>
    compileField(loop[name], [...step.path, "loop", name], options, context);
  return {
    items: compileItems(step, outside),
    until: inLoop("until", CONDITION, inwards),
    while: inLoop("while", CONDITION, before),
    carry: inLoop("carry", VALUE, inwards),
    output: compileField(step.fields["output"], [...step.path, "output"], VALUE, inwards),
    steps: compileLevel(references, within, report),
    outward: [...references.outward],
  };
}

function compileItems(step: DraftStep, context: Context): Template | null {
  const source = step.fields["foreach"];
  if (typeof source !== "string" && !isJsonList(source)) return null;
  // That it can never be a list has the same code as when it turns out in a run.
  const report: Report = (finding) => {
    context.report(finding.code === "EXPRESSION_TYPE" ? { ...finding, code: "FOREACH_NOT_A_LIST" } : finding);
  };
  return compileField(source, [...step.path, "foreach"], LIST, { ...context, report });
}

function compileField(source: Json | undefined, path: Path, options: CompileOptions, context: Context): Template | null {
  if (source === undefined) return null;
  if (options.expect === "boolean" && typeof source !== "boolean" && typeof source !== "string") return null;
  const { template, problems } = compileTemplate(source, options);
  for (const { at: inside, ...problem } of problems) context.report({ ...problem, path: [...path, ...inside] });
  for (const reference of template.references) {
    const place = [...path, ...reference.at];
    const id = resolveReference(reference, place, context.sight, context.report);
    if (id !== undefined) context.references.note(context.reader, id, context.isRequired && !reference.optional, place);
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

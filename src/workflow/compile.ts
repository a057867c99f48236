import { containsFullExpression, loadJsonata } from "../expressions/index.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Problem } from "../model/problem.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import { assembleGraph } from "./assemble.ts";
import { checkShape } from "./check-shape.ts";
import { checkBlocks } from "./checks/blocks.ts";
import { checkCompensation } from "./checks/compensation.ts";
import { checkFlow } from "./checks/flow.ts";
import { checkJsonPaths } from "./checks/jsonpaths.ts";
import { checkOperators } from "./checks/operators.ts";
import { checkSchemas } from "./checks/schemas.ts";
import { compileLevel, levelsOf } from "./compile-level.ts";
import { type Draft, levelsIn, readDraft } from "./draft.ts";
import { WORKFLOW } from "./fields.ts";
import { Findings, NOWHERE, type Places } from "./findings.ts";
import { compileFlow } from "./flow/compile-flow.ts";
import { GATHER_KINDS, LIMIT_KINDS } from "./flow/fields.ts";
import type { Definition, Graph } from "./graph.ts";
import { type ParseOptions, parseDefinition } from "./parse.ts";
import { asList, asObject } from "./readers.ts";
import { compileTemplates } from "./step-templates.ts";

export interface CompileDefinitionOptions {
  /** Null: a definition from the ledger, whose operators were checked when it was registered. */
  readonly operators: OperatorCatalog | null;
  /** Where members stand in the file, from `parseDefinition`. */
  readonly places?: Places;
  readonly file?: string;
}

export interface Compiled {
  /** Undefined when a problem is an error. */
  readonly graph: Graph | undefined;
  readonly problems: readonly Problem[];
}

export interface Loaded extends Compiled {
  /** Undefined when the text could not be read. */
  readonly definition: Definition | undefined;
}

/** Checks a definition in one pass and compiles it. Never throws for what the author wrote: all of it is problems. */
export async function compileDefinition(definition: Definition, options: CompileDefinitionOptions): Promise<Compiled> {
  const findings = new Findings(options.places ?? NOWHERE, options.file);
  const graph = await compileInto(findings, definition, options.operators);
  return { graph, problems: findings.list() };
}

export type Compile = typeof compileDefinition;

/** Reads and compiles a definition; the problems of both in one list. */
export async function loadWorkflow(text: string, options: ParseOptions & Pick<CompileDefinitionOptions, "operators">): Promise<Loaded> {
  const { definition, places, problems } = parseDefinition(text, options);
  if (definition === undefined) return { definition, graph: undefined, problems };
  const findings = new Findings(places, options.file, problems);
  const graph = await compileInto(findings, definition, options.operators);
  return { definition, graph, problems: findings.list() };
}

async function compileInto(findings: Findings, definition: Definition, operators: OperatorCatalog | null): Promise<Graph | undefined> {
  const { report } = findings;
  checkShape(WORKFLOW, definition, [], report);
  const draft = readDraft(definition, report);
  if (needsJsonata(draft)) await loadJsonata();
  const flow = compileFlow(definition, report);
  checkFlow(draft, flow, report);
  const templates = compileTemplates(draft, report);
  const root = compileLevel(draft.root, templates.steps, report);
  const levels = levelsOf(root);
  checkBlocks(levels, report);
  checkCompensation(draft, report);
  if (operators !== null) checkOperators(levels, draft.defaults, operators, report);
  await checkJsonPaths(levels, report);
  await checkSchemas(draft, operators, report);
  return findings.hasErrors ? undefined : assembleGraph(draft, root, templates.output, flow);
}

const FIELDS_WITH_EXPRESSIONS: readonly string[] = ["steps", "output", "priority", ...LIMIT_KINDS, ...GATHER_KINDS];

/** Conditions may leave out their braces, so they are asked about once more, as they are compiled. */
function needsJsonata({ definition, root }: Draft): boolean {
  return (
    FIELDS_WITH_EXPRESSIONS.some((field) => containsFullExpression(definition[field] ?? null)) ||
    levelsIn(root).some(({ steps }) =>
      steps.some(({ fields }) => conditionsOf(fields).some((written) => containsFullExpression(written ?? null, true))),
    )
  );
}

function conditionsOf(fields: JsonObject): readonly (Json | undefined)[] {
  const loop = asObject(fields["loop"]);
  return [fields["when"], loop["until"], loop["while"], ...asList(fields["switch"]).map((entry) => asObject(entry)["when"])];
}

import { containsFullExpression, loadJsonata } from "../expressions/index.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Problem } from "../model/problem.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import { assembleGraph } from "./assemble.ts";
import { checkShape } from "./check-shape.ts";
import { checkBranches } from "./checks/branches.ts";
import { checkCycles } from "./checks/cycles.ts";
import { checkJsonPaths } from "./checks/jsonpaths.ts";
import { checkOperators } from "./checks/operators.ts";
import { checkReachability } from "./checks/reachability.ts";
import { checkSchemas } from "./checks/schemas.ts";
import { type Draft, readDraft } from "./draft.ts";
import { connect } from "./edges.ts";
import { WORKFLOW } from "./fields.ts";
import { Findings, NOWHERE, type Places, type Report } from "./findings.ts";
import type { Definition, Graph } from "./graph.ts";
import { type ParseOptions, parseDefinition } from "./parse.ts";
import { asList, asObject } from "./readers.ts";
import { compileTemplates } from "./step-templates.ts";
import { groupEdges, topologicalOrder } from "./topology.ts";

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
  if (draft.steps.some(({ fields }) => needsJsonata(fields)) || containsFullExpression(definition["output"] ?? null)) await loadJsonata();
  const templates = compileTemplates(draft, report);
  const connections = connect(draft, templates, report);
  checkOrder(draft, templates.steps, connections, report);
  if (operators !== null) checkOperators(draft, templates.steps, operators, report);
  await checkJsonPaths(draft, templates.steps, report);
  await checkSchemas(draft, report);
  return findings.hasErrors ? undefined : assembleGraph(draft, templates, connections);
}

function checkOrder(
  draft: Draft,
  templates: ReturnType<typeof compileTemplates>["steps"],
  { edges, targets }: ReturnType<typeof connect>,
  report: Report,
): void {
  const count = draft.steps.length;
  const [incoming, outgoing] = [groupEdges(count, edges, "to"), groupEdges(count, edges, "from")];
  const order = topologicalOrder(incoming, outgoing);
  checkCycles(draft, outgoing, order, report);
  const branches = checkBranches(draft, targets, report);
  checkReachability({ draft, templates, branches, incoming, order }, report);
}

/** Conditions may leave out their braces; with them it is one question for all fields of a step. */
function needsJsonata(fields: JsonObject): boolean {
  const conditions = [fields["when"], ...asList(fields["switch"]).map((entry) => asObject(entry)["when"])];
  return containsFullExpression(fields) || conditions.some((condition) => containsFullExpression(braced(condition)));
}

function braced(condition: Json | undefined): Json {
  return typeof condition === "string" && !condition.includes("{{") ? `{{ ${condition} }}` : null;
}

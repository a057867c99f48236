import { at } from "./at.ts";
import { checkBranches } from "./checks/branches.ts";
import { checkCycles } from "./checks/cycles.ts";
import { checkReachability } from "./checks/reachability.ts";
import { type Level, walk } from "./draft.ts";
import { type Connections, connect } from "./edges.ts";
import type { Report } from "./findings.ts";
import type { StepTemplates } from "./step-templates.ts";
import { groupEdges, topologicalOrder } from "./topology.ts";

/** A level with its expressions and edges. */
export interface CompiledLevel {
  readonly level: Level;
  readonly templates: readonly StepTemplates[];
  readonly connections: Connections;
  /** By ordinal; null for a step that is not a block. */
  readonly bodies: readonly (CompiledLevel | null)[];
}

/** Connects the steps of a level and of all bodies in it, and reports those that wait for each other or never run. */
export function compileLevel(level: Level, templates: readonly StepTemplates[], report: Report): CompiledLevel {
  const connections = connect(level, templates, report);
  checkOrder(level, templates, connections, report);
  const bodies = level.steps.map(({ body, ordinal }) => {
    const block = at(templates, ordinal).block;
    return body === null || block === null ? null : compileLevel(body, block.steps, report);
  });
  return { level, templates, connections, bodies };
}

/** A level and all levels inside it, the outer ones first. */
export function levelsOf(root: CompiledLevel): readonly CompiledLevel[] {
  return walk(root, ({ bodies }) => bodies);
}

function checkOrder(level: Level, templates: readonly StepTemplates[], { edges, targets }: Connections, report: Report): void {
  const count = level.steps.length;
  const [incoming, outgoing] = [groupEdges(count, edges, "to"), groupEdges(count, edges, "from")];
  const order = topologicalOrder(incoming, outgoing);
  checkCycles(level, outgoing, order, report);
  const branches = checkBranches(level, targets, report);
  checkReachability({ level, templates, branches, incoming, order }, report);
}

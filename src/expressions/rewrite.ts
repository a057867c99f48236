import { type AstNode, type CallNode, internalCall, type NodeMarks, type ObjectNode, type PathNode } from "./ast.ts";
import type { Segment } from "./simple.ts";

/** The longest start of a path that the compiled reader can take: names and constant indices. */
export function leadingPath(steps: readonly AstNode[]): { readonly segments: readonly Segment[]; readonly taken: number } {
  const segments: Segment[] = [];
  let taken = 0;
  for (const step of steps) {
    const indices = constantIndices(step);
    if (step.type !== "name" || indices === undefined || !isUnmarked(step)) break;
    segments.push(step.value, ...indices);
    taken++;
  }
  return { segments, taken };
}

/** The step neither binds names nor keeps what a later step looks back for. */
export function isUnmarked(step: NodeMarks): boolean {
  return step.focus === undefined && step.index === undefined && step.tuple !== true && step.keepArray !== true;
}

function constantIndices(step: AstNode): readonly number[] | undefined {
  const indices: number[] = [];
  for (const stage of step.stages ?? []) {
    if (stage.type !== "filter" || stage.expr.type !== "number") return undefined;
    indices.push(Math.floor(Number(stage.expr.value)));
  }
  return indices;
}

/** Marks the nodes whose value is the value of the expression. */
export function markTails(node: AstNode): void {
  const isFinal = node.predicate !== undefined || node.group !== undefined;
  if (node.type === "block" && !isFinal) {
    for (const last of node.expressions.slice(-1)) markTails(last);
  } else if (node.type === "condition" && !isFinal) {
    markTails(node.then);
    if (node.else !== undefined) markTails(node.else);
  } else {
    node.isTail = true;
  }
}

/** `path[]` marks the list that it found; that list may be the scope's own. `keepArray` means the same and marks only sequences. */
export function keepSingletonWithoutMark(path: PathNode): void {
  if (path.keepSingletonArray !== true || path.steps.some((step) => step.type === "unary")) return;
  path.keepSingletonArray = false;
  path.keepArray = true;
}

/** Grouping adds a member to an empty list that it is given; that list may be the scope's own. */
export function groupFresh(group: NonNullable<NodeMarks["group"]>, grouped: AstNode): AstNode {
  if (grouped.type === "path" && grouped.steps.some((step) => step.tuple === true)) return grouped;
  const fresh = internalCall("#fresh", [grouped]);
  fresh.group = group;
  delete grouped.group;
  grouped.keepArray = true;
  return fresh;
}

/** An object is built by grouping what it stands in, which may be an empty list of the scope: `{…}` becomes `fresh($){…}`. */
export function objectFresh(node: ObjectNode): AstNode {
  const object: CallNode = internalCall("#fresh", [{ type: "variable", value: "" }]);
  object.group = { lhs: node.lhs };
  if (node.predicate === undefined && node.group === undefined) return object;
  const block: AstNode = { type: "block", expressions: [object] };
  if (node.predicate !== undefined) block.predicate = node.predicate;
  return block;
}

/** What a path reads from a step itself, whatever the step has become. */
export function moveMarks(from: NodeMarks, to: NodeMarks): void {
  const { stages, focus, index, tuple, ancestor, keepArray } = from;
  const marks = Object.entries({ stages, focus, index, tuple, ancestor, keepArray });
  Object.assign(to, Object.fromEntries(marks.filter(([, mark]) => mark !== undefined)));
}

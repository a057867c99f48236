import type { Read } from "./read.ts";

/**
 * JSONata's syntax tree after its own processing, as far as it is read or rewritten here; nodes are rewritten in place. What
 * the library parses is trusted to have this shape.
 */
export type AstNode =
  | PathNode
  | VariableNode
  | CallNode
  | ConditionNode
  | BinaryNode
  | ObjectNode
  | (NodeMarks & { type: "name"; value: string })
  | (NodeMarks & { type: "string" | "number" | "value" | "regex"; value: unknown })
  | (NodeMarks & { type: "wildcard" | "descendant" | "parent" | "operator" })
  | (NodeMarks & { type: "unary"; value: "["; expressions: AstNode[] })
  | (NodeMarks & { type: "unary"; value: "-"; expression: AstNode })
  | (NodeMarks & { type: "block"; expressions: AstNode[] })
  | (NodeMarks & { type: "apply"; lhs: AstNode; rhs: AstNode })
  | (NodeMarks & { type: "bind"; lhs: VariableNode; rhs: AstNode })
  | (NodeMarks & { type: "lambda"; arguments: VariableNode[]; body: AstNode })
  | (NodeMarks & { type: "transform"; pattern: AstNode; update: AstNode; delete?: AstNode })
  | (NodeMarks & { type: "sort"; terms: { expression: AstNode }[] });

export type PathNode = NodeMarks & { type: "path"; steps: AstNode[]; keepSingletonArray?: boolean };
/** `read`: the variable stands for a path of the scope. */
export type VariableNode = NodeMarks & { type: "variable"; value: string; read?: Read };
export type CallNode = NodeMarks & { type: "function" | "partial"; procedure: AstNode; arguments: AstNode[] };
export type ConditionNode = NodeMarks & { type: "condition"; condition: AstNode; then: AstNode; else?: AstNode };
export type BinaryNode = NodeMarks & { type: "binary"; value: string; lhs: AstNode; rhs: AstNode };
export type ObjectNode = NodeMarks & { type: "unary"; value: "{"; lhs: AstPair[] };
export type AstPair = [AstNode, AstNode];

/** What any node may carry. */
export interface NodeMarks {
  /** Characters from the start of the source to about the end of the token. */
  position?: number;
  /** Predicates of a step in a path. */
  stages?: AstStage[];
  /** Predicates of anything else. */
  predicate?: AstStage[];
  group?: { lhs: AstPair[] };
  /** `@$name` and `#$name` on a step. */
  focus?: string;
  index?: string;
  tuple?: boolean;
  ancestor?: unknown;
  /** `[]`: a sequence of one stays a list. */
  keepArray?: boolean;

  /** What is called: it must be a function. */
  isCallee?: boolean;
  /** The value of an object's member: it must not be a JavaScript function, or the object could pass for a promise. */
  isMember?: boolean;
  /** Gives the value of the whole expression, which keeps its sequences. */
  isTail?: boolean;
}

export type AstStage = { type: "filter"; expr: AstNode } | { type: "index"; value: string };

export function isAstNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "type" in value;
}

/** A call of a function that only rewritten trees can name. */
export function internalCall(name: string, values: AstNode[] = []): CallNode {
  return { type: "function", procedure: { type: "variable", value: name }, arguments: values };
}

export function isCallOf(node: AstNode, name: string): boolean {
  return node.type === "function" && isVariable(node.procedure, name);
}

export function isVariable(node: AstNode, name: string): boolean {
  return node.type === "variable" && node.value === name;
}

import type { Read } from "./read.ts";

/** JSONata's syntax tree after its own processing, as far as it is read or rewritten here. Nodes are rewritten in place. */
export interface AstNode {
  type: string;
  value?: unknown;
  position?: number;
  steps?: AstNode[];
  /** Predicates of a step in a path. */
  stages?: AstStage[];
  /** Predicates of anything else. */
  predicate?: AstStage[];
  group?: AstGroup;
  /** Pairs in an object constructor, a node elsewhere. */
  lhs?: AstNode | AstPair[];
  rhs?: AstNode;
  expression?: AstNode;
  expressions?: AstNode[];
  arguments?: AstNode[];
  procedure?: AstNode;
  body?: AstNode;
  thunk?: boolean;
  condition?: AstNode;
  then?: AstNode;
  else?: AstNode;
  pattern?: AstNode;
  update?: AstNode;
  delete?: AstNode;
  terms?: { expression: AstNode }[];
  focus?: string;
  index?: string;
  tuple?: boolean;
  keepArray?: boolean;
  keepSingletonArray?: boolean;

  /** What is called: it must be a function. */
  isCallee?: boolean;
  /** The value of an object's member: it must not be a JavaScript function, or the object could pass for a promise. */
  isMember?: boolean;
  /** Gives the value of the whole expression, which keeps its sequences. */
  isTail?: boolean;
  /** The variable stands for a path of the scope. */
  read?: Read;
}

export interface AstStage {
  type: string;
  expr?: AstNode;
  value?: unknown;
}

export type AstPair = [AstNode, AstNode];

export interface AstGroup {
  lhs: AstPair[];
}

export function isAstNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** A call of a function that only rewritten trees can name. */
export function internalCall(name: string, position: number | undefined, argument?: AstNode): AstNode {
  const place = position === undefined ? {} : { position };
  const procedure: AstNode = { type: "variable", value: name, ...place };
  return { type: "function", value: "(", ...place, procedure, arguments: argument === undefined ? [] : [argument] };
}

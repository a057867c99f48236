import { isScalar } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { AstNode, BinaryNode, CallNode, ConditionNode } from "./ast.ts";
import type { CheckedFunction } from "./function-value.ts";
import { type Read, readScope } from "./read.ts";
import type { Scope } from "./template.ts";

/** Nothing is said: JSONata itself must evaluate the expression, which also has the words for what is wrong with it. */
export const UNDECIDED = Symbol("undecided");

/** Gives what JSONata would give, or `UNDECIDED`; never throws. */
export type Direct = (scope: Scope) => unknown;

type Functions = ReadonlyMap<string, CheckedFunction>;

/** Of JSONata's functions those that give text, a number or a boolean, at once and from their arguments alone. */
export const DIRECT_FUNCTIONS: readonly string[] = [
  ...["abs", "average", "boolean", "ceil", "count", "exists", "floor", "length", "lowercase", "max", "min", "not", "number", "power"],
  ...["round", "sqrt", "string", "substring", "substringAfter", "substringBefore", "sum", "trim", "type", "uppercase"],
];

/** Deeper ones are rare, and JSONata counts how deep they are. */
const MAX_DEPTH = 32;

/**
 * Compiles a rewritten tree to be evaluated at once, without JSONata's evaluator, which makes promises for each node. Null when it holds more
 * than operators on text and numbers, conditions, paths of the scope and calls of `DIRECT_FUNCTIONS`, which remain the library's own. Values that
 * an operator does not expect, and everything that JSONata refuses, are left to it when they come.
 */
export function compileDirect(tree: AstNode, functions: Functions): Direct | null {
  return new DirectCompiler(functions).compile(tree, 0);
}

class DirectCompiler {
  private readonly functions: Functions;

  constructor(functions: Functions) {
    this.functions = functions;
  }

  compile(node: AstNode, depth: number): Direct | null {
    if (depth > MAX_DEPTH || node.predicate !== undefined || node.group !== undefined) return null;
    switch (node.type) {
      case "string":
      case "number":
      case "value":
        return () => node.value;
      case "variable":
        return node.read === undefined ? null : reading(node.read);
      case "block": {
        const [only, ...others] = node.expressions;
        return only === undefined || others.length > 0 ? null : this.compile(only, depth + 1);
      }
      case "condition":
        return this.condition(node, depth + 1);
      case "binary":
        return this.binary(node, depth + 1);
      case "function":
        return this.call(node, depth + 1);
      default:
        return null;
    }
  }

  private condition(node: ConditionNode, depth: number): Direct | null {
    const condition = this.compile(node.condition, depth);
    const then = this.compile(node.then, depth);
    const otherwise = node.else === undefined ? () => undefined : this.compile(node.else, depth);
    if (condition === null || then === null || otherwise === null) return null;
    return (scope) => {
      const holds = condition(scope);
      if (typeof holds !== "boolean") return UNDECIDED;
      return holds ? then(scope) : otherwise(scope);
    };
  }

  private binary({ value: operator, lhs, rhs }: BinaryNode, depth: number): Direct | null {
    const left = this.compile(lhs, depth);
    const right = this.compile(rhs, depth);
    if (left === null || right === null) return null;
    if (operator === "and" || operator === "or") return connecting(operator === "or", left, right);
    const operate = OPERATORS[operator];
    return operate === undefined ? null : (scope) => operate(left(scope), right(scope));
  }

  private call({ procedure, arguments: values }: CallNode, depth: number): Direct | null {
    const native = procedure.type === "variable" && procedure.predicate === undefined ? this.functions.get(procedure.value) : undefined;
    const given = values.map((value) => this.compile(value, depth)).filter((value) => value !== null);
    if (native === undefined || given.length < values.length) return null;
    return calling(native, given);
  }
}

function reading(read: Read): Direct {
  const absent = read.strict === null ? undefined : UNDECIDED;
  return (scope) => {
    const value = readScope(scope, read);
    return value === undefined ? absent : value;
  };
}

function connecting(isOr: boolean, left: Direct, right: Direct): Direct {
  return (scope) => {
    const first = left(scope);
    if (typeof first !== "boolean") return UNDECIDED;
    if (first === isOr) return first;
    const second = right(scope);
    return typeof second === "boolean" ? second : UNDECIDED;
  };
}

function calling({ implementation, signature }: CheckedFunction, given: readonly Direct[]): Direct {
  return (scope) => {
    const values = given.map((value) => value(scope));
    if (values.some(isUnfit)) return UNDECIDED;
    try {
      return decided(Reflect.apply(implementation, undefined, signature.validate(values, scope)));
    } catch {
      // JSONata will refuse it again, and say where
      return UNDECIDED;
    }
  };
}

/** Data that JSONata takes for a function becomes one when it is an argument. */
function isUnfit(value: unknown): boolean {
  return (
    value === UNDECIDED || (typeof value === "object" && value !== null && ("_jsonata_function" in value || "_jsonata_lambda" in value))
  );
}

/** What is too long, or no number any more, is refused by JSONata's evaluation. */
function decided(value: unknown): unknown {
  if (typeof value === "string") return value.length <= LIMITS.payloadBytes ? value : UNDECIDED;
  return typeof value === "number" && !Number.isFinite(value) ? UNDECIDED : value;
}

type Operate = (left: unknown, right: unknown) => unknown;

const OPERATORS: Readonly<Record<string, Operate>> = {
  "+": onNumbers((left, right) => left + right),
  "-": onNumbers((left, right) => left - right),
  "*": onNumbers((left, right) => left * right),
  "/": onNumbers((left, right) => left / right),
  "%": onNumbers((left, right) => left % right),
  "=": onSimple((left, right) => left === right),
  "!=": onSimple((left, right) => left !== right),
  "<": onAlike((left, right) => left < right),
  "<=": onAlike((left, right) => left <= right),
  ">": onAlike((left, right) => left > right),
  ">=": onAlike((left, right) => left >= right),
  "&": concatenate,
};

function onNumbers(operate: (left: number, right: number) => number): Operate {
  return (left, right) => (typeof left === "number" && typeof right === "number" ? decided(operate(left, right)) : UNDECIDED);
}

function onSimple(operate: (left: unknown, right: unknown) => boolean): Operate {
  return (left, right) => (isSimple(left) && isSimple(right) ? operate(left, right) : UNDECIDED);
}

/** Equal when it is identical. */
function isSimple(value: unknown): boolean {
  return value === null || isScalar(value);
}

/** Two numbers or two texts. */
function onAlike(operate: (left: string | number, right: string | number) => boolean): Operate {
  return (left, right) => {
    if (typeof left === "number") return typeof right === "number" ? operate(left, right) : UNDECIDED;
    return typeof left === "string" && typeof right === "string" ? operate(left, right) : UNDECIDED;
  };
}

function concatenate(left: unknown, right: unknown): unknown {
  const first = textOf(left);
  const second = textOf(right);
  return first === undefined || second === undefined ? UNDECIDED : decided(first + second);
}

/** JSONata writes numbers with 15 digits. */
const FIRST_ROUNDED = 1e15;

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < FIRST_ROUNDED ? String(value) : undefined;
}

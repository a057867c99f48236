import { invariant } from "../model/errors.ts";
import { isJsonObject, type Json, setOwn, toJson } from "../model/json.ts";
import {
  type CompiledExpression,
  compileExpression,
  type Expression,
  evaluateFull,
  evaluateSimple,
  interpolate,
  type SimpleKind,
} from "./expression.ts";
import { parseSimple } from "./simple.ts";
import { type Part, splitBare, splitTemplate } from "./split.ts";
import type { CompiledTemplate, CompileOptions, EvaluationContext, Reference, Scope, Template, TemplateProblem } from "./template.ts";

type Place = Reference["at"];

/** A template as a tree of what is constant and what is evaluated. `isAsync`: an expression inside needs JSONata. */
type Node =
  | { readonly kind: "constant"; readonly value: Json; readonly isAsync: false }
  | { readonly kind: "expression"; readonly expression: Expression; readonly isAsync: boolean }
  | { readonly kind: "text"; readonly parts: readonly (string | Expression)[]; readonly isAsync: boolean }
  | { readonly kind: "list"; readonly items: readonly Node[]; readonly isAsync: boolean }
  | { readonly kind: "object"; readonly members: readonly (readonly [string, Node])[]; readonly isAsync: boolean };

type Composite = Extract<Node, { kind: "text" | "list" | "object" }>;

/** Whether any string of the value holds an expression that is more than a literal or a plain path. */
export function containsFullExpression(source: Json, bare = false): boolean {
  if (typeof source === "string") {
    const parts = bare ? splitBare(source) : splitTemplate(source);
    return parts.some((part) => part.kind === "expression" && parseSimple(part.source) === undefined);
  }
  if (Array.isArray(source)) return source.some((item: Json) => containsFullExpression(item));
  return isJsonObject(source) && Object.values(source).some((member) => containsFullExpression(member));
}

/**
 * Compiles a value whose strings may hold `{{ … }}`; everything wrong with it is in `problems`. An expression gives text with
 * two braces when the braces are a string inside it: `{{ '{{' }}`.
 *
 * `loadJsonata()` must have resolved when the source contains a full expression.
 */
export function compileTemplate(source: Json, options: CompileOptions): CompiledTemplate {
  return new Compiler(options).compile(source);
}

class Compiler {
  private readonly options: CompileOptions;
  private readonly references: Reference[] = [];
  private readonly problems: TemplateProblem[] = [];

  constructor(options: CompileOptions) {
    this.options = options;
  }

  compile(source: Json): CompiledTemplate {
    const root = this.root(source);
    const { references, problems } = this;
    const template: Template = {
      source,
      references,
      isConstant: root.kind === "constant",
      evaluate: (scope, context) => {
        invariant(problems.length === 0, "a template with problems was evaluated");
        return evaluate(root, scope, context);
      },
    };
    return { template, problems };
  }

  private root(source: Json): Node {
    const { expect, bare } = this.options;
    const node =
      typeof source === "string"
        ? this.string(source, [], bare === true ? splitBare(source) : splitTemplate(source), expect)
        : this.node(source, []);
    if (this.problems.length === 0 && expect !== "any" && !canBe(expect, node)) {
      const hint = node.kind === "text" ? `Put the whole ${NOUNS[expect]} between one pair of braces.` : HINTS[expect];
      const message =
        expect === "list"
          ? "this must be a list, or one expression that gives a list"
          : "a condition must be true, false or one expression";
      this.problems.push({ code: "EXPRESSION_TYPE", message, hint, at: [], offset: 0 });
    }
    return node;
  }

  private node(source: Json, at: Place): Node {
    if (typeof source === "string") return this.string(source, at, splitTemplate(source), "any");
    if (Array.isArray(source)) {
      const items = source.map((item: Json, index) => this.node(item, [...at, index]));
      return items.every(isConstant) ? constant(source) : { kind: "list", items, isAsync: items.some((item) => item.isAsync) };
    }
    if (!isJsonObject(source)) return constant(source);
    const members = Object.entries(source).map(([name, member]) => [name, this.node(member, [...at, name])] as const);
    if (members.every(([, member]) => isConstant(member))) return constant(source);
    return { kind: "object", members, isAsync: members.some(([, member]) => member.isAsync) };
  }

  private string(source: string, at: Place, parts: readonly Part[], expect: CompileOptions["expect"]): Node {
    const [first] = parts;
    if (parts.length === 1 && first?.kind === "expression") {
      const expression = this.adopt(compileExpression(first, at, expect), at);
      return { kind: "expression", expression, isAsync: expression.kind === "full" };
    }
    const compiled: (string | Expression)[] = [];
    for (const part of parts) {
      if (part.kind === "text") compiled.push(part.text);
      else if (part.kind === "expression") compiled.push(this.adopt(compileExpression(part, at, "any"), at));
      else this.unclosed(at, part.offset);
    }
    if (compiled.every((part) => typeof part === "string")) return constant(source);
    return { kind: "text", parts: compiled, isAsync: compiled.some((part) => typeof part !== "string" && part.kind === "full") };
  }

  private adopt({ expression, references, problems }: CompiledExpression, at: Place): Expression {
    this.references.push(...references.map((reference) => ({ ...reference, at })));
    this.problems.push(...problems);
    return expression;
  }

  private unclosed(at: Place, offset: number): void {
    const hint = "Close it with }}; {{ '{{' }} gives two braces as text.";
    this.problems.push({ code: "EXPRESSION_SYNTAX", message: "an expression is not closed", hint, at, offset });
  }
}

function constant(value: Json): Node {
  return { kind: "constant", value, isAsync: false };
}

const NOUNS = { boolean: "condition", list: "list" } as const;
const HINTS = {
  boolean: "Write a condition: {{ input.total > 100 }}.",
  list: "Write an expression that gives a list: {{ input.lines }}.",
} as const;

function canBe(expect: "boolean" | "list", node: Node): boolean {
  if (expect === "boolean") return node.kind === "expression" || (node.kind === "constant" && typeof node.value === "boolean");
  if (node.kind === "expression") return node.expression.kind !== "literal";
  return node.kind === "list" || (node.kind === "constant" && Array.isArray(node.value));
}

function isConstant(node: Node): boolean {
  return node.kind === "constant";
}

function evaluateNow(node: Node, scope: Scope): Json {
  switch (node.kind) {
    case "constant":
      // A copy: whoever is given it may change it, and the template outlives the run.
      return toJson(node.value, "a template");
    case "expression":
      return evaluateSimple(simple(node.expression), scope);
    case "text":
      return node.parts.map((part) => (typeof part === "string" ? part : interpolate(part, evaluateSimple(simple(part), scope)))).join("");
    case "list":
      return node.items.map((item) => evaluateNow(item, scope));
    case "object":
      return objectNow(node.members, scope);
  }
}

function evaluate(node: Node, scope: Scope, context: EvaluationContext): Json | Promise<Json> {
  if (!node.isAsync) return evaluateNow(node, scope);
  return node.kind === "expression" ? evaluateOne(node.expression, scope, context) : evaluateLater(node, scope, context);
}

function evaluateOne(expression: Expression, scope: Scope, context: EvaluationContext): Json | Promise<Json> {
  return expression.kind === "full" ? evaluateFull(expression, scope, context) : evaluateSimple(expression, scope);
}

/** In order, one after the other: which error is reported must not depend on timing. */
async function evaluateLater(node: Composite, scope: Scope, context: EvaluationContext): Promise<Json> {
  switch (node.kind) {
    case "text": {
      let text = "";
      for (const part of node.parts) text += typeof part === "string" ? part : interpolate(part, await evaluateOne(part, scope, context));
      return text;
    }
    case "list": {
      const items: Json[] = [];
      for (const item of node.items) items.push(await evaluate(item, scope, context));
      return items;
    }
    case "object": {
      const object: Record<string, Json> = {};
      for (const [name, member] of node.members) {
        const value = evaluate(member, scope, context);
        setOwn(object, name, value instanceof Promise ? await value : value);
      }
      return object;
    }
  }
}

function simple(expression: Expression): SimpleKind {
  invariant(expression.kind !== "full", "an expression that needs JSONata was evaluated at once");
  return expression;
}

function objectNow(members: readonly (readonly [string, Node])[], scope: Scope): Json {
  const object: Record<string, Json> = {};
  for (const [name, member] of members) setOwn(object, name, evaluateNow(member, scope));
  return object;
}

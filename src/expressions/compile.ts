import { invariant } from "../model/errors.ts";
import { isJsonObject, type Json, setOwn, toJson } from "../model/json.ts";
import { type CompiledExpression, compileExpression, type Expression, evaluateDirectly, evaluateFull, interpolate } from "./expression.ts";
import { parseSimple } from "./simple.ts";
import { type Part, splitBare, splitTemplate } from "./split.ts";
import type { CompiledTemplate, CompileOptions, EvaluationContext, Reference, Scope, Template, TemplateProblem } from "./template.ts";

type Place = Reference["at"];

/** A template as a tree of what is constant and what is evaluated. `isDirect`: no expression inside always needs JSONata. */
type Node =
  | { readonly kind: "constant"; readonly value: Json; readonly isDirect: true }
  | { readonly kind: "expression"; readonly expression: Expression; readonly isDirect: boolean }
  | { readonly kind: "text"; readonly parts: readonly (string | Expression)[]; readonly isDirect: boolean }
  | { readonly kind: "list"; readonly items: readonly Node[]; readonly isDirect: boolean }
  | { readonly kind: "object"; readonly members: readonly (readonly [string, Node])[]; readonly isDirect: boolean };

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
      return items.every(isConstant) ? constant(source) : { kind: "list", items, isDirect: items.every((item) => item.isDirect) };
    }
    if (!isJsonObject(source)) return constant(source);
    const members = Object.entries(source).map(([name, member]) => [name, this.node(member, [...at, name])] as const);
    if (members.every(([, member]) => isConstant(member))) return constant(source);
    return { kind: "object", members, isDirect: members.every(([, member]) => member.isDirect) };
  }

  private string(source: string, at: Place, parts: readonly Part[], expect: CompileOptions["expect"]): Node {
    const [first] = parts;
    if (parts.length === 1 && first?.kind === "expression") {
      const expression = this.adopt(compileExpression(first, at, expect), at);
      return { kind: "expression", expression, isDirect: isDirect(expression) };
    }
    const compiled: (string | Expression)[] = [];
    for (const part of parts) {
      if (part.kind === "text") compiled.push(part.text);
      else if (part.kind === "expression") compiled.push(this.adopt(compileExpression(part, at, "any"), at));
      else this.unclosed(at, part.offset);
    }
    if (compiled.every((part) => typeof part === "string")) return constant(source);
    return { kind: "text", parts: compiled, isDirect: compiled.every((part) => typeof part === "string" || isDirect(part)) };
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
  return { kind: "constant", value, isDirect: true };
}

function isDirect(expression: Expression): boolean {
  return expression.kind !== "full" || expression.direct !== null;
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

function evaluate(node: Node, scope: Scope, context: EvaluationContext): Json | Promise<Json> {
  if (node.kind === "constant") return copyOf(node.value);
  if (node.kind === "expression") return evaluateOne(node.expression, scope, context);
  const value = node.isDirect ? evaluateNow(node, scope) : undefined;
  return value === undefined ? evaluateLater(node, scope, context) : value;
}

function evaluateOne(expression: Expression, scope: Scope, context: EvaluationContext): Json | Promise<Json> {
  const value = evaluateDirectly(expression, scope);
  if (value !== undefined) return value;
  invariant(expression.kind === "full", "an expression that needs no JSONata has a value or an error");
  return evaluateFull(expression, scope, context);
}

/** Whoever is given it may change it, and the template outlives the run. */
function copyOf(value: Json): Json {
  return toJson(value, "a template");
}

/** Undefined when only JSONata can tell the value of an expression in it. */
function evaluateNow(node: Node, scope: Scope): Json | undefined {
  switch (node.kind) {
    case "constant":
      return copyOf(node.value);
    case "expression":
      return evaluateDirectly(node.expression, scope);
    case "text":
      return textNow(node.parts, scope);
    case "list":
      return listNow(node.items, scope);
    case "object":
      return objectNow(node.members, scope);
  }
}

function textNow(parts: readonly (string | Expression)[], scope: Scope): Json | undefined {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
    } else {
      const value = evaluateDirectly(part, scope);
      if (value === undefined) return undefined;
      text += interpolate(part, value);
    }
  }
  return text;
}

function listNow(items: readonly Node[], scope: Scope): Json | undefined {
  const list: Json[] = [];
  for (const item of items) {
    const value = evaluateNow(item, scope);
    if (value === undefined) return undefined;
    list.push(value);
  }
  return list;
}

function objectNow(members: readonly (readonly [string, Node])[], scope: Scope): Json | undefined {
  const object: Record<string, Json> = {};
  for (const [name, member] of members) {
    const value = evaluateNow(member, scope);
    if (value === undefined) return undefined;
    setOwn(object, name, value);
  }
  return object;
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

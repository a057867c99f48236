import { type Json, jsonTypeOf } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { explainAbsence } from "./absence.ts";
import { type Direct, UNDECIDED } from "./direct.ts";
import { compileFull, type EvaluateFull } from "./jsonata.ts";
import { readList, readPath } from "./path.ts";
import { toPlain } from "./plain.ts";
import { type FoundReference, referenceTo } from "./reference.ts";
import { type ExpressionPlace, Refusal, toError } from "./refusal.ts";
import { parseSimple, type Segment } from "./simple.ts";
import type { Part } from "./split.ts";
import type { CompileOptions, EvaluationContext, Scope, TemplateProblem } from "./template.ts";

/** One `{{ … }}`, ready to be evaluated. */
export type Expression = ExpressionPlace & { readonly expect: CompileOptions["expect"] } & (
    | { readonly kind: "literal"; readonly value: Json }
    | { readonly kind: "path"; readonly segments: readonly Segment[] }
    | { readonly kind: "full"; readonly evaluate: EvaluateFull; readonly direct: Direct | null }
  );

export type FullKind = Extract<Expression, { kind: "full" }>;

export interface CompiledExpression {
  readonly expression: Expression;
  readonly references: readonly FoundReference[];
  readonly problems: readonly TemplateProblem[];
}

export type ExpressionPart = Extract<Part, { kind: "expression" }>;

/** Each doubles the parser's work; nobody nests defaults so deep on their left side. */
const MAX_DOUBLINGS = 6;

export function compileExpression(part: ExpressionPart, at: ExpressionPlace["at"], expect: CompileOptions["expect"]): CompiledExpression {
  const source = part.source.trim();
  const start = part.offset + (part.source.length - part.source.trimStart().length);
  const place = { source, at, expect };
  const refuse = (problem: Omit<TemplateProblem, "at" | "offset">, offset = start): CompiledExpression => ({
    expression: { ...place, ...UNUSABLE },
    references: [],
    problems: [{ ...problem, at, offset }],
  });

  if (source === "") return refuse({ code: "EXPRESSION_SYNTAX", message: "an expression is empty", hint: EMPTY_HINT });
  if (source.length > LIMITS.expressionLength) {
    const message = `an expression of ${source.length} characters is longer than the ${LIMITS.expressionLength} that are allowed`;
    return refuse({ code: "EXPRESSION_LIMIT", message, hint: "Move the data into `vars` or the input, or the work into an operator." });
  }
  const simple = parseSimple(source);
  if (simple?.kind === "literal") return { expression: { ...place, ...simple }, references: [], problems: [] };
  if (simple?.kind === "path")
    return { expression: { ...place, ...simple }, references: [referenceTo(simple.segments, false)], problems: [] };
  if (part.doublings > MAX_DOUBLINGS) {
    const hint = "Write a ?? b ?? c without parentheses.";
    return refuse({ code: "EXPRESSION_LIMIT", message: `defaults are nested more than ${MAX_DOUBLINGS} deep`, hint });
  }

  const full = compileFull(source, expect === "list", `${at.join(".")}\u0000${source}`);
  const problems = full.problems.map(({ message, hint, offset, isLimit }) => ({
    code: isLimit === true ? ("EXPRESSION_LIMIT" as const) : ("EXPRESSION_SYNTAX" as const),
    message,
    ...(hint === undefined ? {} : { hint }),
    at,
    offset: start + Math.min(offset, source.length),
  }));
  const { references, evaluate, direct } = full;
  return { expression: evaluate === null ? { ...place, ...UNUSABLE } : { ...place, kind: "full", evaluate, direct }, references, problems };
}

/** Stands for an expression with problems; the template that holds it is never evaluated. */
const UNUSABLE = { kind: "literal", value: null } as const;
const EMPTY_HINT = "Write a path or a JSONata expression between the braces; {{ '{{' }} gives two braces as text.";

/**
 * The value of one expression; undefined when only JSONata can tell.
 * @throws StepwellError as `Template.evaluate`
 */
export function evaluateDirectly(expression: Expression, scope: Scope): Json | undefined {
  if (expression.kind === "literal") return finish(expression, expression.value);
  if (expression.kind === "full") {
    const value = expression.direct === null ? UNDECIDED : expression.direct(scope);
    return value === UNDECIDED ? undefined : finish(expression, value);
  }
  const { segments, expect } = expression;
  const value = expect === "list" ? readList(scope, segments) : readPath(scope, segments);
  if (value === undefined || (Array.isArray(value) && value.length === 0 && expect === "list")) {
    const refusal = explainAbsence(scope, segments);
    if (refusal !== undefined) throw toError(refusal, expression);
  }
  return finish(expression, value);
}

/** The value of one expression by JSONata; rejects as `Template.evaluate` does. */
export function evaluateFull(expression: FullKind, scope: Scope, context: EvaluationContext): Promise<Json> {
  return expression.evaluate(
    scope,
    context,
    (value) => finish(expression, value),
    (error) => {
      throw toError(error, expression);
    },
  );
}

function finish(expression: Expression, value: unknown): Json {
  try {
    if (value === undefined) throw new Refusal("EXPRESSION_UNRESOLVED", "it has no value", "Give one for that case: `… ?? 'default'`.");
    const plain = toPlain(value);
    if (expression.expect === "boolean" && typeof plain !== "boolean") throw notACondition(plain);
    return plain;
  } catch (error) {
    throw toError(error, expression);
  }
}

function notACondition(value: Json): Refusal {
  const message = `a condition must give true or false, and this gives ${jsonTypeOf(value)}`;
  return new Refusal("EXPRESSION_TYPE", message, "Compare it (… = …), or use $boolean(…) or $exists(…).");
}

/** A value inside text: a string as it is, numbers and booleans as JSON. */
export function interpolate(expression: Expression, value: Json): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return JSON.stringify(value);
  const message = `it gives ${jsonTypeOf(value)}, which cannot stand inside a text`;
  throw toError(new Refusal("EXPRESSION_TYPE", message, "Use $string(…) for its JSON, or let the expression stand alone."), expression);
}

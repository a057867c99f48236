import { type Json, toJson } from "../../model/json.ts";
import { expressionOf, type Held, recordPaths } from "./reference.ts";

/** A text around references: `` text`${$.vars.shop}/orders/${$.input.orderId}` ``. */
export function text(strings: TemplateStringsArray, ...values: readonly Held<unknown>[]): string {
  return strings.map((part, index) => (index < values.length ? `${part}{{ ${literal(values[index])} }}` : part)).join("");
}

/**
 * An expression around references and values: `` expression`${$.steps.risk.output.score} > ${0.7}` ``. References stand as paths,
 * anything else as a JSON literal, so that no text can leave its quotes. What it gives is the caller's claim.
 *
 * @throws StepwellError `VALUE_NOT_JSON` for a value that is neither a reference nor JSON
 */
export function expression<Value = Json>(strings: TemplateStringsArray, ...values: readonly unknown[]): Held<Value>;
export function expression(strings: TemplateStringsArray, ...values: readonly unknown[]): Held<Json> {
  const parts = strings.map((part, index) => (index < values.length ? `${part}${literal(values[index])}` : part));
  return recordPaths(parts.join(""), false);
}

/** A reference or, where it is absent (a skipped step, a missing member), a value. */
export function orElse<Value, Other>(value: Held<Value>, other: Other): Held<Value | Other>;
export function orElse(value: Held<unknown>, other: unknown): Held<Json> {
  return recordPaths(`${literal(value)} ?? ${literal(other)}`, false);
}

function literal(value: unknown): string {
  return expressionOf(value) ?? JSON.stringify(toJson(value, "a value in an expression"));
}

/** A value of the builder as a definition holds it: references become `{{ … }}`. */
export function toDefinitionValue(value: unknown, what: string): Json {
  const found = expressionOf(value);
  if (found !== undefined) return `{{ ${found} }}`;
  if (Array.isArray(value)) return value.map((member: unknown, index) => toDefinitionValue(member, `${what}[${index}]`));
  if (typeof value !== "object" || value === null) return toJson(value, what);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([name, member]) => [name, toDefinitionValue(member, `${what}.${name}`)]));
}

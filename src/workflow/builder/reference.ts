import type { Json } from "../../model/json.ts";

declare const held: unique symbol;

/** A value that is known only while a workflow runs; while it is built it stands for an expression. */
export interface Held<Value> {
  readonly [held]: Value;
}

/** A held value whose members are held values too: `$.input.order.id`. */
export type Reference<Value> = unknown extends Value
  ? AnyReference
  : [Json] extends [Value]
    ? AnyReference
    : Held<Value> & Members<NonNullable<Value>>;

/** A reference to JSON of which nothing more is known. */
export interface AnyReference extends Held<Json> {
  readonly [member: string]: AnyReference;
}

type Members<Value> = [Value] extends [readonly (infer Item)[]]
  ? { readonly [index: number]: Reference<Item> }
  : [Value] extends [object]
    ? { readonly [Name in keyof Value]-?: Reference<Exclude<Value[Name], undefined>> }
    : unknown;

/** What a value with references in it is when the step runs. */
export type Resolved<Value> =
  Value extends Held<infer Inner>
    ? Inner
    : Value extends readonly unknown[]
      ? { readonly [Index in keyof Value]: Resolved<Value[Index]> }
      : Value extends object
        ? { readonly [Name in keyof Value]: Resolved<Value[Name]> }
        : Value;

const NAME = /^[A-Za-z_]\w*$/;
const INDEX = /^\d+$/;
/** Words that JSONata reads as something else than a name. */
const KEYWORDS: readonly string[] = ["true", "false", "null", "and", "or", "in", "function"];

/** The expression, without its braces, that each reference stands for. */
const expressions = new WeakMap<object, string>();

/** An object on which every path can be read; a path written into a template string becomes `{{ path }}`. */
export function recordPaths(expression: string, canHaveMembers?: boolean): AnyReference;
export function recordPaths(expression: string, canHaveMembers = true): object {
  const proxy = new Proxy(Object.freeze({}), {
    get(_, member) {
      if (member === Symbol.toPrimitive) return () => `{{ ${expression} }}`;
      if (typeof member === "symbol") return undefined;
      if (!canHaveMembers) throw new TypeError(`An expression has no members: put .${member} inside it`);
      return recordPaths(`${expression}${segment(member)}`);
    },
  });
  expressions.set(proxy, expression);
  return proxy;
}

/** The expression that a value stands for; undefined when the value is an ordinary one. */
export function expressionOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null ? expressions.get(value) : undefined;
}

function segment(member: string): string {
  if (INDEX.test(member)) return `[${member}]`;
  return NAME.test(member) && !KEYWORDS.includes(member) ? `.${member}` : `.${quotedName(member)}`;
}

function quotedName(member: string): string {
  if (member.includes("`")) throw new TypeError(`An expression cannot name a member with a backtick: ${member}`);
  return `\`${member}\``;
}

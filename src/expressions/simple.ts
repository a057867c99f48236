import type { Json } from "../model/json.ts";

/** A member name, or a constant index as in `items[0]`. */
export type Segment = string | number;

/** An expression that needs no JSONata. */
export type SimpleExpression =
  | { readonly kind: "path"; readonly segments: readonly Segment[] }
  | { readonly kind: "literal"; readonly value: Json };

const NAME = "(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]+`)";
const INDEX = "\\[ *-?(?:0|[1-9][0-9]{0,8}) *\\]";
const PATH = new RegExp(`^${NAME}(?:\\.${NAME}|${INDEX})*$`);
const PATH_PART = new RegExp(`${NAME}|${INDEX}`, "g");
const STRING = /^(?:'[^'\\]*'|"[^"\\]*")$/;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
/** Words that JSONata does not read as plain names everywhere. */
const RESERVED: ReadonlySet<string> = new Set(["and", "or", "in", "true", "false", "null", "function"]);
const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Recognises literals and plain paths, with JSONata's meaning; undefined when the expression needs JSONata. */
export function parseSimple(source: string): SimpleExpression | undefined {
  const text = source.trim();
  const word = WORDS.get(text);
  if (word !== undefined) return { kind: "literal", value: word };
  if (STRING.test(text)) return { kind: "literal", value: text.slice(1, -1) };
  if (NUMBER.test(text)) {
    const value = Number(text);
    // JSONata refuses a number that does not fit; leave the message to it. Adding 0 turns -0 into 0, as JSON text would.
    return Number.isFinite(value) ? { kind: "literal", value: value + 0 } : undefined;
  }
  return PATH.test(text) ? parsePath(text) : undefined;
}

function parsePath(text: string): SimpleExpression | undefined {
  const segments: Segment[] = [];
  for (const [part] of text.matchAll(PATH_PART)) {
    if (RESERVED.has(part)) return undefined;
    if (part.startsWith("[")) segments.push(Number(part.slice(1, -1)));
    else segments.push(part.startsWith("`") ? part.slice(1, -1) : part);
  }
  return { kind: "path", segments };
}

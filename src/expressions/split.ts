import { scanExpression } from "./scan.ts";

/** A string of a definition is text and expressions in turn. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  /** `offset`: where the source starts in the string. `doublings`: see `Scan`. */
  | { readonly kind: "expression"; readonly source: string; readonly offset: number; readonly doublings: number }
  | { readonly kind: "unclosed"; readonly offset: number };

const OPEN = "{{";
const CLOSE = "}}";

/** Splits at `{{ … }}`. Braces inside the strings, names, comments and objects of an expression do not end it. */
export function splitTemplate(text: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf(OPEN, at);
    const end = open === -1 ? text.length : open;
    if (end > at) parts.push({ kind: "text", text: text.slice(at, end) });
    if (open === -1) return parts;
    const offset = open + OPEN.length;
    const scan = scanExpression(text, offset, true);
    if (!scan.isClosed) return [...parts, { kind: "unclosed", offset: open }];
    parts.push({ kind: "expression", source: text.slice(offset, scan.end), offset, doublings: scan.doublings });
    at = scan.end + CLOSE.length;
  }
}

/** The parts of a string that may also be one expression without braces. */
export function splitBare(text: string): readonly Part[] {
  if (text.includes(OPEN)) return splitTemplate(text);
  return [{ kind: "expression", source: text, offset: 0, doublings: scanExpression(text, 0, false).doublings }];
}

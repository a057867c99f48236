import { isMap, isScalar, isSeq, type LineCounter, type ParsedNode, type Scalar } from "yaml";
import type { Position } from "../model/problem.ts";
import type { Places, Spot } from "./findings.ts";
import type { Path } from "./path.ts";

/** A member of a list or a map; an item of a list is its own key. */
interface Member {
  readonly key: ParsedNode;
  readonly value: ParsedNode | null;
}

/** Looks paths up in the syntax tree, only when asked: most definitions have no problem to place. */
export function placesOf(root: ParsedNode, text: string, lines: LineCounter): Places {
  return (path, spot = {}) => positionAt(lines, offsetOf(root, path, spot, text));
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function offsetOf(root: ParsedNode, path: Path, spot: Spot, text: string): number {
  let node: ParsedNode | null = root;
  let start = root.range[0];
  for (const part of path) {
    const member = memberOf(node, part);
    if (member === undefined) return start;
    node = member.value;
    start = isScalar(node) && spot.key !== true ? node.range[0] : member.key.range[0];
  }
  return isScalar(node) && spot.offset !== undefined ? start + characterOf(node, spot.offset, text) : start;
}

function memberOf(node: ParsedNode | null, part: string | number): Member | undefined {
  if (isSeq(node)) {
    const item = typeof part === "number" ? node.items[part] : undefined;
    return item === undefined ? undefined : { key: item, value: item };
  }
  return isMap(node) ? node.items.findLast(({ key }) => isScalar(key) && key.value === part) : undefined;
}

/** A string that the source holds verbatim (no escapes, no folding) can be placed to the character; else its start must do. */
function characterOf({ value, range }: Scalar.Parsed, offset: number, text: string): number {
  const verbatim = typeof value === "string" ? text.slice(range[0], range[1]).indexOf(value) : -1;
  return verbatim < 0 ? 0 : verbatim + offset;
}

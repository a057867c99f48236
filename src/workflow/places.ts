import { isMap, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import type { Position } from "../model/problem.ts";
import type { Places, Spot } from "./findings.ts";
import type { Path } from "./path.ts";

/** Looks paths up in the syntax tree, only when asked: most definitions have no problem to place. */
export function placesOf(root: Node | null, text: string, lines: LineCounter): Places {
  return (path, spot) => {
    const offset = offsetOf(root, path, spot ?? {}, text);
    return offset === undefined ? undefined : positionAt(lines, offset);
  };
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function offsetOf(root: Node | null, path: Path, spot: Spot, text: string): number | undefined {
  let node = root;
  let start = startOf(root);
  let found = true;
  for (const part of path) {
    const member = memberOf(node, part);
    found = member !== undefined;
    if (member === undefined) break;
    node = member.value;
    start = spot.key === true || !isScalar(node) ? (startOf(member.key) ?? startOf(node) ?? start) : (startOf(node) ?? start);
  }
  if (!found || start === undefined || spot.offset === undefined || !isScalar(node)) return start;
  return start + characterOf(node, spot.offset, text);
}

function memberOf(node: Node | null, part: string | number): { readonly key: Node | null; readonly value: Node | null } | undefined {
  if (isSeq<Node>(node) && typeof part === "number") {
    const item = node.items[part];
    return item === undefined ? undefined : { key: null, value: item };
  }
  if (!isMap<Node, Node | null>(node)) return undefined;
  const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === part);
  return pair === undefined ? undefined : { key: pair.key, value: pair.value };
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}

/** A string that the source holds verbatim (no escapes, no folding) can be placed to the character; else its start must do. */
function characterOf(node: Node, offset: number, text: string): number {
  if (!isScalar(node) || typeof node.value !== "string" || !node.range) return 0;
  const verbatim = text.slice(node.range[0], node.range[1]).indexOf(node.value);
  return verbatim < 0 ? 0 : verbatim + offset;
}

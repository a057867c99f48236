import type { EdgeKind } from "../model/graph-terms.ts";

/**
 * An edge as it stands in its source's row: `target * 4 + kind`, where kind tells required and optional data apart. `required`
 * matters for data edges alone. The bits stay here, see `word.ts`.
 */
const KIND_BITS = 2;
const KIND_MASK = 3;
export const EDGE_KINDS = { requiredData: 0, optionalData: 1, control: 2, order: 3 } as const;

export function packEdge(to: number, kind: EdgeKind, required: boolean): number {
  if (kind === "data") return pack(to, required ? EDGE_KINDS.requiredData : EDGE_KINDS.optionalData);
  return pack(to, kind === "control" ? EDGE_KINDS.control : EDGE_KINDS.order);
}

export function controlEdgeTo(target: number): number {
  return pack(target, EDGE_KINDS.control);
}

function pack(to: number, kind: number): number {
  return (to << KIND_BITS) | kind;
}

export function edgeTarget(edge: number): number {
  return edge >> KIND_BITS;
}

/** One of `EDGE_KINDS`. */
export function edgeKind(edge: number): number {
  return edge & KIND_MASK;
}

/** Every packed edge to one of `steps` steps is below this. */
export function edgeLimit(steps: number): number {
  return steps << KIND_BITS;
}

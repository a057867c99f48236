import type { Edge } from "./graph.ts";

/** Edges by step, in both directions, as flat rows: those of step `s` are `rows[starts[s]] … rows[starts[s + 1] - 1]`. */
export interface Adjacency {
  readonly starts: Int32Array;
  readonly edges: readonly Edge[];
}

export function groupEdges(stepCount: number, edges: readonly Edge[], side: "from" | "to"): Adjacency {
  const starts = new Int32Array(stepCount + 1);
  for (const edge of edges) add(starts, edge[side] + 1, 1);
  for (let step = 0; step < stepCount; step++) add(starts, step + 1, starts[step] ?? 0);
  const next = starts.slice();
  const grouped: Edge[] = Array.from({ length: edges.length });
  for (const edge of edges) {
    grouped[next[edge[side]] ?? 0] = edge;
    add(next, edge[side], 1);
  }
  return { starts, edges: grouped };
}

export function edgesOf({ starts, edges }: Adjacency, step: number): readonly Edge[] {
  return edges.slice(starts[step], starts[step + 1]);
}

/** Steps in an order in which each stands behind all that it waits for (Kahn); steps on or behind a cycle are missing. */
export function topologicalOrder(stepCount: number, outgoing: Adjacency): readonly number[] {
  const waitingFor = new Int32Array(stepCount);
  for (const { to } of outgoing.edges) add(waitingFor, to, 1);
  const order: number[] = [];
  for (let step = 0; step < stepCount; step++) if (waitingFor[step] === 0) order.push(step);
  for (let index = 0; index < order.length; index++) {
    for (const { to } of edgesOf(outgoing, order[index] ?? 0)) {
      add(waitingFor, to, -1);
      if (waitingFor[to] === 0) order.push(to);
    }
  }
  return order;
}

function add(counts: Int32Array, index: number, amount: number): void {
  counts[index] = (counts[index] ?? 0) + amount;
}

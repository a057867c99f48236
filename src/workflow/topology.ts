import { at } from "./at.ts";
import type { Edge } from "./graph.ts";

/** For each step, by ordinal, the edges that leave it or that lead to it. */
export type EdgesByStep = readonly (readonly Edge[])[];

export function groupEdges(stepCount: number, edges: readonly Edge[], side: "from" | "to"): EdgesByStep {
  const grouped: Edge[][] = Array.from({ length: stepCount }, () => []);
  for (const edge of edges) at(grouped, edge[side]).push(edge);
  return grouped;
}

/** Steps in an order in which each stands behind all that it waits for (Kahn 1962); steps on or behind a cycle are missing. */
export function topologicalOrder(incoming: EdgesByStep, outgoing: EdgesByStep): readonly number[] {
  const waitingFor = Int32Array.from(incoming, (edges) => edges.length);
  const order = [...waitingFor.entries()].flatMap(([step, count]) => (count === 0 ? [step] : []));
  // `order` grows while it is walked.
  for (const step of order) {
    for (const { to } of at(outgoing, step)) {
      waitingFor[to] = at(waitingFor, to) - 1;
      if (waitingFor[to] === 0) order.push(to);
    }
  }
  return order;
}

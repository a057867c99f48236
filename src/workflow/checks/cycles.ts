import type { Draft } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { Edge } from "../graph.ts";
import { type Adjacency, edgesOf } from "../topology.ts";

/** A longer circle is shown by its beginning. */
const STEPS_SHOWN = 12;

/** Names one circle for every group of steps that wait for each other. `order` is the topological order, which lacks them. */
export function checkCycles(draft: Draft, outgoing: Adjacency, order: readonly number[], report: Report): void {
  if (order.length === draft.steps.length) return;
  const isOrdered = new Uint8Array(draft.steps.length);
  for (const step of order) isOrdered[step] = 1;
  const component = componentsOf(draft.steps.length, outgoing, isOrdered);
  const reported = new Set<number>();
  for (const { ordinal } of draft.steps) {
    const group = component[ordinal] ?? -1;
    if (isOrdered[ordinal] === 1 || reported.has(group)) continue;
    const circle = shortestCircle(ordinal, outgoing, component);
    if (circle === undefined) continue;
    reported.add(group);
    reportCircle(circle, draft, report);
  }
}

/** Shortest way from a step back to itself inside its component; undefined for a step that only stands behind a cycle. */
function shortestCircle(start: number, outgoing: Adjacency, component: Int32Array): readonly Edge[] | undefined {
  const arrivedBy = new Map<number, Edge>();
  const queue = [start];
  for (let index = 0; index < queue.length; index++) {
    for (const edge of edgesOf(outgoing, queue[index] ?? 0)) {
      if (component[edge.to] !== component[start] || arrivedBy.has(edge.to)) continue;
      arrivedBy.set(edge.to, edge);
      if (edge.to === start) return wayBack(start, arrivedBy);
      queue.push(edge.to);
    }
  }
  return undefined;
}

function wayBack(start: number, arrivedBy: ReadonlyMap<number, Edge>): readonly Edge[] {
  const circle: Edge[] = [];
  let edge = arrivedBy.get(start);
  while (edge !== undefined) {
    circle.unshift(edge);
    edge = edge.from === start ? undefined : arrivedBy.get(edge.from);
  }
  return circle;
}

function reportCircle(circle: readonly Edge[], draft: Draft, report: Report): void {
  const name = (ordinal: number) => draft.steps[ordinal]?.id ?? "";
  const [first] = circle;
  const start = first?.from ?? 0;
  const names = circle.map(({ from }) => name(from));
  const shown = names.length > STEPS_SHOWN ? [...names.slice(0, STEPS_SHOWN), `… (${names.length} steps)`] : names;
  const inferred = circle.filter((edge) => edge.inferred).slice(0, 3);
  report({
    code: "STEP_CYCLE",
    path: draft.steps[start]?.path ?? [],
    message: `Steps wait for each other in a circle: ${[...shown, name(start)].join(" → ")}`,
    hint:
      inferred.length === 0
        ? "Remove one of these `needs` or `switch` targets."
        : `Not written as \`needs\` but implied: ${inferred.map(({ from, to, kind }) => `${name(from)} → ${name(to)} (${kind === "order" ? "list order" : "a reference"})`).join(", ")}.`,
  });
}

/** Strongly connected components (Tarjan 1972) without recursion; the number of its component for every unordered step, else -1. */
function componentsOf(stepCount: number, outgoing: Adjacency, isOrdered: Uint8Array): Int32Array {
  const component = new Int32Array(stepCount).fill(-1);
  const found = new Int32Array(stepCount).fill(-1);
  const low = new Int32Array(stepCount);
  const open: number[] = [];
  let clock = 0;
  let components = 0;
  const enter = (step: number) => {
    found[step] = clock;
    low[step] = clock++;
    open.push(step);
    return { step, edges: edgesOf(outgoing, step), next: 0 };
  };
  const lower = (step: number, value: number) => {
    low[step] = Math.min(low[step] ?? 0, value);
  };
  const close = (root: number) => {
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      component[step] = components;
      if (step === root) break;
    }
    components++;
  };
  for (let start = 0; start < stepCount; start++) {
    if (isOrdered[start] === 1 || found[start] !== -1) continue;
    const path = [enter(start)];
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const to = frame.edges[frame.next++]?.to;
      if (to === undefined) {
        path.pop();
        if (low[frame.step] === found[frame.step]) close(frame.step);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.step, low[frame.step] ?? 0);
      } else if (found[to] === -1) path.push(enter(to));
      else if (component[to] === -1) lower(frame.step, found[to] ?? 0);
    }
  }
  return component;
}

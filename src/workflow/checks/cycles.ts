import { at } from "../at.ts";
import type { Level } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { Edge } from "../graph.ts";
import type { EdgesByStep } from "../topology.ts";
import { componentsOf } from "./components.ts";

/** A longer circle is shown by its beginning. */
const STEPS_SHOWN = 12;
const IMPLIED_SHOWN = 3;

/** Names one circle for every group of steps that wait for each other. `order` is the topological order, which lacks them. */
export function checkCycles(level: Level, outgoing: EdgesByStep, order: readonly number[], report: Report): void {
  if (order.length === level.steps.length) return;
  const component = componentsOf(outgoing);
  const reported = new Set<number>();
  for (const { ordinal } of level.steps) {
    if (reported.has(at(component, ordinal))) continue;
    const circle = shortestCircle(ordinal, outgoing, component);
    if (circle.length === 0) continue;
    reported.add(at(component, ordinal));
    reportCircle(circle, ordinal, level, report);
  }
}

/** Shortest way from a step back to itself inside its component; empty when there is none. */
function shortestCircle(start: number, outgoing: EdgesByStep, component: Int32Array): readonly Edge[] {
  const arrivedBy = new Map<number, Edge>();
  // `reached` grows while it is walked.
  const reached = [start];
  for (const step of reached) {
    for (const edge of at(outgoing, step)) {
      if (component[edge.to] !== component[start] || arrivedBy.has(edge.to)) continue;
      arrivedBy.set(edge.to, edge);
      reached.push(edge.to);
    }
  }
  const circle: Edge[] = [];
  for (let edge = arrivedBy.get(start); edge !== undefined; edge = edge.from === start ? undefined : arrivedBy.get(edge.from))
    circle.push(edge);
  return circle.toReversed();
}

function reportCircle(circle: readonly Edge[], start: number, level: Level, report: Report): void {
  const name = (ordinal: number) => at(level.steps, ordinal).id;
  const names = circle.map(({ from }) => name(from));
  const shown = names.length > STEPS_SHOWN ? [...names.slice(0, STEPS_SHOWN), `… (${names.length} steps)`] : names;
  const implied = circle.filter((edge) => edge.inferred).slice(0, IMPLIED_SHOWN);
  const reasons = implied.map(({ from, to, kind }) => `${name(from)} → ${name(to)} (${kind === "order" ? "list order" : "a reference"})`);
  report({
    code: "STEP_CYCLE",
    path: at(level.steps, start).path,
    message: `Steps wait for each other in a circle: ${[...shown, name(start)].join(" → ")}`,
    hint:
      reasons.length === 0
        ? "Remove one of these `needs` or `switch` targets."
        : `Not written as \`needs\` but implied: ${reasons.join(", ")}.`,
  });
}

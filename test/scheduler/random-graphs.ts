import fc from "fast-check";
import type { EdgeKind, Join, OnError, OnFailure } from "../../src/model/graph-terms.ts";
import type { GraphShape } from "../../src/scheduler/topology.ts";

/** Draws whole numbers below a bound; the same seed draws the same numbers. */
export type Draw = (below: number) => number;

/** xorshift32 (Marsaglia, 2003). */
export function drawFrom(seed: number): Draw {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export interface RandomCase {
  readonly seed: number;
  readonly steps: number;
  /** Edges drawn for each step, on average. */
  readonly density: number;
  readonly onFailure: OnFailure;
  /** Of a hundred facts about a started step, how many are failures. */
  readonly failures: number;
}

/** Mostly small graphs, where every constellation turns up, and some of up to `most` steps, where depth and fan-in do. */
export function randomCase(most: number, onFailure: readonly OnFailure[] = ["stop", "isolate"]): fc.Arbitrary<RandomCase> {
  return fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    steps: fc.oneof(
      { weight: 60, arbitrary: fc.integer({ min: 1, max: 12 }) },
      { weight: 36, arbitrary: fc.integer({ min: 5, max: Math.min(40, most) }) },
      { weight: 4, arbitrary: fc.integer({ min: Math.min(40, most), max: most }) },
    ),
    density: fc.integer({ min: 0, max: 4 }),
    onFailure: fc.constantFrom(...onFailure),
    failures: fc.constantFrom(0, 5, 30),
  });
}

const JOINS: readonly Join[] = ["some", "some", "all", "settled"];
const ON_ERRORS: readonly OnError[] = ["fail", "fail", "skip", "continue"];
const KINDS: readonly EdgeKind[] = ["data", "data", "data", "order"];

/** A graph without cycles whose declaration order is not its running order. About every fifth step is a switch. */
export function graphOf({ seed, steps, density, onFailure }: RandomCase): GraphShape {
  const draw = drawFrom(seed);
  const ordinals = shuffled(steps, draw);
  const switches = ordinals.map(() => draw(5) === 0);
  const edges: GraphShape["edges"][number][] = [];
  const at = (position: number) => ordinals[position] ?? 0;
  for (let position = 1; position < steps; position++) {
    for (let drawn = draw(2 * density + 1); drawn > 0; drawn--) {
      const source = Math.max(0, position - 1 - draw(Math.min(position, draw(4) === 0 ? steps : 6)));
      const kind = switches[source] === true && draw(4) > 0 ? "control" : pick(KINDS, draw);
      edges.push({ from: at(source), to: at(position), kind, required: draw(2) === 0 });
    }
  }
  return {
    steps: ordinals.map(() => ({ join: pick(JOINS, draw), onError: pick(ON_ERRORS, draw) })),
    edges: shuffled(edges.length, draw).flatMap((index) => edges[index] ?? []),
    onFailure,
  };
}

/** What a switch selects: exclusive ones at most one target, inclusive ones any of them; decided by the step alone. */
export function selectionOf(graph: GraphShape, step: number, draw: Draw): readonly number[] {
  const targets = graph.edges.filter((edge) => edge.from === step && edge.kind === "control").map((edge) => edge.to);
  if (targets.length === 0) return [];
  if (step % 2 === 0) return targets.filter(() => draw(2) === 0);
  return draw(4) === 0 ? [] : [pick(targets, draw)];
}

export function pick<T>(list: readonly [T, ...T[]] | readonly T[], draw: Draw): T {
  const value = list[draw(list.length)];
  if (value === undefined) throw new Error("there is nothing to pick from");
  return value;
}

function shuffled(length: number, draw: Draw): number[] {
  const list = Array.from({ length }, (_, index) => index);
  for (let index = length - 1; index > 0; index--) {
    const other = draw(index + 1);
    const kept = list[index] ?? 0;
    list[index] = list[other] ?? 0;
    list[other] = kept;
  }
  return list;
}

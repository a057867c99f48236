import type { Definition } from "../src/index.ts";

export type WorkflowName = "one" | "three" | "mapped" | "chain" | "fan";

/** The work of a run without its definition, for an engine that knows none: first `parallel` steps at once, then `sequential` in a row. */
export interface Shape {
  readonly parallel: number;
  readonly sequential: number;
}

export const SHAPES: Readonly<Record<WorkflowName, Shape>> = {
  one: { parallel: 0, sequential: 1 },
  three: { parallel: 0, sequential: 3 },
  mapped: { parallel: 0, sequential: 3 },
  chain: { parallel: 0, sequential: 1_000 },
  fan: { parallel: 1_000, sequential: 1 },
};

export function stepsOf(workflow: WorkflowName): number {
  const { parallel, sequential } = SHAPES[workflow];
  return parallel + sequential;
}

/** The input of every run: W14 reads it, the others store it only, so that both carry the same bytes. */
export const INPUT = { order: { id: "A-1007", customer: "c-12" }, shop: "north", amounts: [12.5, 3, 40.25] } as const;

const TRIVIAL = { uses: "work" };

/** Two plain paths, one of them nested, and one JSONata function. */
const MAPPED = { uses: "work", with: { order: "{{ input.order.id }}", shop: "{{ input.shop }}", total: "{{ $sum(input.amounts) }}" } };

export const DEFINITIONS: Readonly<Record<WorkflowName, Definition>> = {
  one: { name: "one", steps: [TRIVIAL] },
  three: { name: "three", steps: row(TRIVIAL, SHAPES.three.sequential) },
  mapped: { name: "mapped", steps: row(MAPPED, SHAPES.mapped.sequential) },
  chain: { name: "chain", steps: row(TRIVIAL, SHAPES.chain.sequential) },
  fan: fan(SHAPES.fan.parallel),
};

/** W5 kills an engine while runs are in their second step. */
export const HELD = { name: "held", steps: [TRIVIAL, { uses: "hold" }, TRIVIAL] } as const;

/** What every step does in every engine: returns a small JSON. */
export function createWork(): () => Promise<{ readonly ok: true; readonly n: number }> {
  let calls = 0;
  return async () => {
    calls += 1;
    return { ok: true, n: calls % 10 };
  };
}

function row(step: Definition, count: number): Definition[] {
  return Array.from({ length: count }, () => step);
}

function fan(count: number): Definition {
  const branches = Array.from({ length: count }, (_, index) => `branch${index}`);
  const steps = Object.fromEntries(branches.map((id) => [id, TRIVIAL]));
  return { name: "fan", steps: { ...steps, join: { ...TRIVIAL, needs: branches, join: "all" } } };
}

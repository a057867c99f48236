import fc from "fast-check";
import { expect, test } from "vitest";
import { isJsonObject, type Json, type JsonObject } from "../model/json.ts";
import { builtInDefinitions } from "../operators/definitions.ts";
import type { StepGraph } from "./graph.ts";
import { compileDefinition, drawDot, drawMermaid, loadWorkflow } from "./index.ts";

/** A body or a workflow: steps in declaration order, each with the earlier steps that it reads, of its own level or of any around it. */
interface Plan {
  readonly isList: boolean;
  readonly steps: readonly PlannedStep[];
}

interface PlannedStep {
  readonly kind: "work" | "foreach" | "loop";
  /** Seeds for what is read: which level outwards, which step of it, and whether optionally. */
  readonly reads: readonly { readonly out: number; readonly step: number; readonly optional: boolean }[];
  readonly body: Plan | null;
}

const reads = fc.array(fc.record({ out: fc.nat(3), step: fc.nat(5), optional: fc.boolean() }), { maxLength: 3 });
const { plan } = fc.letrec<{ plan: Plan; step: PlannedStep }>((tie) => ({
  plan: fc.record({ isList: fc.boolean(), steps: fc.array(tie("step"), { minLength: 1, maxLength: 4 }) }),
  step: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ kind: fc.constant("work" as const), reads, body: fc.constant(null) }),
    fc.record({ kind: fc.constantFrom("foreach" as const, "loop" as const), reads, body: tie("plan") }),
  ),
}));

/** Edges as `level: from->to`, and what each body reads of the outside, as the rules say them. */
interface Expected {
  readonly edges: Set<string>;
  readonly outward: Map<string, Set<string>>;
}

/** Every step has its own id (`s` and its place), so that nothing is hidden. */
function write(level: Plan, prefix: string, around: readonly Frame[], expected: Expected): Json {
  const fields = level.steps.map((step, ordinal): readonly [string, JsonObject] => {
    const id = `${prefix}_${ordinal}`;
    const frames = [{ prefix, ordinal, isList: level.isList }, ...around];
    const used = step.reads.flatMap(({ out, step: seed, optional }) => {
      const at = Math.min(out, frames.length - 1);
      const frame = frames[at];
      if (frame === undefined || frame.ordinal === 0) return [];
      const read = seed % frame.ordinal;
      expected.edges.add(`${frame.prefix}: ${read}->${frame.ordinal}`);
      for (const inner of frames.slice(0, at)) {
        const seen = expected.outward.get(inner.prefix) ?? new Set();
        expected.outward.set(inner.prefix, seen.add(`${frame.prefix}_${read}`));
      }
      const path = `steps.${frame.prefix}_${read}.output`;
      return [optional ? `{{ ${path} ?? 1 }}` : `{{ ${path} }}`];
    });
    if (level.isList && ordinal > 0) expected.edges.add(`${prefix}: ${ordinal - 1}->${ordinal}`);
    const steps = step.body === null ? null : write(step.body, id, frames, expected);
    if (steps === null) return [id, { uses: "t", with: used }];
    if (step.kind === "loop") return [id, { loop: { until: "round > 1", maxIterations: 3 }, with: used, steps }];
    return [id, { foreach: [1, ...used], steps }];
  });
  return level.isList ? fields.map(([id, step]) => ({ id, ...step })) : Object.fromEntries(fields);
}

interface Frame {
  readonly prefix: string;
  readonly ordinal: number;
  readonly isList: boolean;
}

function collect(graph: StepGraph, prefix: string, found: Expected): void {
  for (const { from, to } of graph.edges) found.edges.add(`${prefix}: ${from}->${to}`);
  for (const { id, block } of graph.steps) {
    if (block === null) continue;
    if (block.body.outward.length > 0) found.outward.set(id, new Set(block.body.outward));
    collect(block.body, id, found);
  }
}

test("S1+11 any nested workflow has exactly the edges of the rules at every level", async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (planned) => {
      const expected: Expected = { edges: new Set(), outward: new Map() };
      const definition = { name: "t", steps: write(planned, "s", [], expected) };
      const { graph, problems } = await compileDefinition(definition, { operators: null });
      expect(problems).toEqual([]);
      const found: Expected = { edges: new Set(), outward: new Map() };
      if (graph !== undefined) collect(graph, "s", found);
      expect(found).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

const word = fc.constantFrom<Json>(
  "a",
  "b",
  "{{ steps.a.output }}",
  "{{ item.x & carry & round & index }}",
  "{{ steps.b.items[0] ?? steps.c }}",
  "{{ result }}",
  "{{ 1 + }}",
  "{{",
  "10%",
  "http",
  "wait",
  "5s",
  true,
  0,
  3,
  null,
  [],
  {},
);
const names = fc.constantFrom(
  ...[
    "uses",
    "with",
    "needs",
    "when",
    "switch",
    "foreach",
    "loop",
    "steps",
    "output",
    "schema",
    "retry",
    "timeout",
    "tolerate",
    "sequential",
  ],
  ...["compensate", "until", "while", "carry", "maxIterations", "delay", "exhausted", "then", "otherwise", "id", "a", "b", "c", "onError"],
);
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof({ depthSize: "medium" }, word, fc.array(tie("tree"), { maxLength: 3 }), fc.dictionary(names, tie("tree"), { maxKeys: 5 })),
}));
const stepTree = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.dictionary(names, tree, { maxKeys: 6 }), { minKeys: 1, maxKeys: 3 });

test("S4-21 whatever is written, compiling ends with problems that have a place, or with a graph that can be drawn", async () => {
  await fc.assert(
    fc.asyncProperty(stepTree, tree, async (steps, output) => {
      const nested = { block: { foreach: [1], steps } };
      const text = JSON.stringify({ name: "t", steps: nested, output }, null, 1);
      const lines = text.split("\n").length;
      const { graph, problems } = await loadWorkflow(text, { operators: builtInDefinitions });
      for (const { position } of problems) {
        expect(position?.line).toBeGreaterThan(0);
        expect(position?.line).toBeLessThanOrEqual(lines);
      }
      expect(graph === undefined).toBe(problems.some(({ severity }) => severity === "error"));
      if (graph !== undefined) expect([drawDot(graph).length, drawMermaid(graph).length]).not.toContain(0);
    }),
    { numRuns: 500 },
  );
});

test("S4-21 a good workflow with one member replaced by anything has only problems with a place", async () => {
  const good = await loadWorkflow(GOOD, { operators: builtInDefinitions });
  expect(good.problems).toEqual([]);
  const paths = pathsOf(good.definition ?? {});
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), tree, async (path, value) => {
      const text = JSON.stringify(replaced(good.definition ?? {}, path, value), null, 1);
      const { graph, problems } = await loadWorkflow(text, { operators: builtInDefinitions });
      expect(problems.every(({ position }) => position !== undefined)).toBe(true);
      expect(graph === undefined).toBe(problems.some(({ severity }) => severity === "error"));
    }),
    { numRuns: 500 },
  );
});

const GOOD = `
name: t
compensation: { on: cancel }
steps:
  a: { uses: log, with: { message: x }, compensate: { uses: log, with: { message: "{{ steps.a.status }}" } } }
  b:
    foreach: "{{ input.lines }}"
    tolerate: 10%
    steps:
      - { id: c, loop: { until: round = 1, while: carry, carry: true, maxIterations: 3 }, with: true, steps: { d: { uses: sleep, with: { for: 1s } } } }
      - { id: e, uses: wait, with: { events: [{ event: "{{ item }}", optional: false }], timeout: 1d, onTimeout: continue } }
    output: "{{ steps.e.output & steps.a.status }}"
output: "{{ steps.b.items }}"
`;

type PathTo = readonly (string | number)[];

function pathsOf(value: Json, path: PathTo = []): PathTo[] {
  const members: readonly (readonly [string | number, Json])[] = isJsonObject(value)
    ? Object.entries(value)
    : Array.isArray(value)
      ? value.map((member: Json, index) => [index, member] as const)
      : [];
  return [...(path.length === 0 ? [] : [path]), ...members.flatMap(([key, member]) => pathsOf(member, [...path, key]))];
}

function replaced(value: Json, [key, ...rest]: PathTo, by: Json): Json {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((member: Json, index) => (index === key ? replaced(member, rest, by) : member));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, name === key ? replaced(member, rest, by) : member]));
}

import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { compileDefinition, loadWorkflow } from "./index.ts";

const load = (steps: string) => loadWorkflow(`name: t\nsteps:\n${steps}`, { operators: null });
const codesOf = async (steps: string) =>
  (await load(steps)).problems.map(({ code, path, position }) => `${code} ${path}:${position?.line}`);

describe("everything that is checked is checked in bodies", () => {
  test("S4-21 with its place", async () => {
    const body = `
  each:
    foreach: [1]
    steps:
      a: { uses: t, needs: [b] }
      b: { uses: t, needs: [a] }
      c: { uses: t, needs: [root, nowhere] }
      d: { uses: t, when: false }
      e: { switch: [{ when: false, then: d2 }, { otherwise: [] }] }
      d2: { uses: t, with: "{{ 1 + }}" }
      f: { uses: t, schema: { type: nothing }, output: "jsonpath: $[" }
      f: { uses: t }
      g: { use: t, with: { secret: NONE } }
  root: { uses: t }
`;
    expect(await codesOf(body)).toEqual([
      "STEP_CYCLE steps.each.steps.a:7",
      "STEP_UNKNOWN steps.each.steps.c.needs[0]:9",
      "STEP_UNKNOWN steps.each.steps.c.needs[1]:9",
      "STEP_UNREACHABLE steps.each.steps.d.when:10",
      "BRANCH_UNREACHABLE steps.each.steps.e.switch[0].when:11",
      "STEP_UNREACHABLE steps.each.steps.d2:12",
      "EXPRESSION_SYNTAX steps.each.steps.d2.with:12",
      "STEP_DUPLICATE steps.each.steps.f:14",
      "FIELD_MISSING steps.each.steps.g:15",
      "FIELD_UNKNOWN steps.each.steps.g.use:15",
      "REFERENCE_UNKNOWN steps.each.steps.g.with.secret:15",
    ]);
    const { problems } = await load(body);
    expect(problems.filter(({ code }) => code === "STEP_UNKNOWN").map(({ message, hint }) => [message, hint?.slice(0, 20)])).toEqual([
      ["There is no step `root` in this body", "A body waits for no "],
      ["There is no step `nowhere` in this body", "There is `a`, `b`, `"],
    ]);
    expect(await codesOf("  e: { foreach: [1], steps: { f: { uses: t, schema: { type: nothing }, output: 'jsonpath: $[' } } }\n")).toEqual(
      expect.arrayContaining(["SCHEMA_INVALID steps.e.steps.f.schema.type:3", "EXPRESSION_SYNTAX steps.e.steps.f.output:3"]),
    );
  });

  test("operators too", async () => {
    const { problems } = await loadWorkflow("name: t\nsteps: { e: { foreach: [1], steps: { f: { uses: htp } } } }\n", {
      operators: { get: () => undefined, names: () => ["http"] },
    });
    expect(problems).toMatchObject([{ code: "OPERATOR_UNKNOWN", path: "steps.e.steps.f.uses", hint: "Did you mean `http`?" }]);
  });

  test("a block that needs what its own branch excludes never runs", async () => {
    const steps = `
  r: { switch: [{ when: input.x, then: a }, { otherwise: b }] }
  a: { uses: t }
  b: { foreach: [1], steps: [{ uses: t, with: "{{ steps.a.output }}" }] }
`;
    expect(await codesOf(steps)).toEqual(["STEP_NOT_BEFORE steps.b.steps[0].with:6"]);
  });
});

describe("bounds", () => {
  const nested = (depth: number): Json => (depth === 0 ? { uses: "t" } : { foreach: [1], steps: { a: nested(depth - 1) } });
  const compile = (definition: JsonObject) => compileDefinition({ name: "t", ...definition }, { operators: null });

  test("a loop without steps of the right form is no reason to stop", async () => {
    expect(await codesOf("  a: { loop: { until: true, maxIterations: 1, delay: 1 }, steps: 5 }\n")).toEqual([
      "FIELD_INVALID steps.a.steps:3",
    ]);
  });

  test("blocks nest up to a limit", async () => {
    expect((await compile({ steps: { a: nested(LIMITS.blockDepth) } })).problems).toEqual([]);
    const { problems } = await compile({ steps: { a: nested(LIMITS.blockDepth + 1) } });
    expect(problems).toMatchObject([{ code: "DEFINITION_TOO_LARGE", message: "Blocks stand inside each other more than 16 deep" }]);
    expect((await compile({ steps: { a: nested(100) } })).problems).toHaveLength(1);
    const loop = { loop: { until: true, maxIterations: 1, delay: 1 }, steps: { a: nested(1) } };
    const deep = Array.from({ length: LIMITS.blockDepth }).reduce<Json>((inside) => ({ ...loop, steps: { a: inside } }), loop);
    expect((await compile({ steps: { a: deep } })).problems).toHaveLength(1);
  });

  test("the steps of all blocks count together", async () => {
    const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`s${index}`, { uses: "t" }]));
    const each = { foreach: [1], steps: many };
    expect((await compile({ steps: { a: each, b: each } })).graph?.steps).toHaveLength(2);
    const { problems } = await compile({ steps: { a: each, b: each, c: each } });
    expect(problems).toMatchObject([{ code: "DEFINITION_TOO_LARGE", path: "steps.c.steps" }]);
  });

  test("100 bodies that read one another's outside compile in linear time", async () => {
    const time = async (count: number) => {
      const body = Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`s${index}`, { uses: "t", with: `{{ steps.o${index}.output }}` }]),
      );
      const outside = Object.fromEntries(Array.from({ length: count }, (_, index) => [`o${index}`, { uses: "t" }]));
      let block: Json = { foreach: [1], steps: body };
      for (let depth = 1; depth < 10; depth++) block = { foreach: [1], steps: { block } };
      const started = performance.now();
      const { graph } = await compile({ steps: { ...outside, block } });
      expect(graph?.edges).toHaveLength(count);
      return performance.now() - started;
    };
    const best = async (count: number) => Math.min(await time(count), await time(count), await time(count));
    const small = await best(500);
    expect(await best(4_000)).toBeLessThan(small * 32);
  });
});

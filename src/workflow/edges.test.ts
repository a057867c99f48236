import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../model/json.ts";
import type { Graph } from "./graph.ts";
import { compileDefinition, loadWorkflow } from "./index.ts";

/** `a->b data!?`: `!` is required, `?` is inferred. */
const edgesOf = ({ steps, edges }: Graph) =>
  edges.map(
    ({ from, to, kind, required, inferred }) => `${steps[from]?.id}->${steps[to]?.id} ${kind}${required ? "!" : ""}${inferred ? "?" : ""}`,
  );

async function load(text: string) {
  const { graph, problems } = await loadWorkflow(`name: t\nsteps:\n${text}`, { operators: null });
  return { edges: graph === undefined ? [] : edgesOf(graph), problems: problems.map(({ code, path }) => `${code} ${path}`) };
}

describe("a map of steps", () => {
  test("S1-14 steps that do not name each other have no edge", async () => {
    expect(await load("  a: { uses: t }\n  b: { uses: t }\n")).toEqual({ edges: [], problems: [] });
  });

  test("S1-15 a reference is a required data edge, unless it is optional", async () => {
    const steps = `
  a: { uses: t }
  plain: { uses: t, with: { x: "{{ steps.a.output.b }}" } }
  optional: { uses: t, with: "{{ steps.a.output.b ?? 1 }}" }
  exists: { uses: t, when: "{{ $exists(steps.a.output) }}" }
  both: { uses: t, with: ["{{ steps.a.output.b ?? 1 }}", "{{ steps.a.output.c }}"] }
  fallback: { uses: t, fallback: "{{ steps.a.output }}" }
`;
    const { edges, problems } = await load(steps);
    expect(problems).toEqual([]);
    expect(edges).toEqual(["a->plain data!?", "a->optional data?", "a->exists data?", "a->both data!?", "a->fallback data?"]);
  });

  test("S1-15 a need is written; with a reference to the same step it is one required edge", async () => {
    const { edges } = await load(
      '  a: { uses: t }\n  b: { uses: t, needs: a }\n  c: { uses: t, needs: [a], with: "{{ steps.a.output }}" }\n',
    );
    expect(edges).toEqual(["a->b data", "a->c data!"]);
  });

  test.each(["with", "when", "idempotencyKey", "output"])("a reference in %s makes an edge", async (field) => {
    expect((await load(`  a: { uses: t }\n  b: { uses: t, ${field}: "{{ steps.a.output.ok }}" }\n`)).edges).toEqual(["a->b data!?"]);
  });

  test("a bare condition and a case make edges", async () => {
    const steps =
      "  a: { uses: t }\n  b: { uses: t, when: steps.a.output > 1 }\n  c: { switch: [{ when: steps.a.output = 1, then: [] }] }\n";
    expect(await load(steps)).toEqual({ edges: ["a->b data!?", "a->c data!?"], problems: [] });
  });

  test("a reference may stand before the step that it names", async () => {
    expect((await load('  b: { uses: t, with: "{{ steps.a.output }}" }\n  a: { uses: t }\n')).edges).toEqual(["a->b data!?"]);
  });
});

describe("a list of steps", () => {
  test("each step waits for the one before", async () => {
    expect((await load("  - { id: a, uses: t }\n  - { id: b, uses: t }\n  - { id: c, uses: t }\n")).edges).toEqual([
      "a->b order?",
      "b->c order?",
    ]);
  });

  test("references to earlier steps only order, also the step before", async () => {
    const steps =
      '  - { id: a, uses: t }\n  - { id: b, uses: t }\n  - { id: c, uses: t, with: "{{ steps.a.output }}{{ steps.b.output }}" }\n';
    expect((await load(steps)).edges).toEqual(["a->b order?", "a->c order?", "b->c order?"]);
  });

  test("needs replaces the implied edge, also with nothing", async () => {
    const steps = "  - { id: a, uses: t }\n  - { id: b, uses: t, needs: [] }\n  - { id: c, uses: t, needs: a }\n";
    expect((await load(steps)).edges).toEqual(["a->c data"]);
  });

  test("S1-15 a reference to a step in needs requires it", async () => {
    const steps =
      '  - { id: a, uses: t }\n  - { id: b, uses: t }\n  - { id: c, uses: t, needs: [a], with: "{{ steps.a.output }}{{ steps.b.output }}" }\n';
    expect((await load(steps)).edges).toEqual(["a->b order?", "a->c data!", "b->c order?"]);
  });

  test("a reference to a later step is refused, unless needs turns the order around", async () => {
    const later = '  - { id: a, uses: t, with: "{{ steps.b.output }}" }\n  - { id: b, uses: t }\n';
    expect(await load(later)).toEqual({ edges: [], problems: ["STEP_NOT_BEFORE steps[0].with"] });
    expect((await load('  - { id: a, uses: t, when: steps.a.status = "x" }\n')).problems).toEqual(["STEP_NOT_BEFORE steps[0].when"]);
    const turned = '  - { id: a, uses: t, needs: [b], with: "{{ steps.b.output }}" }\n  - { id: b, uses: t, needs: [] }\n';
    expect(await load(turned)).toEqual({ edges: ["b->a data!"], problems: [] });
  });
});

describe("a switch", () => {
  const route = "{ switch: [{ when: input.x = 1, then: [a, b] }, { when: input.x = 2, then: b }, { otherwise: c }] }";

  test("selects its targets by control edges, one for each target", async () => {
    const { edges } = await load(`  a: { uses: t }\n  b: { uses: t }\n  c: { uses: t }\n  route: ${route}\n`);
    expect(edges).toEqual(["route->a control", "route->b control", "route->c control"]);
  });

  test("a control edge absorbs a need, a reference and the order of a list", async () => {
    const map = `  route: ${route}\n  a: { uses: t, needs: [route] }\n  b: { uses: t, with: "{{ steps.route.output.selected }}" }\n  c: { uses: t }\n`;
    expect(await load(map)).toEqual({
      edges: ["route->a control", "route->b control", "route->c control"],
      problems: ["NEEDS_REDUNDANT steps.a.needs[0]"],
    });
    const list = `  - ${route.replace("{", "{ id: route,")}\n  - { id: a, uses: t }\n  - { id: b, uses: t, with: "{{ steps.route.output }}" }\n  - { id: c, uses: t }\n`;
    expect((await load(list)).edges).toEqual(["route->a control", "route->b control", "a->b order?", "route->c control", "b->c order?"]);
  });

  test("unknown targets and needs are named with what was meant", async () => {
    const { problems } = await loadWorkflow(
      "name: t\nsteps:\n  fetch: { uses: t, needs: [ftech] }\n  r: { switch: [{ when: true, then: fetchh }, { otherwise: [nowhere_at_all] }] }\n",
      { operators: null },
    );
    expect(problems.filter(({ code }) => code === "STEP_UNKNOWN").map(({ path, hint }) => [path, hint])).toEqual([
      ["steps.fetch.needs[0]", "Did you mean `fetch`?"],
      ["steps.r.switch[0].then", "Did you mean `fetch`?"],
      ["steps.r.switch[1].otherwise[0]", "There is `fetch`, `r`."],
    ]);
  });

  test("a need that stands twice is a warning and one edge", async () => {
    expect(await load("  a: { uses: t }\n  b: { uses: t, needs: [a, a] }\n")).toEqual({
      edges: ["a->b data"],
      problems: ["NEEDS_REDUNDANT steps.b.needs[1]"],
    });
  });
});

/** The rules once more, as plainly as they can be said. */
function naiveEdges(isList: boolean, steps: readonly GeneratedStep[]): readonly string[] {
  const edges: string[] = [];
  steps.forEach((step, to) => {
    steps.forEach((_, from) => {
      const isNeed = step.needs?.includes(from) === true;
      const required = step.required.includes(from);
      const isReference = required || step.optional.includes(from);
      const isPrevious = isList && step.needs === undefined && from === to - 1;
      if (isNeed || (isReference && !isList)) edges.push(`s${from}->s${to} data${required ? "!" : ""}${isNeed ? "" : "?"}`);
      else if (isReference || isPrevious) edges.push(`s${from}->s${to} order?`);
    });
  });
  return edges;
}

interface GeneratedStep {
  readonly needs: readonly number[] | undefined;
  readonly required: readonly number[];
  readonly optional: readonly number[];
}

test("S1-14 any acyclic workflow has exactly the edges of the rules", async () => {
  const earlier = (ordinal: number) => (ordinal === 0 ? fc.constant<number[]>([]) : fc.uniqueArray(fc.nat(ordinal - 1), { maxLength: 3 }));
  const step = (ordinal: number): fc.Arbitrary<GeneratedStep> =>
    fc.record({ needs: fc.option(earlier(ordinal), { nil: undefined }), required: earlier(ordinal), optional: earlier(ordinal) });
  const steps = fc.integer({ min: 1, max: 12 }).chain((count) => fc.tuple(...Array.from({ length: count }, (_, ordinal) => step(ordinal))));
  await fc.assert(
    fc.asyncProperty(fc.boolean(), steps, async (isList, generated) => {
      const fields = generated.map(({ needs, required, optional }): JsonObject => {
        const references: Json = [
          ...required.map((from) => `{{ steps.s${from}.output }}`),
          ...optional.map((from) => `{{ steps.s${from}.output ?? 0 }}`),
        ];
        return { uses: "t", with: references, ...(needs === undefined ? {} : { needs: needs.map((from) => `s${from}`) }) };
      });
      const written: Json = isList
        ? fields.map((field, ordinal) => ({ id: `s${ordinal}`, ...field }))
        : Object.fromEntries(fields.map((field, ordinal) => [`s${ordinal}`, field]));
      const { graph, problems } = await compileDefinition({ name: "t", steps: written }, { operators: null });
      expect(problems).toEqual([]);
      expect(graph && edgesOf(graph)).toEqual(naiveEdges(isList, generated));
    }),
  );
});

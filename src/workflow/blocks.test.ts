import { describe, expect, test } from "vitest";
import type { Block, Body, ForeachBlock, Graph, LoopBlock, StepGraph } from "./graph.ts";
import { loadWorkflow } from "./index.ts";

const load = (steps: string) => loadWorkflow(`name: t\nsteps:\n${steps}`, { operators: null });

async function graphOf(steps: string): Promise<Graph> {
  const { graph, problems } = await load(steps);
  expect(problems).toEqual([]);
  if (graph === undefined) throw new Error("no graph");
  return graph;
}

/** `code path:line message` of all problems, the hint in a second entry. */
const problemsOf = async (steps: string) =>
  (await load(steps)).problems.map(({ code, path, position, hint }) => [`${code} ${path}:${position?.line}`, hint]);
const codesOf = async (steps: string) => (await problemsOf(steps)).map(([code]) => code);

function blockOf(graph: StepGraph, id: string): Block {
  const block = graph.steps.find((step) => step.id === id)?.block;
  if (block === null || block === undefined) throw new Error(`${id} is not a block`);
  return block;
}

function foreachOf(graph: StepGraph, id: string): ForeachBlock {
  const block = blockOf(graph, id);
  if (block.kind !== "foreach") throw new Error(`${id} is a loop`);
  return block;
}

function loopOf(graph: StepGraph, id: string): LoopBlock {
  const block = blockOf(graph, id);
  if (block.kind !== "loop") throw new Error(`${id} is a foreach`);
  return block;
}

const edgesOf = ({ steps, edges }: StepGraph) =>
  edges.map(
    ({ from, to, kind, required, inferred }) => `${steps[from]?.id}->${steps[to]?.id} ${kind}${required ? "!" : ""}${inferred ? "?" : ""}`,
  );
const shapeOf = ({ outward, isList, onFailure, steps }: Body) => ({ outward, isList, onFailure, ids: steps.map(({ id }) => id) });

describe("foreach", () => {
  test("S1+11 a list for whose items steps run, with every default", async () => {
    const graph = await graphOf(`
  fetch: { uses: t }
  lines:
    foreach: "{{ steps.fetch.output.lines }}"
    steps: [{ id: price, uses: t, with: { total: "{{ item.qty * index }}" } }, { uses: t, with: "{{ steps.price.output }}" }]
    output: "{{ steps.price.output.total }}"
`);
    const { body, ...block } = foreachOf(graph, "lines");
    expect(block).toMatchObject({ kind: "foreach", maxConcurrency: 100, tolerate: { kind: "items", count: 0 } });
    expect(block.items.source).toBe("{{ steps.fetch.output.lines }}");
    expect(shapeOf(body)).toEqual({ outward: [], isList: true, onFailure: "stop", ids: ["price", "t_2"] });
    expect([body.output?.source, edgesOf(body)]).toEqual(["{{ steps.price.output.total }}", ["price->t_2 order?"]]);
    expect(edgesOf(graph)).toEqual(["fetch->lines data!?"]);
    expect(graph.steps[1]).toMatchObject({ uses: null, switch: null, with: null, output: null, ordinal: 1 });
  });

  test("S1+11 the list keeps its sequences, and may be written out", async () => {
    const graph = await graphOf(`
  a: { foreach: "{{ input.lines[qty > 1] }}", sequential: true, tolerate: 25%, steps: { b: { uses: t } } }
  c: { foreach: [1, "{{ input.x }}"], maxConcurrency: 7, tolerate: 2, steps: { b: { uses: t } } }
`);
    const [one, two] = [foreachOf(graph, "a"), foreachOf(graph, "c")];
    expect([one.maxConcurrency, one.tolerate, two.maxConcurrency, two.tolerate]).toEqual([
      1,
      { kind: "part", part: 0.25 },
      7,
      { kind: "items", count: 2 },
    ]);
    const clock = { nowMs: 0, seed: "s" };
    expect(await one.items.evaluate({ input: { lines: [{ qty: 1 }] } }, clock)).toEqual([]);
    expect(await one.items.evaluate({ input: { lines: [{ qty: 2 }, { qty: 1 }] } }, clock)).toEqual([{ qty: 2 }]);
    expect(await two.items.evaluate({ input: { x: 5 } }, clock)).toEqual([1, 5]);
    expect(shapeOf(one.body)).toMatchObject({ isList: false, onFailure: "isolate" });
  });

  test.each([
    ["foreach: input.lines", "Write an expression that gives a list: {{ input.lines }}."],
    ['foreach: "a {{ input.lines }}"', "Put the whole list between one pair of braces."],
    ['foreach: "{{ 5 }}"', "Write an expression that gives a list: {{ input.lines }}."],
  ])("S1+11 %s is not a list, which is found before anything runs", async (field, hint) => {
    const found = await problemsOf(`  a:\n    ${field}\n    steps: [{ uses: t }]\n`);
    expect(found).toEqual([["FOREACH_NOT_A_LIST steps.a.foreach:4", hint]]);
  });

  test("S1+11 what does not belong to a block says where it belongs", async () => {
    const hint = "A block only repeats its `steps`: write what is to be done, and its `retry` or `timeout`, at a step inside.";
    for (const field of [
      "retry: {}",
      "timeout: 5s",
      "delivery: confirm",
      "idempotencyKey: x",
      "isolation: thread",
      "with: {}",
      "extract: true",
    ]) {
      expect(await problemsOf(`  a: { foreach: [], steps: [{ uses: t }], schema: {}, ${field} }\n`)).toEqual([
        [`FIELD_INVALID steps.a.${field.split(":")[0]}:3`, hint],
      ]);
    }
    expect(await problemsOf("  a: { foreach: [], steps: [{ uses: t }], uses: t }\n")).toEqual([["FIELD_INVALID steps.a:3", hint]]);
  });

  test("the fields of a foreach are checked", async () => {
    expect(await codesOf("  a: { foreach: 5, steps: [], maxConcurrency: 0, tolerate: 101% }\n")).toEqual([
      "FIELD_INVALID steps.a.foreach:3",
      "FIELD_INVALID steps.a.steps:3",
      "FIELD_INVALID steps.a.maxConcurrency:3",
      "FIELD_INVALID steps.a.tolerate:3",
    ]);
    expect(await codesOf("  a: { foreach: [], sequential: true, maxConcurrency: 2, tolerate: -1 }\n")).toEqual([
      "FIELD_MISSING steps.a:3",
      "FIELD_INVALID steps.a.sequential:3",
      "FIELD_INVALID steps.a.tolerate:3",
    ]);
    expect(await codesOf("  a: { uses: t, tolerate: [], steps: [{ uses: t }] }\n")).toEqual([
      "FIELD_INVALID steps.a.tolerate:3",
      "FIELD_INVALID steps.a.tolerate:3",
      "FIELD_INVALID steps.a.steps:3",
    ]);
    expect(await codesOf("  a: { steps: [{ uses: t }] }\n")).toEqual(["FIELD_MISSING steps.a:3"]);
  });
});

describe("loop", () => {
  test("S1+11 a loop has conditions, a carried value, a limit, a delay and a way to end without success", async () => {
    const graph = await graphOf(`
  start: { uses: t }
  poll:
    loop:
      until: steps.check.output.done and round > 1
      while: carry.left > 0
      carry: { left: "{{ carry.left - 1 }}", seen: "{{ steps.check.output }}" }
      maxIterations: 10
      delay: 5s
      exhausted: succeed
    with: { left: "{{ steps.start.output }}" }
    onError: continue
    schema: { type: object }
    fallback: { left: 0 }
    steps: { check: { uses: t, with: "{{ carry.left }}", idempotencyKey: "{{ round }}" } }
    output: "{{ steps.check.output & carry.left }}"
`);
    const { body, until, while: goesOn, carry, ...block } = loopOf(graph, "poll");
    expect(block).toEqual({ kind: "loop", maxIterations: 10, delayMs: 5_000, exhausted: "succeed" });
    expect([until?.source, goesOn?.source]).toEqual(["steps.check.output.done and round > 1", "carry.left > 0"]);
    expect(carry?.source).toEqual({ left: "{{ carry.left - 1 }}", seen: "{{ steps.check.output }}" });
    expect(shapeOf(body)).toEqual({ outward: [], isList: false, onFailure: "isolate", ids: ["check"] });
    expect(graph.steps[1]).toMatchObject({ with: { source: { left: "{{ steps.start.output }}" } }, onError: "continue", timeoutMs: null });
    expect(edgesOf(graph)).toEqual(["start->poll data!?"]);
  });

  test("a loop needs few words, and defaults for work are not its own", async () => {
    const text =
      "name: t\ndefaults: { retry: {}, timeout: 1s, onError: skip }\nsteps: [{ loop: { until: true, maxIterations: 3 }, steps: [{ uses: t }] }]";
    const { graph, problems } = await loadWorkflow(text, { operators: null });
    expect(problems).toEqual([]);
    const [step] = graph?.steps ?? [];
    expect(step).toMatchObject({ id: "loop_1", onError: "skip", timeoutMs: null, retry: { strategy: "none" } });
    expect(step?.block).toMatchObject({ maxIterations: 3, delayMs: 0, exhausted: "fail", while: null, carry: null });
    expect(step?.block?.body.steps[0]).toMatchObject({ timeoutMs: 1_000, retry: { strategy: "exponential" }, onError: "skip" });
  });

  test("S1+11 a loop without an end is refused", async () => {
    expect(await problemsOf("  a: { loop: { delay: 1s }, steps: [{ uses: t }] }\n")).toEqual([
      ["FIELD_MISSING steps.a.loop:3", "Most rounds that are made."],
      [
        "FIELD_MISSING steps.a.loop:3",
        "`until`: Asked after each round; the loop ends when this is true. `while`: Asked before each round; the loop ends when this is false.",
      ],
    ]);
    expect(await codesOf("  a: { loop: { until: true, maxIterations: 1000001, exhausted: go }, steps: [{ uses: t }] }\n")).toEqual([
      "FIELD_INVALID steps.a.loop.maxIterations:3",
      "FIELD_INVALID steps.a.loop.exhausted:3",
    ]);
    expect(await codesOf("  a: { loop: { while: false, maxIterations: 1 }, steps: [{ uses: t }] }\n")).toEqual([
      "STEP_UNREACHABLE steps.a.loop.while:3",
    ]);
  });

  test("S1-44 a loop that only asks over HTTP and pauses should be a wait", async () => {
    const loop = (steps: string, fields = "until: true, maxIterations: 9, delay: 5s") =>
      codesOf(`  a: { loop: { ${fields} }, steps: [${steps}] }\n`);
    const polls = ["LOOP_POLLS steps.a.loop:3"];
    expect(await loop("{ uses: http, with: { url: x } }")).toEqual(polls);
    expect(await loop("{ uses: http, with: { url: x, method: get } }, { uses: log }")).toEqual(polls);
    expect(await loop("{ uses: http }, { uses: sleep }", "until: true, maxIterations: 9")).toEqual(polls);
    expect(await loop("{ uses: http }", "until: true, maxIterations: 9, delay: 0")).toEqual([]);
    expect(await loop("{ uses: http }", "until: true, maxIterations: 9, delay: 5s, carry: 1")).toEqual([]);
    expect(await loop("{ uses: http, with: { method: POST } }")).toEqual([]);
    expect(await loop("{ uses: http, with: { method: 5 } }")).toEqual([]);
    expect(await loop("{ uses: http }, { uses: charge }")).toEqual([]);
    expect(await loop("{ uses: http }, { switch: [{ otherwise: [] }] }")).toEqual([]);
    expect(await loop("{ uses: transform }")).toEqual([]);
  });
});

describe("scope", () => {
  test("S1+11 a body reads outwards at any depth, and its block waits for what it reads", async () => {
    const graph = await graphOf(`
  a: { uses: t }
  b: { uses: t }
  c: { uses: t }
  late: { uses: t }
  outer:
    foreach: "{{ input.orders }}"
    output: "{{ steps.late.output & steps.first.output }}"
    steps:
      first: { uses: t, with: "{{ steps.a.output }}" }
      inner:
        loop: { until: "steps.c.output = steps.deep.output", maxIterations: 2, while: "steps.first.status != 'x'" }
        steps:
          deep: { uses: t, with: ["{{ steps.first.output ?? 1 }}", "{{ steps.b.output ?? item & index }}", "{{ round }}"] }
`);
    expect(edgesOf(graph)).toEqual(["a->outer data!?", "b->outer data?", "c->outer data!?", "late->outer data!?"]);
    const { body } = foreachOf(graph, "outer");
    expect(body.outward.toSorted()).toEqual(["a", "b", "c", "late"]);
    expect(edgesOf(body)).toEqual(["first->inner data!?"]);
    expect(loopOf(body, "inner").body.outward.toSorted()).toEqual(["b", "c", "first"]);
  });

  test("in a list a block waits for earlier steps, and cannot read later ones", async () => {
    const list = (read: string) =>
      load(`  - { id: a, uses: t }
  - { id: b, uses: t }
  - id: each
    foreach: [1]
    steps: [{ uses: t, with: "{{ steps.${read}.output }}" }]
  - { id: c, uses: t }
`);
    const { graph } = await list("a");
    expect(graph && edgesOf(graph)).toEqual(["a->b order?", "a->each order?", "b->each order?", "each->c order?"]);
    expect((await list("c")).problems).toMatchObject([
      {
        code: "STEP_NOT_BEFORE",
        path: "steps[2].steps[0].with",
        position: { line: 7 },
        message: expect.stringContaining("`each` refers to `c`"),
      },
    ]);
  });

  test("ids of a body shadow those outside, and blocks of one level may use the same", async () => {
    const graph = await graphOf(`
  a: { uses: t }
  one: { foreach: [1], steps: { a: { uses: t }, b: { uses: t, with: "{{ steps.a.output }}" } } }
  two: { foreach: [1], steps: { b: { uses: t, with: "{{ steps.a.output }}" } } }
`);
    expect(edgesOf(graph)).toEqual(["a->two data!?"]);
    expect(edgesOf(foreachOf(graph, "one").body)).toEqual(["a->b data!?"]);
    expect([foreachOf(graph, "one").body.outward, foreachOf(graph, "two").body.outward]).toEqual([[], ["a"]]);
  });

  test("only output, until and carry of a block read inwards", async () => {
    expect(
      await codesOf(`
  a:
    foreach: "{{ steps.b.output }}"
    when: steps.b.output
    fallback: "{{ steps.b.output }}"
    steps: { b: { uses: t } }
  c:
    loop: { while: steps.d.output, maxIterations: 1 }
    with: "{{ steps.d.output }}"
    steps: { d: { uses: t } }
  e: { uses: t, with: "{{ steps.b.output }}", needs: [d] }
`),
    ).toEqual([
      "STEP_UNKNOWN steps.a.foreach:5",
      "STEP_UNKNOWN steps.a.when:6",
      "STEP_UNKNOWN steps.a.fallback:7",
      "STEP_UNKNOWN steps.c.loop.while:10",
      "STEP_UNKNOWN steps.c.with:11",
      "STEP_UNKNOWN steps.e.with:13",
      "STEP_UNKNOWN steps.e.needs[0]:13",
    ]);
  });

  test("names of a block are known in its body, and where its rounds are asked for", async () => {
    expect(
      await problemsOf(`
  a: { foreach: "{{ item }}", steps: { b: { uses: t, with: "{{ carry }}" } }, output: "{{ result }}", when: index = 1 }
  c: { loop: { until: carry and round = 1, while: item, maxIterations: 1, carry: "{{ round }}" }, with: "{{ round }}", steps: { b: { uses: t } } }
`),
    ).toEqual([
      ["REFERENCE_UNKNOWN steps.a.foreach:4", "`item` is known only inside a `foreach`."],
      ["REFERENCE_UNKNOWN steps.a.steps.b.with:4", "`carry` is known only inside a `loop`."],
      ["REFERENCE_UNKNOWN steps.a.output:4", "`result` is known only in the `output` of a step with `uses`."],
      ["REFERENCE_UNKNOWN steps.a.when:4", "`index` is known only inside a `foreach`."],
      ["REFERENCE_UNKNOWN steps.c.loop.while:5", "`item` is known only inside a `foreach`."],
      ["REFERENCE_UNKNOWN steps.c.with:5", "`round` is known only inside a `loop`."],
    ]);
  });

  test("a step inside cannot read the block that it is part of", async () => {
    const steps = `
  outer: { foreach: [1], steps: { x: { uses: t }, inner: { foreach: [1], steps: { y: { uses: t, with: "{{ steps.outer.output }}" } }, output: "{{ steps.inner.output }}" } } }
`;
    expect(await problemsOf(steps)).toEqual([
      ["STEP_NOT_BEFORE steps.outer.steps.inner.steps.y.with:4", "Read the step inside whose output you mean."],
      ["STEP_NOT_BEFORE steps.outer.steps.inner.output:4", "Read the step inside whose output you mean."],
    ]);
  });

  test("a step that nobody can see is looked for everywhere that can be seen", async () => {
    const steps =
      '  fetch: { uses: t }\n  a: { foreach: [1], steps: { b: { foreach: [1], steps: [{ uses: t, with: "{{ steps.fetsh.output }}" }] } } }\n';
    expect(await problemsOf(steps)).toEqual([["STEP_UNKNOWN steps.a.steps.b.steps[0].with:4", "Did you mean `fetch`?"]]);
    expect(await problemsOf('  a: { foreach: [1], steps: { b: { uses: t, with: "{{ steps.x.output }}" } } }\n')).toEqual([
      ["STEP_UNKNOWN steps.a.steps.b.with:3", "There is `b`, `a`."],
    ]);
  });

  test("only a foreach has items to read", async () => {
    expect(
      await codesOf('  a: { foreach: [1], steps: [{ uses: t }] }\n  b: { uses: t, with: "{{ steps.a.items[0].error.code }}" }\n'),
    ).toEqual([]);
    expect(await codesOf('  a: { uses: t }\n  b: { uses: t, with: "{{ steps.a.items[0] }}" }\n')).toEqual([
      "REFERENCE_UNKNOWN steps.b.with:4",
    ]);
  });
});

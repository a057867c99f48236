import { describe, expect, test } from "vitest";
import type { RetryPolicy } from "../model/graph-terms.ts";
import { LIMITS } from "../model/limits.ts";
import { NO_FLOW } from "./flow/flow.ts";
import type { Step } from "./graph.ts";
import { compileDefinition, loadWorkflow } from "./index.ts";

async function graphOf(text: string) {
  const { graph, problems } = await loadWorkflow(text, { operators: null });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  if (graph === undefined) throw new Error("no graph");
  return graph;
}

async function stepOf(fields: string, workflow = ""): Promise<Step> {
  const [step] = (await graphOf(`name: t\n${workflow}\nsteps: { a: { uses: t, ${fields} } }`)).steps;
  if (step === undefined) throw new Error("no step");
  return step;
}

describe("the graph", () => {
  test("S1-5 S4-21 a file with nothing but steps gets every default", async () => {
    expect(await graphOf("name: t\nsteps: { a: { uses: http } }")).toEqual({
      name: "t",
      version: null,
      description: null,
      labels: {},
      steps: [
        {
          ordinal: 0,
          id: "a",
          description: null,
          uses: "http",
          with: null,
          when: null,
          join: "some",
          switch: null,
          retry: { strategy: "none", maxAttempts: 1, initialDelayMs: 0, maxDelayMs: 0, factor: 1, jitter: 0, on: [], notOn: [] },
          timeoutMs: null,
          fallback: null,
          onError: "fail",
          delivery: "at-least-once",
          idempotencyKey: null,
          output: null,
          schema: null,
          topic: null,
          isolation: "none",
          block: null,
          compensate: null,
        },
      ],
      edges: [],
      onFailure: "isolate",
      inputSchema: null,
      vars: {},
      env: {},
      secrets: {},
      timeoutMs: null,
      topic: null,
      flow: NO_FLOW,
      output: null,
      compensation: null,
    });
  });

  test("S4-21 every field of a workflow arrives", async () => {
    const graph = await graphOf(`
name: order
version: 2
description: d
labels: { team: shop }
input: { type: object }
vars: { a: [1] }
env: { HOST: h }
secrets: { S: { file: /s } }
timeout: 1h
onFailure: stop
steps: { a: { uses: t } }
output: { x: "{{ steps.a.output }}" }
`);
    expect(graph).toMatchObject({
      name: "order",
      version: "2",
      description: "d",
      labels: { team: "shop" },
      inputSchema: { type: "object" },
      vars: { a: [1] },
      env: { HOST: "h" },
      secrets: { S: { file: "/s" } },
      timeoutMs: 3_600_000,
      onFailure: "stop",
      output: { source: { x: "{{ steps.a.output }}" } },
    });
  });

  test("every field of a step arrives", async () => {
    const step = await stepOf(`description: d, with: { x: 1 }, when: input.ok, join: all, timeout: 1500ms, fallback: [1], onError: skip,
      delivery: at-most-once, idempotencyKey: "k-{{ run.id }}", schema: { type: object }, extract: true, isolation: thread`);
    expect(step).toMatchObject({
      description: "d",
      with: { source: { x: 1 }, isConstant: true },
      when: { source: "input.ok" },
      join: "all",
      timeoutMs: 1500,
      fallback: { source: [1] },
      onError: "skip",
      delivery: "at-most-once",
      idempotencyKey: { source: "k-{{ run.id }}" },
      schema: { type: "object" },
      output: { kind: "extract" },
      isolation: "thread",
    });
    expect((await stepOf('output: { id: "{{ result.id }}" }')).output).toMatchObject({
      kind: "template",
      template: { source: { id: "{{ result.id }}" } },
    });
    expect((await stepOf("output: 'jsonpath:$.id'")).output).toEqual({ kind: "jsonpath", query: "$.id" });
  });

  test("a switch has cases, targets and the rest", async () => {
    const graph = await graphOf(`
name: t
defaults: { retry: { maxAttempts: 2 }, timeout: 1s, onError: continue }
steps:
  a: { uses: t }
  b: { uses: t }
  r: { mode: inclusive, switch: [{ when: "{{ input.x }}", then: [b, a, b] }, { otherwise: a }, { when: input.y, then: [] }] }
`);
    expect(graph.steps[2]).toMatchObject({
      uses: null,
      switch: {
        mode: "inclusive",
        cases: [
          { when: { source: "{{ input.x }}" }, then: [1, 0] },
          { when: { source: "input.y" }, then: [] },
        ],
        otherwise: [0],
      },
      retry: { strategy: "none" },
      timeoutMs: null,
      onError: "continue",
    });
    const bare = await graphOf("name: t\nsteps: { a: { uses: t }, r: { switch: [{ when: input.x, then: a }] } }");
    expect(bare.steps[1]?.switch).toMatchObject({ mode: "exclusive", otherwise: [] });
  });

  test("a list stops at a failure, and its steps are named after operator and place", async () => {
    const graph = await graphOf(
      "name: t\nsteps:\n  - uses: http\n  - { id: http_4, uses: http }\n  - switch: [{ otherwise: [] }]\n  - uses: http\n  - uses: 2fa/send.sms\n  - { id: _2fa_send_sms_6, uses: t }\n",
    );
    expect(graph.onFailure).toBe("stop");
    expect(graph.steps.map(({ id }) => id)).toEqual(["http_1", "http_4", "switch_3", "http_4_2", "_2fa_send_sms_5", "_2fa_send_sms_6"]);
  });

  test("ids that are derived do not meet each other", async () => {
    const graph = await graphOf("name: t\nsteps:\n  - { id: http_4, uses: t }\n  - uses: http_4\n  - uses: t\n  - uses: http\n");
    expect(graph.steps.map(({ id }) => id)).toEqual(["http_4", "http_4_2", "t_3", "http_4_3"]);
  });

  test("a derived id stays within its limit", async () => {
    const graph = await graphOf(`name: t\nsteps:\n  - uses: ${"x".repeat(200)}\n  - uses: ${"x".repeat(200)}\n`);
    expect(graph.steps.map(({ id }) => id.length)).toEqual([LIMITS.idLength, LIMITS.idLength]);
    expect(graph.steps[1]?.id.endsWith("_2")).toBe(true);
  });
});

describe("defaults", () => {
  const retryOf = async (own: string, defaults: string): Promise<Partial<RetryPolicy>> =>
    (await stepOf(own === "" ? "" : `retry: ${own}`, defaults === "" ? "" : `defaults: { retry: ${defaults} }`)).retry;

  test("retry takes each member from the step, else from the defaults, else from the format", async () => {
    const exponential = {
      strategy: "exponential",
      maxAttempts: 3,
      initialDelayMs: 1_000,
      maxDelayMs: 60_000,
      factor: 2,
      jitter: 0,
      on: [],
      notOn: [],
    };
    expect(await retryOf("{}", "")).toEqual(exponential);
    expect(await retryOf("", "{ maxAttempts: 5, jitter: 0.5, on: [A], notOn: [B] }")).toEqual({
      ...exponential,
      maxAttempts: 5,
      jitter: 0.5,
      on: ["A"],
      notOn: ["B"],
    });
    expect(await retryOf("{ maxAttempts: 2, factor: 3, maxDelay: 5s }", "{ maxAttempts: 5, initialDelay: 200ms }")).toEqual({
      ...exponential,
      maxAttempts: 2,
      factor: 3,
      initialDelayMs: 200,
      maxDelayMs: 5_000,
    });
    expect(await retryOf("{ strategy: fixed, initialDelay: 2m, factor: 9 }", "")).toEqual({
      ...exponential,
      strategy: "fixed",
      factor: 1,
      initialDelayMs: 120_000,
      maxDelayMs: 120_000,
    });
    expect(await retryOf("{ strategy: none }", "{ maxAttempts: 5 }")).toMatchObject({ strategy: "none", maxAttempts: 1 });
  });

  test("timeout, onError and delivery apply to every step that has none of its own", async () => {
    const defaults = "defaults: { timeout: 1s, onError: skip, delivery: at-most-once }";
    expect(await stepOf("", defaults)).toMatchObject({ timeoutMs: 1_000, onError: "skip", delivery: "at-most-once" });
    const own = "timeout: 2000, onError: fail, delivery: at-least-once";
    expect(await stepOf(own, defaults)).toMatchObject({ timeoutMs: 2_000, onError: "fail", delivery: "at-least-once" });
  });
});

describe("bounds", () => {
  const big = (count: number) =>
    `name: big\nsteps:\n${Array.from({ length: count }, (_, i) => `  s${i}:\n    uses: t\n    timeout: 10s\n    with: { n: "${i} {{ input.id }}", before: "${i === 0 ? "" : `{{ steps.s${i - 1}.output.x }}`}" }\n`).join("")}`;

  test("10,000 steps compile in linear time", async () => {
    const time = async (count: number) => {
      const text = big(count);
      const started = performance.now();
      const graph = await graphOf(text);
      expect(graph.edges).toHaveLength(count - 1);
      return performance.now() - started;
    };
    const best = async (count: number) => Math.min(await time(count), await time(count), await time(count));
    const small = await best(1_250);
    // eight times the steps; quadratic work would take 64 times as long
    expect(await best(10_000)).toBeLessThan(small * 32);
  });

  test("10,000 steps that all wait for one, and one that waits for all", async () => {
    const needs = Array.from({ length: 10_000 }, (_, i) => `s${i}`);
    const steps = Object.fromEntries(needs.map((id) => [id, { uses: "t", needs: ["first"] }]));
    const definition = { name: "t", steps: { first: { uses: "t" }, ...steps, last: { uses: "t", needs } } };
    const { graph } = await compileDefinition(definition, { operators: null });
    expect(graph?.edges).toHaveLength(20_000);
  });

  test("10,000 problems with suggestions end", async () => {
    const text = big(10_000).replaceAll("uses: t\n", "uses: t\n    needs: [s0x]\n");
    const { graph, problems } = await loadWorkflow(text, { operators: null });
    expect(graph).toBeUndefined();
    expect(problems).toHaveLength(LIMITS.problemsReported + 1);
  });

  test("an expression of a megabyte is refused", async () => {
    const { problems } = await loadWorkflow(`name: t\nsteps: { a: { uses: t, with: "{{ ${"1 + ".repeat(262_144)}1 }}" } }`, {
      operators: null,
    });
    expect(problems.map(({ code, path }) => [code, path])).toEqual([["EXPRESSION_LIMIT", "steps.a.with"]]);
  });
});

describe("problems", () => {
  test("S4-20 S4-21 those of reading and of compiling come together, in the order of the file", async () => {
    const text = `name: t\nsteps:\n  a: { uses: t, with: "\${user.x}" }\n  a: { uses: t, needs: [b] }\n  c: { use: t }\n`;
    const { definition, graph, problems } = await loadWorkflow(text, { operators: null, file: "t.yaml" });
    expect([definition === undefined, graph]).toEqual([false, undefined]);
    expect(problems.map(({ code, file, position }) => `${code} ${file}:${position?.line}:${position?.column}`)).toEqual([
      "USER_VARIABLE_MISSING t.yaml:4:3",
      "STEP_DUPLICATE t.yaml:4:3",
      "STEP_UNKNOWN t.yaml:4:25",
      "FIELD_MISSING t.yaml:5:3",
      "FIELD_UNKNOWN t.yaml:5:8",
    ]);
  });

  test("a condition that is empty or no condition is a problem", async () => {
    const { problems } = await loadWorkflow(
      'name: t\nsteps: { a: { uses: t, when: "" }, b: { uses: t, when: "{{ input.x }} {{ input.y }}" } }',
      { operators: null },
    );
    expect(problems.map(({ code, path }) => [code, path])).toEqual([
      ["EXPRESSION_SYNTAX", "steps.a.when"],
      ["EXPRESSION_TYPE", "steps.b.when"],
    ]);
  });

  test("text that cannot be read has no graph", async () => {
    expect(await loadWorkflow("a: [", { operators: null })).toMatchObject({
      definition: undefined,
      graph: undefined,
      problems: [{ code: "DEFINITION_SYNTAX" }],
    });
  });

  test("a definition without a file has problems without places", async () => {
    const { problems } = await compileDefinition({ name: "t", steps: [1] }, { operators: null });
    expect(problems.map(({ code, path, position }) => [code, path, position])).toEqual([["FIELD_INVALID", "steps[0]", undefined]]);
  });

  test("a definition of wrong types compiles to problems, never to an exception", async () => {
    const wrong = [
      "x",
      1,
      null,
      true,
      [],
      {},
      [[]],
      { a: { a: 1 } },
      [null],
      { switch: 1 },
      [{ switch: [{ when: [], then: {} }] }],
      { a: { foreach: [], steps: [{}] } },
    ];
    for (const steps of wrong) {
      for (const other of wrong) {
        const definition = {
          name: other,
          steps: { a: { uses: other, needs: steps, switch: steps, with: other, retry: other, timeout: other, output: steps } },
        };
        const block = { foreach: other, loop: steps, steps, maxConcurrency: other, sequential: other, tolerate: other, output: other };
        for (const tried of [
          definition,
          { steps },
          { steps: { block, foreach: { foreach: other, steps }, loop: { loop: { until: other, while: steps, carry: other }, steps } } },
          { steps: [steps, other] },
          { name: "t", input: other, vars: other, secrets: other, defaults: other, env: steps, steps },
        ]) {
          const { graph, problems } = await compileDefinition(tried, { operators: null });
          expect(graph === undefined).toBe(problems.some(({ severity }) => severity === "error"));
        }
      }
    }
  });
});

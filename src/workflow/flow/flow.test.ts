import { describe, expect, test } from "vitest";
import { loadWorkflow } from "../index.ts";
import { NO_FLOW } from "./flow.ts";

const STEPS = "steps: { a: { uses: t } }";
const load = (fields: string, steps = STEPS) => loadWorkflow(`name: t\n${fields}\n${steps}\n`, { operators: null });

async function flowOf(fields: string) {
  const { graph, problems } = await load(fields);
  expect(problems).toEqual([]);
  return graph?.flow;
}

describe("what a workflow says about when its runs begin", () => {
  test("nothing is one value that all share", async () => {
    expect(await flowOf("")).toBe(NO_FLOW);
    expect(await flowOf("topic: gpu\npriority: 0s")).toBe(NO_FLOW);
    expect(Object.isFrozen(NO_FLOW)).toBe(true);
  });

  test("a number of runs is a limit of the whole workflow", async () => {
    const limit = { kind: "concurrency", index: 0, path: "concurrency", key: null, periodMs: null, onLimit: "queue", holds: "activity" };
    expect(await flowOf("concurrency: 4")).toEqual({ priority: 0, limits: [{ ...limit, limit: 4 }], gather: null });
    expect(await flowOf("concurrency: { limit: 4 }")).toEqual(await flowOf("concurrency: 4"));
    expect(await flowOf("concurrency: [{ limit: 4 }]")).toMatchObject({ limits: [{ index: 0, path: "concurrency[0]", limit: 4 }] });
  });

  test("limits stand in the order of the definition, each with its own answer", async () => {
    const flow = await flowOf(`
rateLimit:
  - { limit: 100, per: 1m }
  - { limit: 5, per: 1s, key: "{{ input.customer }}", onLimit: reject }
singleton: { key: "{{ input.job }}", onConflict: cancel-running }
concurrency:
  - { limit: 2, key: "{{ input.customer }}", onLimit: cancel-running }
  - limit: 9
`);
    const told = flow?.limits.map(({ kind, index, path, limit, periodMs, onLimit, holds, key }) =>
      [path, `${kind} ${index}`, `${limit} in ${periodMs}`, onLimit, holds, key === null ? "no key" : JSON.stringify(key.source)].join(
        ", ",
      ),
    );
    expect(told).toEqual([
      "rateLimit[0], rateLimit 0, 100 in 60000, queue, activity, no key",
      'rateLimit[1], rateLimit 1, 5 in 1000, reject, activity, "{{ input.customer }}"',
      'singleton, singleton 0, 1 in null, cancel-running, run, "{{ input.job }}"',
      'concurrency[0], concurrency 0, 2 in null, cancel-running, activity, "{{ input.customer }}"',
      "concurrency[1], concurrency 1, 9 in null, queue, activity, no key",
    ]);
  });

  test("a singleton rejects by itself, and holds until the run ends", async () => {
    expect((await flowOf("singleton: true"))?.limits).toMatchObject([{ limit: 1, onLimit: "reject", holds: "run", key: null }]);
    expect(await flowOf("singleton: {}")).toEqual(await flowOf("singleton: true"));
  });

  test.each([
    ["10m", 600_000],
    ["-5m", -300_000],
    ["-PT1H", -3_600_000],
    ["1h", 3_600_000],
  ])("priority %s is %d ms", async (priority, ms) => {
    expect(await flowOf(`priority: ${priority}`)).toEqual({ priority: ms, limits: [], gather: null });
  });

  test("a priority with an expression is read at the start", async () => {
    const flow = await flowOf("priority: \"{{ input.urgent ? '10m' : '0s' }}\"");
    expect(flow?.priority).toMatchObject({ source: "{{ input.urgent ? '10m' : '0s' }}", isConstant: false });
  });

  test("starts replace each other or are added up", async () => {
    expect((await flowOf('debounce: { key: "{{ input.doc }}", delay: 10s, maxDelay: 1m }'))?.gather).toMatchObject({
      kind: "debounce",
      key: { source: "{{ input.doc }}" },
      mode: "replace",
      delayMs: 10_000,
      maxDelayMs: 60_000,
      maxItems: null,
    });
    expect((await flowOf("debounce: { delay: 10s }"))?.gather).toMatchObject({ key: null, maxDelayMs: null });
    expect((await flowOf("batch: { size: 100, timeout: 5s }"))?.gather).toEqual({
      kind: "batch",
      key: null,
      mode: "append",
      delayMs: 5_000,
      maxDelayMs: null,
      maxItems: 100,
    });
  });

  test("a workflow and a step have topics", async () => {
    const { graph, problems } = await load("topic: gpu", "steps: { a: { uses: t, topic: cpu.large }, b: { uses: t } }");
    expect([problems, graph?.topic, graph?.steps.map(({ topic }) => topic)]).toEqual([[], "gpu", ["cpu.large", null]]);
    expect((await load("")).graph?.topic).toBeNull();
  });
});

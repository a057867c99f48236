import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_GROUP } from "../../ledger/placement.ts";
import type { JsonObject } from "../../model/json.ts";
import { loadWorkflow } from "../../workflow/index.ts";
import { admissionOf, refuseKeyOfGathered } from "./admission-of.ts";
import { flowId } from "./flow-id.ts";

async function graphOf(fields: string) {
  const { graph, problems } = await loadWorkflow(`name: order\nversion: "3"\n${fields}\nsteps: { a: { uses: t } }\n`, { operators: null });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  if (graph === undefined) throw new Error("no graph");
  return graph;
}

const start = (input: JsonObject = {}) => ({ tenant: "acme", input, evaluation: { nowMs: 0, seed: "run" } });

/** What a start with an input asks for. */
const ask = async (fields: string, input: JsonObject = {}, group = DEFAULT_GROUP) =>
  admissionOf(await graphOf(fields), start(input), group);
const idsOf = async (fields: string, input: JsonObject) => (await ask(fields, input))?.limiters.map(({ id }) => id);

describe("what a start asks for", () => {
  test("a workflow that says nothing asks for nothing, but for another group", async () => {
    expect(await ask("topic: gpu")).toBeUndefined();
    expect(await ask("topic: gpu", {}, "gpu")).toEqual({ priorityMs: 0, limiters: [], gather: null });
  });

  test("limits come in the order of the definition, with keys from the input", async () => {
    const fields = `
concurrency:
  - limit: 4
  - { key: "{{ input.customer }}", limit: 1, onLimit: cancel-running }
rateLimit: { limit: 100, per: 1m, onLimit: reject }
singleton: { key: "{{ input.job & '-' & run.tenant & '-' & run.workflow & '-' & run.version }}" }
`;
    expect(await ask(fields, { customer: "c7", job: 5 }, "gpu")).toEqual({
      priorityMs: 0,
      limiters: [
        { id: '["order","concurrency",0]', limit: 4, periodMs: null, onLimit: "queue", holds: "activity" },
        { id: '["order","concurrency",1,"c7"]', limit: 1, periodMs: null, onLimit: "cancel-running", holds: "activity" },
        { id: '["order","rateLimit",0]', limit: 100, periodMs: 60_000, onLimit: "reject", holds: "activity" },
        { id: '["order","singleton",0,"5-acme-order-3"]', limit: 1, periodMs: null, onLimit: "reject", holds: "run" },
      ],
      gather: null,
    });
  });

  test("what needs no JSONata is there at once", async () => {
    const graph = await graphOf('priority: 5m\nconcurrency: [{ limit: 1, key: "{{ input.customer }}" }, { limit: 2, key: all }]');
    expect(admissionOf(graph, start({ customer: "c" }), DEFAULT_GROUP)).toMatchObject({
      priorityMs: 300_000,
      limiters: [{ id: '["order","concurrency",0,"c"]' }, { id: '["order","concurrency",1,"all"]' }],
    });
  });

  test("starts are collected by their key", async () => {
    expect((await ask('debounce: { key: "{{ input.doc }}", delay: 10s, maxDelay: 1m }', { doc: 7 }))?.gather).toEqual({
      id: '["order","debounce",0,"7"]',
      mode: "replace",
      delayMs: 10_000,
      maxDelayMs: 60_000,
      maxItems: null,
    });
    expect((await ask("batch: { size: 100, timeout: 5s }"))?.gather).toEqual({
      id: '["order","batch",0]',
      mode: "append",
      delayMs: 5_000,
      maxDelayMs: null,
      maxItems: 100,
    });
  });

  test("a key of a batch reads the input of its start", async () => {
    expect((await ask('batch: { size: 2, timeout: 5s, key: "{{ input.customer }}" }', { customer: "c" }))?.gather?.id).toBe(
      '["order","batch",0,"c"]',
    );
  });
});

describe("keys", () => {
  const KEYED = 'concurrency: [{ limit: 9 }, { limit: 1, key: "{{ input.customer }}" }]';
  const SHORT = "Use what is short and the same for all that count together, an id for example.";

  test("a number or a boolean counts with the text that reads the same", async () => {
    for (const [one, other] of [
      [5, "5"],
      [true, "true"],
      [-0, "0"],
      [1e21, "1e+21"],
    ] as const) {
      expect(await idsOf(KEYED, { customer: one })).toEqual(await idsOf(KEYED, { customer: other }));
    }
    expect(await idsOf(KEYED, { customer: "" })).toEqual(['["order","concurrency",0]', '["order","concurrency",1,""]']);
  });

  test.each([
    [{ customer: null }, "gives null"],
    [{ customer: { id: 1 } }, "gives object"],
    [{ customer: [1] }, "gives list"],
  ])("%j is none", async (input, what) => {
    await expect(ask(KEYED, input)).rejects.toMatchObject({
      code: "FLOW_KEY_INVALID",
      message: `the key of \`concurrency[1]\` of "order" ${what}`,
      hint: expect.stringContaining("a default where it may be absent"),
      data: { workflow: "order", field: "concurrency[1].key" },
    });
  });

  test("one that is absent says what the input has", async () => {
    await expect(ask(KEYED, { customers: 1 })).rejects.toMatchObject({
      code: "FLOW_KEY_INVALID",
      message: expect.stringMatching(
        /^the key of `concurrency\[1\]` of "order" cannot be evaluated: EXPRESSION_UNRESOLVED: .*did you mean "customers"/,
      ),
      hint: expect.stringContaining("??"),
      cause: expect.objectContaining({ code: "EXPRESSION_UNRESOLVED" }),
    });
  });

  test("an expression that fails in JSONata refuses the start, whatever comes after it", async () => {
    const fields = `
singleton: { key: "{{ $number(input.customer) }}" }
rateLimit: { limit: 1, per: 1s, key: "{{ $number(input.other) }}" }
`;
    await expect(ask(fields, { customer: "x", other: "y" })).rejects.toMatchObject({
      code: "FLOW_KEY_INVALID",
      data: { field: "singleton.key" },
    });
    await expect(ask(fields, { customer: "1", other: "y" })).rejects.toMatchObject({ data: { field: "rateLimit.key" } });
    expect(await idsOf(fields, { customer: "1.50", other: "2" })).toEqual(['["order","singleton",0,"1.5"]', '["order","rateLimit",0,"2"]']);
  });

  test("a key has at most 256 characters", async () => {
    expect(await idsOf(KEYED, { customer: "x".repeat(256) })).toHaveLength(2);
    await expect(ask(KEYED, { customer: "x".repeat(257) })).rejects.toMatchObject({
      message: 'the key of `concurrency[1]` of "order" gives 257 characters; a key has at most 256',
      hint: SHORT,
    });
  });

  test("ids of different limits and keys are different", () => {
    const part = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a", 'a",1', '",0,"', "\\", "\u0000", "\ud800", "1", ""));
    const kind = fc.constantFrom("concurrency", "rateLimit", "singleton", "debounce", "batch");
    const place = fc.tuple(part, kind, fc.integer({ min: 0, max: 7 }), fc.option(part));
    fc.assert(
      fc.property(place, place, (one, other) => {
        expect(flowId(...one) === flowId(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
        expect(flowId(...one)).toMatch(/^[^\u0000-\u001f]*$/);
        expect(flowId(...one).isWellFormed()).toBe(true);
      }),
    );
  });
});

describe("priorities", () => {
  const PRIORITY = 'priority: "{{ input.priority }}"';

  test.each([
    ["10m", 600_000],
    ["-5m", -300_000],
    [" PT30S ", 30_000],
    [90, 90_000],
    [-1.5, -1_500],
    [0, 0],
    ["-0s", 0],
    [-0.0001, 0],
    ["-1h", -3_600_000],
    [3_600, 3_600_000],
  ])("%j is %d ms", async (priority, ms) => {
    expect((await ask(PRIORITY, { priority }))?.priorityMs).toBe(ms);
  });

  test.each([
    ["high", 'cannot be read: "high" is not a duration'],
    [null, "gives null"],
    [true, "gives boolean"],
    ["2h", "is 7200 s"],
    [-3_601, "is -3601 s"],
  ])("%j is none", async (priority, what) => {
    await expect(ask(PRIORITY, { priority })).rejects.toMatchObject({
      code: "PRIORITY_INVALID",
      message: `the priority of "order" ${what}`,
      hint: "Give a duration as text (`'10m'`, `'-5m'`) or a number of seconds, from -1h to 1h.",
      data: { workflow: "order", field: "priority" },
    });
  });

  test("one that cannot be evaluated refuses the start", async () => {
    await expect(ask(PRIORITY)).rejects.toMatchObject({
      code: "PRIORITY_INVALID",
      message: expect.stringContaining("cannot be evaluated"),
    });
    await expect(ask("priority: \"{{ $number('x') }}\"")).rejects.toMatchObject({ code: "PRIORITY_INVALID" });
  });
});

test("a start that is collected has no idempotency key", async () => {
  const [plain, batch] = [await graphOf("concurrency: 1"), await graphOf("batch: { size: 2, timeout: 1s }")];
  expect(() => refuseKeyOfGathered(plain, "k")).not.toThrow();
  expect(() => refuseKeyOfGathered(batch, undefined)).not.toThrow();
  expect(() => refuseKeyOfGathered(batch, "k")).toThrow(
    expect.objectContaining({
      code: "IDEMPOTENCY_KEY_REFUSED",
      message: '"order" collects its starts (batch), so a start cannot have an idempotency key',
    }),
  );
});

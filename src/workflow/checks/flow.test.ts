import { describe, expect, test } from "vitest";
import { builtInDefinitions } from "../../operators/definitions.ts";
import { loadWorkflow } from "../index.ts";

const STEPS = "steps: { a: { uses: t } }";
const load = (fields: string, steps = STEPS) => loadWorkflow(`name: t\n${fields}\n${steps}\n`, { operators: null });

/** Problems with what a reader sees of them. */
async function problemsOf(fields: string, steps = STEPS) {
  const { problems } = await load(fields, steps);
  return problems.map(({ code, severity, path, message, hint }) => [severity === "error" ? code : `${code} warning`, path, message, hint]);
}
const briefly = async (fields: string, steps = STEPS) => (await problemsOf(fields, steps)).map(([code, path]) => `${code} ${path}`);

describe("what is wrong with it", () => {
  test("a limit is a whole number from 1", async () => {
    const hint = "A limit is a constant, the same for every run. Where there is none, leave the field out.";
    const message = (found: string) => `is a whole number from 1 to 1000000; this is ${found}`;
    expect(await problemsOf("concurrency: 0\nrateLimit: { limit: 1.5, per: 1s }")).toEqual([
      ["FIELD_INVALID", "concurrency", `\`concurrency\` ${message("0")}`, hint],
      ["FIELD_INVALID", "rateLimit.limit", `\`rateLimit.limit\` ${message("1.5")}`, hint],
    ]);
    expect(await problemsOf('concurrency: [{ limit: "{{ vars.most }}" }, { limit: -1 }, { limit: 1000001 }]')).toEqual([
      ["FIELD_INVALID", "concurrency[0].limit", `\`concurrency[0].limit\` ${message("a string")}`, hint],
      ["FIELD_INVALID", "concurrency[1].limit", `\`concurrency[1].limit\` ${message("-1")}`, hint],
      ["FIELD_INVALID", "concurrency[2].limit", `\`concurrency[2].limit\` ${message("1000001")}`, hint],
    ]);
  });

  test("a short form that is none tells of both forms", async () => {
    const both = "is a number of runs, a concurrency limit, or a list of them";
    expect(await problemsOf("concurrency: four\nsingleton: false")).toEqual([
      ["FIELD_INVALID", "concurrency", `\`concurrency\` ${both}; this is a string`, undefined],
      ["FIELD_INVALID", "singleton", "`singleton` is `true`, or a singleton, which is an object; this is a boolean", undefined],
    ]);
    expect(await problemsOf("concurrency:\nrateLimit: 5\nsingleton: [true]\nbatch:")).toEqual([
      ["FIELD_INVALID", "concurrency", `\`concurrency\` ${both}; nothing is written here`, undefined],
      ["FIELD_INVALID", "rateLimit", "`rateLimit` is a list; this is a number", undefined],
      ["FIELD_INVALID", "singleton", "`singleton` is a singleton, which is an object; this is a list", undefined],
      ["FIELD_INVALID", "batch", "`batch` is a batch, which is an object; nothing is written here", undefined],
    ]);
    expect(await briefly("concurrency: [4, {}]\nrateLimit: []")).toEqual([
      "FIELD_INVALID concurrency[0]",
      "FIELD_MISSING concurrency[1]",
      "FIELD_INVALID rateLimit",
    ]);
  });

  test("an answer that a limit does not have says what to write instead", async () => {
    const text = `
concurrency: { limit: 1, onLimit: drop, key: "{{ input.a }}" }
rateLimit: { limit: 1, per: 1s, onLimit: cancel-running }
singleton: { onConflict: queue, key: "{{ input.b }}" }
`;
    expect((await problemsOf(text)).map(([code, path, , hint]) => [code, path, hint])).toEqual([
      ["FIELD_INVALID", "concurrency.onLimit", "There is `queue`, `reject`, `cancel-running`."],
      [
        "FIELD_INVALID",
        "rateLimit.onLimit",
        "A rate counts beginnings: cancelling a run would give none back. Use `concurrency` for that.",
      ],
      ["FIELD_INVALID", "singleton.onConflict", "Runs that wait for each other while they are at work are `concurrency: 1`."],
    ]);
  });

  test("what is missing is said", async () => {
    expect(await briefly("rateLimit: {}\ndebounce: {}")).toEqual([
      "FIELD_MISSING rateLimit",
      "FIELD_MISSING rateLimit",
      "FIELD_MISSING debounce",
    ]);
    expect(await briefly("batch: {}")).toEqual(["FIELD_MISSING batch", "FIELD_MISSING batch"]);
  });

  test("starts are collected in one way", async () => {
    expect(await problemsOf("debounce: { delay: 1s }\nbatch: { size: 2, timeout: 1s }")).toEqual([
      [
        "FIELD_INVALID",
        "batch",
        "A workflow has `debounce` or `batch`, not both",
        "A start replaces the one before it (`debounce`), or is added to it (`batch`): choose one.",
      ],
    ]);
  });

  test("numbers of a batch and times of a debounce have bounds", async () => {
    expect(await briefly("batch: { size: 1001, timeout: 0 }")).toEqual(["FIELD_INVALID batch.size", "FIELD_INVALID batch.timeout"]);
    expect(await briefly("debounce: { delay: soon, maxDelay: 1m }")).toEqual(["DURATION_INVALID debounce.delay"]);
    expect(await briefly("debounce: { delay: true, maxDelay: 1m }")).toEqual(["FIELD_INVALID debounce.delay"]);
    expect(await problemsOf("debounce: { delay: 1m, maxDelay: 10s }")).toEqual([
      [
        "FIELD_INVALID",
        "debounce.maxDelay",
        "`debounce.maxDelay` is shorter than its `delay`",
        "Make it at least as long, or leave it out.",
      ],
    ]);
    expect(await briefly("debounce: { delay: 1m, maxDelay: 60000 }")).toEqual([]);
  });

  test("a priority is a duration with a unit, at most an hour", async () => {
    const bounds = [
      "PRIORITY_INVALID",
      "priority",
      "`priority` is from -1h to 1h",
      "So that nobody waits for ever behind later runs, a run stands at most an hour earlier or later than it was started.",
    ];
    expect(await problemsOf("priority: 61m")).toEqual([bounds]);
    expect(await problemsOf("priority: -61m")).toEqual([bounds]);
    const hint = "Write a number with a unit (30s, 10m, -5m), or an expression in quotes: `\"{{ input.urgent ? '10m' : '0s' }}\"`.";
    expect(await problemsOf("priority: 600")).toEqual([
      ["FIELD_INVALID", "priority", "`priority` is a duration with a unit, or a text with an expression; this is a number", hint],
    ]);
    expect(await problemsOf("priority: high")).toEqual([["DURATION_INVALID", "priority", '"high" is not a duration', hint]]);
    expect(await briefly('priority: "{{ input. }}"')).toEqual(["EXPRESSION_SYNTAX priority"]);
  });

  test("a key is a text", async () => {
    const hint = 'Write it in quotes: `"{{ input.customer }}"`.';
    expect(await problemsOf('concurrency: [{ limit: 1, key: 5 }, { limit: 1, key: "" }]')).toEqual([
      ["FIELD_INVALID", "concurrency[0].key", "`concurrency[0].key` is a text with an expression; this is a number", hint],
      ["FIELD_INVALID", "concurrency[1].key", "`concurrency[1].key` is empty", undefined],
    ]);
  });

  test("a key sees what is known at the start, and is placed to the character", async () => {
    const hint = "It is evaluated when a run is started, before any step: use `input`, `vars`, `env` or `run`.";
    const fields = (key: string) =>
      `vars: { shop: s }\ninput: { type: object, properties: { customer: {} } }\nsingleton: { key: "${key}" }`;
    expect(await problemsOf(fields("{{ input.customer }}-{{ vars.shop }}-{{ run.tenant }}"))).toEqual([]);
    expect(await problemsOf(fields("{{ steps.a.output & item }}"))).toEqual([
      ["REFERENCE_UNKNOWN", "singleton.key", "Nothing is called `steps` here", hint],
      ["REFERENCE_UNKNOWN", "singleton.key", "Nothing is called `item` here", hint],
    ]);
    expect(
      (await problemsOf(fields("{{ inputs.customer & vars.shopp & input.custmer }}"))).map(([code, , message]) => [code, message]),
    ).toEqual([
      ["REFERENCE_UNKNOWN", "Nothing is called `inputs` here"],
      ["REFERENCE_UNKNOWN", "`vars.shopp` is not declared"],
      ["REFERENCE_UNKNOWN warning", "The schema of the input has no property `custmer`"],
    ]);
    expect(await problemsOf(fields("{{ run.id ?? 1 }}"))).toMatchObject([
      ["REFERENCE_UNKNOWN", "singleton.key", "A run has no id before it is stored", expect.stringContaining("run.tenant")],
    ]);
    const { problems } = await load('singleton: { key: "{{ 1 + }}" }');
    expect(problems).toMatchObject([{ code: "EXPRESSION_SYNTAX", path: "singleton.key", position: { line: 2, column: 26 } }]);
  });

  test("all kinds of limits count together", async () => {
    const rates = (count: number) => Array.from({ length: count }, (_, index) => `{ limit: ${index + 1}, per: 1m }`).join(", ");
    expect(await briefly(`rateLimit: [${rates(8)}]`)).toEqual([]);
    expect(await problemsOf(`rateLimit: [${rates(8)}]\nsingleton: true`)).toEqual([
      ["FIELD_INVALID", "", "A workflow has at most 8 limits; this one has 9", "Count together what is limited for the same reason."],
    ]);
    expect((await problemsOf(`rateLimit: [${rates(9)}]`)).map(([, path, message]) => [path, message])).toEqual([
      ["rateLimit", "`rateLimit` has at most 8 entries; this one has 9"],
    ]);
    // no more of them are looked at, so that a hostile list costs no more than its length
    expect(await briefly(`concurrency: [${Array.from({ length: 20 }, () => "{ limit: 1 }").join(", ")}]`)).toHaveLength(1 + 7);
  });

  test("a topic is a name", async () => {
    expect(await briefly('topic: "{{ input.topic }}"', "steps: { a: { uses: t, topic: 5 } }")).toEqual([
      "FIELD_INVALID topic",
      "FIELD_INVALID steps.a.topic",
    ]);
    expect(
      await briefly(
        "",
        "steps: { a: { switch: [{ otherwise: b }], topic: gpu }, b: { foreach: [], topic: gpu, steps: [{ uses: t, topic: gpu }] } }",
      ),
    ).toEqual(["FIELD_INVALID steps.a.topic", "FIELD_INVALID steps.b.topic"]);
  });

  test("the topic of a task is what remote workers poll", async () => {
    const text = "name: t\nsteps: { b: { foreach: [1], steps: [{ uses: task, topic: gpu, with: { topic: packing } }] } }";
    const { problems } = await loadWorkflow(text, { operators: builtInDefinitions });
    expect(problems).toEqual([
      {
        code: "FIELD_INVALID",
        severity: "error",
        path: "steps.b.steps[0].topic",
        message: "A `task` has no `topic` beside its `with`: the step itself only leaves work",
        hint: "The `topic` under `with` is what remote workers poll. Remove this one.",
        position: { line: 2, column: 51 },
      },
    ]);
  });
});

describe("the input of a batch", () => {
  const BATCH =
    "batch: { size: 10, timeout: 1s, key: '{{ input.customer }}' }\ninput: { type: object, properties: { customer: {} }, additionalProperties: false }";
  const reading = (expression: string) => problemsOf(BATCH, `steps: { a: { uses: t, with: "{{ ${expression} }}" } }`);

  test("steps see the items, keys the input of one start", async () => {
    expect(await reading("input.items[0].customer & $string(input)")).toEqual([]);
    expect(await reading("input.customer")).toEqual([
      [
        "REFERENCE_UNKNOWN",
        "steps.a.with",
        "The input of a batch has `items`, not `customer`",
        "Each item is the input of one start: `input.items[0].customer`, or `item.customer` in a `foreach` over `input.items`.",
      ],
    ]);
    expect(await reading("input.customer ?? 1")).toHaveLength(1);
    expect(
      await briefly("batch: { size: 1, timeout: 1s, key: '{{ input.items[0].customer }}' }\ninput: { properties: { customer: {} } }"),
    ).toEqual(["REFERENCE_UNKNOWN warning batch.key"]);
  });
});

describe("limits that do nothing are warned of", () => {
  const REMOVE = "Remove it, or give it a smaller `limit` or another `key`.";

  test("behind a singleton", async () => {
    expect(await problemsOf("singleton: true\nconcurrency: 4")).toEqual([
      ["LIMIT_INEFFECTIVE warning", "concurrency", "`concurrency` has no effect: `singleton` lets at most 1 run through", REMOVE],
    ]);
    expect(await briefly('singleton: true\nconcurrency: { limit: 1, key: "{{ input.a }}" }')).toHaveLength(1);
    expect(await briefly('singleton: { key: "{{ input.a }}" }\nconcurrency: { limit: 1, key: "{{ input.a }}" }')).toHaveLength(1);
    expect(await briefly('singleton: { key: "{{ input.a }}" }\nconcurrency: 4')).toEqual([]);
    expect(await briefly('singleton: { key: "{{ input.a }}" }\nconcurrency: { limit: 1, key: "{{ input.b }}" }')).toEqual([]);
    expect(await briefly("singleton: true\nrateLimit: { limit: 1, per: 1s }")).toEqual([]);
  });

  test("behind a smaller limit of the same runs", async () => {
    expect(await problemsOf('concurrency: [{ limit: 4 }, { limit: 5, key: "{{ input.a }}" }]')).toEqual([
      [
        "LIMIT_INEFFECTIVE warning",
        "concurrency[1]",
        "`concurrency[1]` has no effect: `concurrency[0]` lets at most 4 runs through",
        REMOVE,
      ],
    ]);
    expect(await briefly('concurrency: [{ limit: 4 }, { limit: 4, key: "{{ input.a }}" }]')).toEqual([]);
    expect(await briefly("concurrency: [{ limit: 4 }, { limit: 4 }]")).toEqual(["LIMIT_INEFFECTIVE warning concurrency[1]"]);
    expect(await briefly('concurrency: [{ limit: 1, key: "{{ input.a }}" }, { limit: 4 }]\nrateLimit: { limit: 1, per: 1s }')).toEqual([]);
    expect(await briefly("concurrency: [{ limit: x }, {}]")).toContain("FIELD_MISSING concurrency[1]");
  });

  test("with a key that is the same for every run", async () => {
    expect(await problemsOf("concurrency: { limit: 1, key: input.customer }\ndebounce: { delay: 1s, key: input.customer }")).toEqual([
      [
        "LIMIT_INEFFECTIVE warning",
        "concurrency.key",
        "The key of `concurrency` is a constant, so it tells no runs apart",
        'Put the expression between braces, `"{{ input.customer }}"`, or leave the key out.',
      ],
      [
        "LIMIT_INEFFECTIVE warning",
        "debounce.key",
        "The key of `debounce` is a constant, so it tells no runs apart",
        'Put the expression between braces, `"{{ input.customer }}"`, or leave the key out.',
      ],
    ]);
  });

  test("with another key than that by which starts are collected", async () => {
    const fields = (key: string) => `concurrency: { limit: 1, key: "{{ input.a }}" }\ndebounce: { delay: 1s${key} }`;
    const warning = [
      "LIMIT_INEFFECTIVE warning",
      "concurrency.key",
      "`concurrency` counts a run by the first start that `debounce` has collected in it",
      "Give both the same `key`, so that all starts of a run agree.",
    ];
    expect(await problemsOf(fields(""))).toEqual([warning]);
    expect(await problemsOf(fields(', key: "{{ input.b }}"'))).toEqual([warning]);
    expect(await problemsOf(fields(', key: "{{ input.a }}"'))).toEqual([]);
    expect(await problemsOf("concurrency: 3\nbatch: { size: 2, timeout: 1s }")).toEqual([]);
    expect(await briefly("concurrency: { limit: 1, key: all }\nbatch: { size: 2, timeout: 1s }")).toHaveLength(1);
  });
});

import { describe, expect, test } from "vitest";
import { LIMITS } from "../model/limits.ts";
import { loadWorkflow } from "./index.ts";

const load = async (text: string) => (await loadWorkflow(text, { operators: null })).problems;
const short = async (text: string) =>
  (await load(text)).map(({ code, path, message, hint }) => [code, path, message, ...(hint === undefined ? [] : [hint])]);
/** Problems of one step in a map, without the first two parts of their paths. */
const step = async (fields: string) =>
  (await short(`name: t\nsteps:\n  a: { ${fields} }\n`)).map(([code, path, ...rest]) => [code, path?.replace("steps.a", "$"), ...rest]);

describe("workflow fields", () => {
  test("what is missing, unknown and wrong is reported together", async () => {
    expect(await short("nme: x\nversion: 1.1\nlabels: [a]\nvars: { a-b: 1 }\ntimeout: 0\nonFailure: halt\n")).toEqual([
      ["FIELD_UNKNOWN", "nme", "A workflow has no field `nme`", "Did you mean `name`?"],
      ["FIELD_MISSING", "", "A workflow has a `name`; it is missing here", "Name of the workflow."],
      ["FIELD_MISSING", "", "A workflow has a `steps`; it is missing here", "A list is a sequence, a map is a graph."],
      ["FIELD_INVALID", "version", "`version` is a text; this is a number", "Put it in quotes: without them 1.10 is the number 1.1."],
      ["FIELD_INVALID", "labels", "`labels` is an object of names and values; this is a list"],
      ["FIELD_INVALID", "vars.a-b", "`a-b` is not a name", "A name has letters, digits and `_`, and does not start with a digit."],
      ["FIELD_INVALID", "timeout", "`timeout` is longer than zero"],
      ["FIELD_INVALID", "onFailure", "`onFailure` is `stop` or `isolate`; this is `halt`", "There is `stop`, `isolate`."],
    ]);
  });

  test.each(["budget", "triggers", "connection"])("%s belongs to a later version of a workflow", async (field) => {
    const [problem] = await load(`name: t\n${field}: {}\nsteps: { a: { uses: t } }`);
    expect(problem).toMatchObject({ code: "FIELD_UNKNOWN", path: field, position: { line: 2, column: 1 } });
    expect(problem?.hint).toBe(`This version of Stepwell does not have \`${field}\`.`);
  });

  test("a member that every object inherits is not a field", async () => {
    expect(await short("name: t\nconstructor: {}\nsteps: { a: { uses: t } }")).toMatchObject([
      ["FIELD_UNKNOWN", "constructor", "A workflow has no field `constructor`"],
    ]);
  });

  test("names have a form and a length", async () => {
    const problem = async (name: string) => (await short(`name: ${name}\nsteps: { a: { uses: t } }`)).map(([, , message]) => message);
    expect(await problem("order.approval-2")).toEqual([]);
    expect(await problem("2nd")).toEqual(["`2nd` is not a name"]);
    expect(await problem("'a b'")).toEqual(["`a b` is not a name"]);
    expect(await problem("''")).toEqual(["`name` is empty"]);
    expect(await problem("5")).toEqual(["`name` is a text; this is a number"]);
    expect(await problem("")).toEqual(["`name` is a text; nothing is written here"]);
    expect(await problem("a".repeat(LIMITS.idLength + 1))).toEqual(["`name` is longer than 128 characters"]);
  });

  test("constants hold no expressions", async () => {
    const text = 'name: t\nvars: { a: ["{{ input.x }}"], b: { c: "{{ 1 }}" }, d: "}} {" }\nsteps: { a: { uses: t } }';
    expect((await short(text)).map(([code, path]) => `${code} ${path}`)).toEqual(["FIELD_INVALID vars.a[0]", "FIELD_INVALID vars.b.c"]);
  });

  test("a secret has one source", async () => {
    const text =
      "name: t\nsecrets: { A: { env: X, file: y }, B: {}, C: { connection: z }, D: { env: 1 }, E: text }\nsteps: { a: { uses: t } }";
    expect((await short(text)).map(([code, path, message]) => [code, path, message])).toEqual([
      ["FIELD_INVALID", "secrets.A", "A secret has `env` or `file`, not both"],
      ["FIELD_MISSING", "secrets.B", "A secret has `env` or `file`; this one has neither"],
      ["FIELD_MISSING", "secrets.C", "A secret has `env` or `file`; this one has neither"],
      ["FIELD_UNKNOWN", "secrets.C.connection", "A secret has no field `connection`"],
      ["FIELD_INVALID", "secrets.D.env", "`secrets.D.env` is a text; this is a number"],
      ["FIELD_INVALID", "secrets.E", "`secrets.E` is a secret, which is an object; this is a string"],
    ]);
  });
});

describe("steps", () => {
  test("there is at least one and at most the limit", async () => {
    expect(await short("name: t\nsteps: []")).toEqual([["FIELD_INVALID", "steps", "A workflow has at least one step"]]);
    expect(await short("name: t\nsteps: x")).toEqual([["FIELD_INVALID", "steps", "`steps` is a list or a map of steps; this is a string"]]);
    const many = JSON.stringify({ name: "t", steps: Array.from({ length: LIMITS.stepsPerWorkflow + 1 }, () => 0) });
    expect(await short(many)).toEqual([["DEFINITION_TOO_LARGE", "steps", "A workflow has at most 100000 steps; this one has 100001"]]);
  });

  test("ids have a form, are not reserved and stand once", async () => {
    const map = `name: t\nsteps:\n  a-b: { uses: t }\n  __proto__: { uses: t }\n  "true": { uses: t }\n  ${"x".repeat(129)}: { uses: t }\n`;
    expect((await short(map)).map(([code, path]) => `${code} ${path?.slice(0, 15)}`)).toEqual([
      "FIELD_INVALID steps.a-b",
      "FIELD_INVALID steps.__proto__",
      "FIELD_INVALID steps.true",
      "FIELD_INVALID steps.xxxxxxxxx",
    ]);
    const list =
      "name: t\nsteps:\n  - { id: a, uses: t }\n  - { id: a, uses: t }\n  - { id: 1b, uses: t }\n  - { id: constructor, uses: t }\n  - { id: 3, uses: t }\n";
    expect((await short(list)).map(([code, path]) => `${code} ${path}`)).toEqual([
      "STEP_DUPLICATE steps[1].id",
      "FIELD_INVALID steps[2].id",
      "FIELD_INVALID steps[3].id",
      "FIELD_INVALID steps[4].id",
    ]);
    expect(await short("name: t\nsteps: { a: { id: a, uses: t } }")).toMatchObject([
      ["FIELD_UNKNOWN", "steps.a.id", "A step has no field `id`"],
    ]);
  });

  test("a step has an operator, a switch or steps of its own", async () => {
    const kinds = "A step has `uses`, `switch`, `foreach` and `steps`, or `loop` and `steps`";
    expect(await step("")).toEqual([["FIELD_MISSING", "$", `${kinds}; this one has none of them`]]);
    expect(await step("uses: t, switch: [{ otherwise: [] }]")).toEqual([["FIELD_INVALID", "$", `${kinds}, only one of them`]]);
    expect(await short("name: t\nsteps: { a: http }")).toEqual([
      ["FIELD_INVALID", "steps.a", "`steps.a` is a step, which is an object; this is a string"],
    ]);
    expect(await step("switch: [], retry: {}, mode: inclusive")).toEqual([
      ["FIELD_INVALID", "$.switch", "`steps.a.switch` is empty"],
      ["FIELD_INVALID", "$.retry", "`retry` means nothing without `uses`"],
    ]);
    expect(await step("uses: t, mode: inclusive")).toEqual([["FIELD_INVALID", "$.mode", "`mode` means nothing without `switch`"]]);
  });

  test.each(["session", "concurrency", "connection", "sensitive"])("%s belongs to a later version", async (field) => {
    expect(await step(`uses: t, ${field}: 1`)).toEqual([
      ["FIELD_UNKNOWN", `$.${field}`, `A step has no field \`${field}\``, `This version of Stepwell does not have \`${field}\`.`],
    ]);
  });

  test.each(["sleep", "wait", "approval", "task", "workflow"])("%s is an operator, not a field", async (name) => {
    expect(await step(`uses: t, ${name}: {}`)).toEqual([
      ["FIELD_UNKNOWN", `$.${name}`, `A step has no field \`${name}\``, `Write \`uses: ${name}\`, and its fields under \`with\`.`],
    ]);
  });

  test("a case has a condition with targets, or is the rest", async () => {
    const problems = await step("switch: [{ when: true }, { then: [a] }, { when: 1, then: 2 }, { otherwise: [], when: x }, {}, 5]");
    expect(problems.filter(([code]) => code?.startsWith("FIELD")).map(([code, path, message]) => [code, path, message])).toEqual([
      ["FIELD_MISSING", "$.switch[0]", "A case has `when` and `then` or `otherwise`; `then` is missing here"],
      ["FIELD_MISSING", "$.switch[1]", "A case has `when` and `then` or `otherwise`; `when` is missing here"],
      ["FIELD_INVALID", "$.switch[2].when", "`steps.a.switch[2].when` is an expression, true or false; this is a number"],
      ["FIELD_INVALID", "$.switch[2].then", "`steps.a.switch[2].then` is a list; this is a number"],
      ["FIELD_INVALID", "$.switch[3]", "A case has `when` and `then` or `otherwise`, not both"],
      ["FIELD_MISSING", "$.switch[4]", "A case has `when` and `then` or `otherwise`; this one has neither"],
      ["FIELD_INVALID", "$.switch[5]", "`steps.a.switch[5]` is a case, which is an object; this is a number"],
    ]);
  });

  test("retry, timeout and the choices are checked", async () => {
    const retry = "{ strategy: linear, maxAttempts: 0, initialDelay: -1, factor: 0.5, jitter: 2, on: X, notOn: [1] }";
    expect(
      (await step(`uses: t, retry: ${retry}, timeout: 5 parsecs, delivery: once, isolation: process, join: any`)).map(
        ([code, path]) => `${code} ${path}`,
      ),
    ).toEqual([
      "FIELD_INVALID $.retry.strategy",
      "FIELD_INVALID $.retry.maxAttempts",
      "DURATION_INVALID $.retry.initialDelay",
      "FIELD_INVALID $.retry.factor",
      "FIELD_INVALID $.retry.jitter",
      "FIELD_INVALID $.retry.on",
      "FIELD_INVALID $.retry.notOn[0]",
      "DURATION_INVALID $.timeout",
      "FIELD_INVALID $.delivery",
      "FIELD_INVALID $.isolation",
      "FIELD_INVALID $.join",
    ]);
    expect(await step("uses: t, retry: { maxAttempts: 1.5 }, timeout: true, onError: 3")).toEqual([
      ["FIELD_INVALID", "$.retry.maxAttempts", "`steps.a.retry.maxAttempts` is a whole number from 1 to 1000; this is 1.5"],
      ["FIELD_INVALID", "$.timeout", "`steps.a.timeout` is a duration; this is a boolean"],
      ["FIELD_INVALID", "$.onError", "`steps.a.onError` is `fail` or `skip` or `continue`; this is a number"],
    ]);
    expect(await step("uses: t, retry: { maxAttempts: many }")).toEqual([
      ["FIELD_INVALID", "$.retry.maxAttempts", "`steps.a.retry.maxAttempts` is a whole number from 1 to 1000; this is a string"],
    ]);
  });

  test("extract needs a schema and no other mapping", async () => {
    expect(await step("uses: t, extract: true")).toEqual([["FIELD_MISSING", "$", "`extract` means nothing without `schema`"]]);
    expect(await step("uses: t, schema: {}, extract: false")).toMatchObject([
      ["FIELD_INVALID", "$.extract", "`steps.a.extract` is `true`, or left out; this is a boolean"],
    ]);
    expect(await step("uses: t, schema: {}, extract: true, output: 1")).toEqual([
      ["FIELD_INVALID", "$.output", "A step has `output` or `extract`, not both"],
    ]);
    expect(await step("uses: t, schema: 5")).toEqual([
      ["FIELD_INVALID", "$.schema", "`steps.a.schema` is a JSON Schema, which is an object; this is a number"],
    ]);
  });
});

describe("many problems", () => {
  test("are capped, and the rest is counted", async () => {
    const text = `name: t\nsteps:\n${Array.from({ length: 300 }, (_, i) => `  s${i}: { usse: t, uses: t }\n`).join("")}`;
    const problems = await load(text);
    expect(problems).toHaveLength(LIMITS.problemsReported + 1);
    expect(problems.at(-1)).toEqual({
      code: "DEFINITION_INVALID",
      severity: "error",
      message: "100 more problems are not shown",
      path: "",
    });
    expect(problems[1]?.position?.line).toBe(4);
  });

  test("warnings do not push errors out", async () => {
    const steps = Array.from({ length: 250 }, (_, i) => `  s${i + 1}: { uses: t, needs: [s0, s0] }\n`).join("");
    const { problems, graph } = await loadWorkflow(`name: t\nsteps:\n  s0: { uses: t }\n${steps}`, { operators: null, file: "big.yaml" });
    expect(graph?.steps).toHaveLength(251);
    expect(problems.at(-1)).toMatchObject({ severity: "warning", message: "50 more problems are not shown", file: "big.yaml" });
    const wrong = await load(`name: t\nsteps:\n  s0: { uses: t }\n${steps}  last: { use: t }\n`);
    expect(wrong.filter(({ severity }) => severity === "error").map(({ code, path }) => `${code} ${path}`)).toEqual([
      "FIELD_MISSING steps.last",
      "FIELD_UNKNOWN steps.last.use",
    ]);
    expect(wrong.at(-1)).toMatchObject({ severity: "warning", message: "52 more problems are not shown" });
  });

  test("one problem more is one problem more", async () => {
    const text = `name: t\nsteps:\n${Array.from({ length: 201 }, (_, i) => `  s${i}: { usse: t, uses: t }\n`).join("")}`;
    expect((await load(text)).at(-1)?.message).toBe("1 more problem is not shown");
  });
});

import { expect, test } from "vitest";
import { loadWorkflow } from "./index.ts";

/** Problems of one expression in the `with` of the step `use`, beside a step `fetch`. */
async function check(expression: string, extra = "") {
  const text = `name: t\n${extra}\nsteps:\n  fetch: { uses: t }\n  use:\n    uses: t\n    with: ${JSON.stringify(`{{ ${expression} }}`)}\n`;
  const { problems } = await loadWorkflow(text, { operators: null });
  return problems.map(({ code, severity, message, hint }) => [severity === "error" ? code : `${code} warning`, message, hint]);
}

test("S4-21 a reference to a step that does not exist names the one that was meant", async () => {
  expect(await check("steps.fecth.output")).toEqual([["STEP_UNKNOWN", "There is no step `fecth`", "Did you mean `fetch`?"]]);
  expect(await check("steps.fecth.output ?? 1")).toHaveLength(1);
});

test("a step has output, status and error", async () => {
  expect(await check("steps.fetch.status")).toEqual([]);
  expect(await check("steps.fetch.error.code ?? 'none'")).toEqual([]);
  const message = (name: string) => `A step has \`output\`, \`status\` and \`error\`, not \`${name}\``;
  expect(await check("steps.fetch.body.id")).toEqual([["REFERENCE_UNKNOWN", message("body"), "Did you mean `steps.fetch.output.body`?"]]);
  expect(await check("steps.fetch.ouput")).toEqual([["REFERENCE_UNKNOWN", message("ouput"), "Did you mean `steps.fetch.output`?"]]);
});

test("steps are read one by one", async () => {
  expect((await check("$keys(steps)")).map(([code]) => code)).toEqual(["REFERENCE_UNKNOWN"]);
});

test("vars and env are declared", async () => {
  const extra = "vars: { shop: x }\nenv: { HOST: h }";
  expect(await check("vars.shop & env.HOST", extra)).toEqual([]);
  expect(await check("vars.shopp", extra)).toEqual([["REFERENCE_UNKNOWN", "`vars.shopp` is not declared", "Did you mean `shop`?"]]);
  expect(await check("env.PORT", extra)).toEqual([["REFERENCE_UNKNOWN", "`env.PORT` is not declared", "There is `HOST`."]]);
  expect(await check("vars.x")).toEqual([["REFERENCE_UNKNOWN", "`vars.x` is not declared", "Declare it under `vars`."]]);
  expect(await check("vars.x ?? 1")).toEqual([]);
  expect(await check("vars", extra)).toEqual([]);
});

test("an input that the schema does not name is suspect, with a closed schema an error", async () => {
  const schema = (rest: string) => `input: { type: object, properties: { orderId: {} }${rest} }`;
  const message = "The schema of the input has no property `orderID`";
  expect(await check("input.orderID", schema(""))).toEqual([["REFERENCE_UNKNOWN warning", message, "Did you mean `orderId`?"]]);
  expect(await check("input.orderID", schema(", additionalProperties: false"))).toEqual([
    ["REFERENCE_UNKNOWN", message, "Did you mean `orderId`?"],
  ]);
  expect(await check("input.orderId", schema(""))).toEqual([]);
  expect(await check("input.x", schema(", additionalProperties: true"))).toEqual([]);
  expect(await check("input.x", schema(", patternProperties: { ^x: {} }"))).toEqual([]);
  expect(await check("input.x", "input: { type: object }")).toEqual([]);
  expect(await check("input.x")).toEqual([]);
});

test("names that mean nothing here say what was meant", async () => {
  const hints = async (expression: string) => (await check(expression)).map(([code, , hint]) => [code, hint]);
  expect(await hints("inputs.x")).toEqual([["REFERENCE_UNKNOWN", "Did you mean `input`?"]]);
  expect(await hints("fetch.body")).toEqual([["REFERENCE_UNKNOWN", "Did you mean `steps.fetch.output`?"]]);
  expect(await hints("item.price")).toEqual([["REFERENCE_UNKNOWN", "`item` is known only inside a `foreach`."]]);
  expect(await hints("round")).toEqual([["REFERENCE_UNKNOWN", "`round` is known only inside a `loop`."]]);
  expect(await hints("result.body")).toEqual([["REFERENCE_UNKNOWN", "`result` is known only in the `output` of a step with `uses`."]]);
  expect(await hints("somewhere.else")).toEqual([
    ["REFERENCE_UNKNOWN", "An expression here begins with `input`, `steps`, `vars`, `env`, `run`."],
  ]);
  expect(await hints("run.id")).toEqual([]);
});

test("result is known in output", async () => {
  const { problems } = await loadWorkflow('name: t\nsteps: { a: { uses: t, output: "{{ result.body }}" } }\n', { operators: null });
  expect(problems).toEqual([]);
});

test("secrets are declared and used by name", async () => {
  const text = (name: string) =>
    `name: t\nsecrets: { TOKEN: { env: T }, CERT: { file: f } }\nsteps: { a: { uses: t, with: { list: [{ secret: ${name} }], secret: 1, other: { secret: X, more: 1 } } } }\n`;
  expect((await loadWorkflow(text("TOKEN"), { operators: null })).graph?.secrets).toEqual({ TOKEN: { env: "T" }, CERT: { file: "f" } });
  const { problems } = await loadWorkflow(text("TOKN"), { operators: null });
  expect(problems.map(({ code, path, hint }) => [code, path, hint])).toEqual([
    ["REFERENCE_UNKNOWN", "steps.a.with.list[0].secret", "Did you mean `TOKEN`?"],
  ]);
  const none = await loadWorkflow("name: t\nsteps: { a: { uses: t, with: { secret: X } } }\n", { operators: null });
  expect(none.problems[0]?.hint).toBe("Declare it under `secrets`.");
});

test("problems of expressions are placed to the character", async () => {
  const { problems } = await loadWorkflow('name: t\nsteps:\n  a:\n    uses: t\n    with: { x: "ab {{ input. }}" }\n', { operators: null });
  expect(problems).toMatchObject([{ code: "EXPRESSION_SYNTAX", path: "steps.a.with.x", position: { line: 5 } }]);
  expect(problems[0]?.position?.column).toBeGreaterThan(17);
});

import { expect, test } from "vitest";
import type { OperatorCatalog, OperatorDefinition } from "../../operators/definition.ts";
import { loadWorkflow } from "../index.ts";

const definitions: readonly OperatorDefinition[] = [
  { name: "transform", description: "", slow: false, check: null },
  {
    name: "http",
    description: "",
    slow: true,
    check: (input) =>
      input?.isConstant === true
        ? [{ code: "FIELD_INVALID", severity: "error", path: 'headers["x-id"][1].v', message: "no", hint: "yes" }]
        : input === null
          ? [{ code: "FIELD_MISSING", severity: "error", path: "", message: "no url" }]
          : [],
  },
];
const operators: OperatorCatalog = {
  get: (name) => definitions.find((definition) => definition.name === name),
  names: () => definitions.map(({ name }) => name),
};
const load = async (text: string) => (await loadWorkflow(`name: t\n${text}`, { operators })).problems;

test("S4-21 an unknown operator names the one that was meant", async () => {
  const problems = await load("steps: { a: { uses: htpp }, b: { uses: something-else }, c: { uses: transform }, d: { uses: '' } }");
  expect(problems.filter(({ code }) => code === "OPERATOR_UNKNOWN").map(({ path, hint }) => [path, hint])).toEqual([
    ["steps.a.uses", "Did you mean `http`?"],
    ["steps.b.uses", "There is `transform`, `http`."],
  ]);
});

test("without a catalogue no operator is unknown", async () => {
  expect((await loadWorkflow("name: t\nsteps: { a: { uses: x } }", { operators: null })).problems).toEqual([]);
});

test("an operator's problems with its input are placed in `with`", async () => {
  const text = "steps:\n  a:\n    uses: http\n    timeout: 1s\n    with:\n      headers:\n        x-id: [1, { v: 2 }]\n";
  expect(await load(text)).toEqual([
    {
      code: "FIELD_INVALID",
      severity: "error",
      message: "no",
      hint: "yes",
      path: "steps.a.with.headers.x-id[1].v",
      position: { line: 8, column: 24 },
    },
  ]);
  expect(await load('steps: { a: { uses: http, timeout: 1s, with: "{{ input }}" } }')).toEqual([]);
  expect(await load("steps: { a: { uses: http, timeout: 1s } }")).toMatchObject([{ code: "FIELD_MISSING", path: "steps.a.with" }]);
});

test("S1-44 a slow operator without a timeout is a warning, not an error", async () => {
  const fetch = (rest: string, before = "") => load(`${before}\nsteps: { a: { uses: http, with: "{{ input }}"${rest} } }`);
  expect(await fetch("")).toMatchObject([{ code: "TIMEOUT_MISSING", severity: "warning", path: "steps.a.uses" }]);
  expect(await fetch(", timeout: 5s")).toEqual([]);
  expect(await fetch("", "defaults: { timeout: 5s }")).toEqual([]);
  expect(await fetch("", "timeout: 5s")).toHaveLength(1);
  expect(await load("steps: { a: { uses: transform } }")).toEqual([]);
});

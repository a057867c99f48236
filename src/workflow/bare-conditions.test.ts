import { beforeEach, expect, test, vi } from "vitest";

// JSONata is loaded once in a module's life; every definition here meets modules in which it has not been.
beforeEach(() => {
  vi.resetModules();
});

async function codesOf(fields: object): Promise<readonly string[]> {
  const { compileDefinition } = await import("./index.ts");
  const { graph, problems } = await compileDefinition({ name: "t", steps: { a: { uses: "log", ...fields } } }, { operators: null });
  expect(graph).toBeUndefined();
  return problems.map(({ code }) => code);
}

test.each(["input.a }} b", "'a", "input.a /* x"])("the bare condition %s is a problem, not a crash", async (condition) => {
  expect(await codesOf({ when: condition })).toEqual(["EXPRESSION_SYNTAX"]);
});

test("the bare condition of a switch that does not close its string is a problem, not a crash", async () => {
  expect(await codesOf({ uses: undefined, switch: [{ when: "'a", then: "a" }] })).toContain("EXPRESSION_SYNTAX");
});

test.each(["until", "while"])(
  "the bare condition `%s` of a loop that does not close its string is a problem, not a crash",
  async (name) => {
    const fields = { uses: undefined, loop: { [name]: "'a", maxIterations: 2 }, steps: { b: { uses: "log" } } };
    expect(await codesOf(fields)).toContain("EXPRESSION_SYNTAX");
  },
);

import { expect, test } from "vitest";
import { builtInDefinitions } from "../operators/definitions.ts";
import { loadWorkflow } from "./index.ts";

const load = (text: string) => loadWorkflow(`name: t\n${text}`, { operators: null });
const problemsOf = async (text: string) =>
  (await load(text)).problems.map(({ code, path, position }) => `${code} ${path}:${position?.line}`);

test("S1+6 a step says what undoes it, with retries and a timeout of its own", async () => {
  const { graph, problems } = await load(`
defaults: { retry: { maxAttempts: 2 }, timeout: 5s }
steps:
  a: { uses: t, compensate: { uses: undo, with: { id: "{{ steps.a.output.id }}", late: "{{ steps.b.output ?? 0 }}" }, retry: { maxAttempts: 9 }, timeout: 1s } }
  b: { uses: t, with: "{{ steps.a.output }}", compensate: { uses: undo } }
  c: { uses: t }
`);
  expect(problems).toEqual([]);
  const [a, b, c] = graph?.steps ?? [];
  expect(a?.compensate).toMatchObject({ uses: "undo", timeoutMs: 1_000, retry: { maxAttempts: 9, strategy: "exponential" } });
  expect(a?.compensate?.with?.source).toEqual({ id: "{{ steps.a.output.id }}", late: "{{ steps.b.output ?? 0 }}" });
  expect(b?.compensate).toMatchObject({ uses: "undo", with: null, timeoutMs: 5_000, retry: { maxAttempts: 2 } });
  expect([c?.compensate, graph?.compensation]).toEqual([null, { order: "backward", on: ["failure"] }]);
  expect(graph?.edges.map(({ from, to }) => [from, to])).toEqual([[0, 1]]);
});

test("S1+6 order and causes are the workflow's", async () => {
  const policyOf = async (policy: string) => {
    const { graph, problems } = await load(`compensation: ${policy}\nsteps: { a: { uses: t, compensate: { uses: undo } } }`);
    expect(problems).toEqual([]);
    return graph?.compensation;
  };
  expect(await policyOf("{ order: forward, on: [cancel, failure, cancel] }")).toEqual({ order: "forward", on: ["failure", "cancel"] });
  expect(await policyOf("{ on: cancel }")).toEqual({ order: "backward", on: ["cancel"] });
  expect(await policyOf("{}")).toEqual({ order: "backward", on: ["failure"] });
  expect((await load("steps: { a: { uses: t } }")).graph?.compensation).toBeNull();
});

test("S1+6 what cannot be undone, or by whom, is said with its place", async () => {
  expect(await problemsOf("compensation: { order: sideways, on: [] }\nsteps: { a: { uses: t } }")).toEqual([
    "FIELD_INVALID compensation:2",
    "FIELD_INVALID compensation.order:2",
    "FIELD_INVALID compensation.on:2",
  ]);
  expect(await problemsOf("steps:\n  a: { switch: [{ otherwise: [] }], compensate: { uses: undo } }")).toEqual([
    "FIELD_INVALID steps.a.compensate:3",
  ]);
  expect(await problemsOf("steps:\n  a: { foreach: [], steps: { b: { uses: t, compensate: { uses: undo } } } }")).toEqual([
    "FIELD_INVALID steps.a.steps.b.compensate:3",
  ]);
  expect(
    await problemsOf(
      'steps:\n  a:\n    uses: t\n    compensate: { with: { x: "{{ steps.c.output }}", secret: { secret: S } }, retry: 5, when: true }',
    ),
  ).toEqual([
    "FIELD_MISSING steps.a.compensate:5",
    "STEP_UNKNOWN steps.a.compensate.with.x:5",
    "REFERENCE_UNKNOWN steps.a.compensate.with.secret.secret:5",
    "FIELD_INVALID steps.a.compensate.retry:5",
    "FIELD_UNKNOWN steps.a.compensate.when:5",
  ]);
});

test("S1+6 S1-44 the operator that undoes is checked like any other", async () => {
  const undo = async (fields: string) => {
    const text = `name: t\nsteps: { a: { uses: transform, compensate: { ${fields} } } }`;
    const { problems } = await loadWorkflow(text, { operators: builtInDefinitions });
    return problems.map(({ code, path }) => `${code} ${path}`);
  };
  expect(await undo("uses: undoo")).toEqual(["OPERATOR_UNKNOWN steps.a.compensate.uses"]);
  expect(await undo("uses: http, with: { url: 5 }")).toEqual([
    "TIMEOUT_MISSING steps.a.compensate.uses",
    "FIELD_INVALID steps.a.compensate.with.url",
  ]);
  expect(await undo("uses: log, with: { message: undone }")).toEqual([]);
});

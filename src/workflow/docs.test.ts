import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { builtInDefinitions } from "../operators/definitions.ts";
import { WORKFLOW } from "./fields.ts";
import { loadWorkflow } from "./index.ts";

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const examplesOf = (text: string) =>
  [...text.matchAll(/^```yaml\n(name: ([\w-]+)\n.*?)^```$/gms)].map(([, example = "", name = ""]) => ({ name, example }));

const authoring = page("guide/authoring.md");
const flowControl = page("guide/flow-control.md");
const reference = page("reference/definition.md");

describe("examples of the documentation", () => {
  test.each([...examplesOf(authoring), ...examplesOf(flowControl), ...examplesOf(reference)])(
    "S1-44 $name is a workflow without errors or warnings",
    async ({ example }) => {
      const { graph, problems } = await loadWorkflow(example, { operators: builtInDefinitions, userVars: { region: "eu" } });
      expect(problems).toEqual([]);
      expect(graph?.steps.length).toBeGreaterThan(0);
    },
  );

  test("S1-44 the guide shows parallel work, timeouts, fallbacks and what to do instead of polling", async () => {
    expect(examplesOf(authoring).map(({ name }) => name)).toEqual([
      "order",
      "nightly-report",
      "quote",
      "product-page",
      "payment",
      "refund",
      "invoices",
      "approval",
      "geocode",
      "import",
    ]);
    const { graph } = await loadWorkflow(examplesOf(authoring).find(({ name }) => name === "quote")?.example ?? "", { operators: null });
    expect(graph?.edges.map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });

  test("the edges of the reference are as its comments say", async () => {
    const { graph } = await loadWorkflow(examplesOf(reference).find(({ name }) => name === "edges")?.example ?? "", { operators: null });
    expect(graph?.edges).toEqual([
      { from: 0, to: 1, kind: "order", required: false, inferred: true },
      { from: 0, to: 2, kind: "data", required: true, inferred: false },
      { from: 1, to: 3, kind: "order", required: false, inferred: true },
      { from: 2, to: 3, kind: "order", required: false, inferred: true },
    ]);
  });

  test("every field of the format is in the reference", () => {
    const steps = WORKFLOW.fields["steps"]?.shape;
    const stepFields = steps?.kind === "steps" ? Object.keys(steps.of("list").fields) : [];
    const missing = [...Object.keys(WORKFLOW.fields), ...stepFields].filter((field) => !reference.includes(`\`${field}\``));
    expect([missing, stepFields.length > 15]).toEqual([[], true]);
  });
});

import { expect, test } from "vitest";
import { builtInDefinitions } from "../../operators/definitions.ts";
import { loadWorkflow } from "../index.ts";

const load = async (text: string) =>
  (await loadWorkflow(`name: t\n${text}`, { operators: null })).problems.map(({ code, path, position }) => [code, path, position?.line]);

test("a schema of the input or of a step must be a JSON Schema 2020-12", async () => {
  expect(
    await load(
      "input:\n  type: object\n  properties:\n    a: { type: strnig }\n    b/c: { minimum: x }\nsteps: { a: { uses: t, schema: { type: [] } } }",
    ),
  ).toEqual([
    ["SCHEMA_INVALID", "input.properties.a.type", 5],
    ["SCHEMA_INVALID", "input.properties.a.type", 5],
    ["SCHEMA_INVALID", "input.properties.a.type", 5],
    ["SCHEMA_INVALID", 'input.properties["b/c"].minimum', 6],
    ["SCHEMA_INVALID", "steps.a.schema.type", 7],
    ["SCHEMA_INVALID", "steps.a.schema.type", 7],
    ["SCHEMA_INVALID", "steps.a.schema.type", 7],
  ]);
});

test("references in a schema lead somewhere, and nothing is fetched", async () => {
  expect(await load("input: { $ref: '#/$defs/x' }\nsteps: { a: { uses: t } }")).toEqual([["SCHEMA_INVALID", "input", 2]]);
  expect(await load("input: { $ref: 'http://127.0.0.1:1/x.json' }\nsteps: { a: { uses: t } }")).toHaveLength(1);
  expect(
    await load("input: { $ref: '#/$defs/x', $defs: { x: { type: string, format: email, x-more: 1 } } }\nsteps: { a: { uses: t } }"),
  ).toEqual([]);
});

test("a schema cannot make validation asynchronous", async () => {
  expect(await load("input: { $async: true, type: object }\nsteps: { a: { uses: t } }")).toEqual([["SCHEMA_INVALID", "input.$async", 2]]);
});

test("two steps may have the same schema, also with one $id", async () => {
  const schema = "{ $id: 'urn:shop:order', type: object }";
  expect(
    await load(
      `steps: { a: { uses: t, schema: ${schema} }, b: { uses: t, schema: ${schema} }, c: { uses: t, schema: { $id: 'urn:shop:order' } } }`,
    ),
  ).toEqual([]);
});

test("a JSONPath query must be one of RFC 9535", async () => {
  const { graph, problems } = await loadWorkflow("name: t\nsteps: { a: { uses: t, output: 'jsonpath: $.items[*].id' } }", {
    operators: null,
  });
  expect([problems, graph?.steps[0]?.output]).toEqual([[], { kind: "jsonpath", query: "$.items[*].id" }]);
  expect(await load("steps: { a: { uses: t, output: 'jsonpath: $.items[' }, b: { uses: t, output: 'jsonpath:' } }")).toEqual([
    ["EXPRESSION_SYNTAX", "steps.a.output", 2],
    ["EXPRESSION_SYNTAX", "steps.b.output", 2],
  ]);
});

test.each([
  ["of an approval", (approval: string) => `{ ${approval} }`, "steps.a.with"],
  [
    "of an approval that undoes a step",
    (approval: string) => `{ uses: transform, compensate: { ${approval} } }`,
    "steps.a.compensate.with",
  ],
])("S4-21 the form %s is a JSON Schema, as far as it is known", async (_, stepWith, place) => {
  const codes = async (form: string) => {
    const text = `name: t\nsteps:\n  a: ${stepWith(`uses: approval, with: { title: t, form: ${form} }`)}\n`;
    return (await loadWorkflow(text, { operators: builtInDefinitions })).problems.map(({ code, path }) => `${code} ${path}`);
  };
  expect(await codes("{ type: object, properties: { amount: { type: number } } }")).toEqual([]);
  expect(await codes("{ type: objet }")).toContain(`SCHEMA_INVALID ${place}.form.type`);
  expect(await codes('{ type: "{{ input.type }}" }')).toEqual([]);
  expect(await codes('"{{ input.form }}"')).toEqual([]);
});

test("S4-21 an approval needs no form", async () => {
  const bare = await loadWorkflow("name: t\nsteps: { a: { uses: approval, with: { title: t } } }", { operators: builtInDefinitions });
  expect(bare.problems).toEqual([]);
});

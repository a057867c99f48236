import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../model/json.ts";
import { compileDefinition, definitionSchema } from "./index.ts";

const validate = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false }).compile(
  definitionSchema(),
);
/** What the format itself forbids, in contrast to what only a look at the whole definition finds. */
const FORM_CODES: readonly string[] = ["FIELD_UNKNOWN", "FIELD_INVALID", "FIELD_MISSING", "DURATION_INVALID", "DEFINITION_TOO_LARGE"];

async function hasForm(definition: Record<string, Json>): Promise<boolean> {
  const { problems } = await compileDefinition(definition, { operators: null });
  return !problems.some(({ code, severity }) => severity === "error" && FORM_CODES.includes(code));
}

describe("the JSON Schema of the format", () => {
  test("the checked-in file is what definitionSchema() gives", () => {
    const file: unknown = JSON.parse(readFileSync(new URL("../../schema/workflow.schema.json", import.meta.url), "utf8"));
    expect(file, "write JSON.stringify(definitionSchema(), null, 2) to schema/workflow.schema.json").toEqual(definitionSchema());
  });

  test("every field has a sentence for editors", () => {
    const withoutText: string[] = [];
    const visit = (schema: Json, path: string) => {
      if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return;
      for (const [key, member] of Object.entries(schema)) {
        if (key !== "properties") visit(member, `${path}.${key}`);
        else {
          for (const [name, field] of Object.entries(member ?? {})) {
            if (!JSON.stringify(field).includes('"description"')) withoutText.push(`${path}.${name}`);
            visit(field, `${path}.${name}`);
          }
        }
      }
    };
    visit(definitionSchema(), "");
    expect(withoutText).toEqual([]);
  });

  const values = fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    -1,
    1,
    0.5,
    1.5,
    1_001,
    "",
    "a",
    "x-y",
    "5s",
    "1h30m",
    "PT5M",
    "P1D",
    "5 parsecs",
    [],
    ["a"],
    [1],
    {},
    { env: "A" },
    { env: "A", file: "b" },
    { a: 1 },
    { a: "b" },
    { maxAttempts: 2 },
    { maxAttempts: 0 },
    { timeout: "1s" },
    { strategy: "fixed", on: ["X"] },
    "exclusive",
    "thread",
    "stop",
    "some",
    "skip",
    "at-most-once",
    [{ when: true, then: "a" }],
    [{ when: "x", then: ["a"] }, { otherwise: [] }],
    [{ when: true }],
    [{ otherwise: "a", then: "a" }],
    [{}],
    "{{ input.lines }}",
    "10%",
    "101%",
    { until: true, maxIterations: 2 },
    { while: "x", until: "y", maxIterations: 1_000_000, carry: [1], delay: 5, exhausted: "succeed" },
    { maxIterations: 2 },
    { until: true, maxIterations: 0 },
    { until: true },
    { b: { uses: "t" } },
    [{ uses: "t" }],
    { uses: "t", with: 5, retry: {}, timeout: "5s" },
    { uses: "t", when: true },
    "-5m",
    "- 1h",
    "--5m",
    "{{ input.urgent ? '10m' : '0s' }}",
    "{{",
    4,
    1_000_001,
    { limit: 4 },
    { limit: 0 },
    { limit: 4, key: "{{ input.customer }}", onLimit: "cancel-running" },
    { limit: 4, per: "1m", onLimit: "reject" },
    { limit: 4, per: 0 },
    [{ limit: 4 }, { limit: 1, key: "" }],
    [{ limit: 4, per: 1_000, key: "{{ input.customer }}" }],
    Array.from({ length: 9 }, () => ({ limit: 4 })),
    { key: "{{ input.customer }}", onConflict: "cancel-running" },
    { onConflict: "queue" },
    { delay: "10s" },
    { delay: "10s", maxDelay: "1m", key: "{{ input.customer }}" },
    { delay: 0 },
    { size: 100, timeout: "5s", key: "{{ input.customer }}" },
    { size: 1_001, timeout: "5s" },
    { size: 100 },
  );
  const stepFields = fc.constantFrom(
    "uses",
    "with",
    "needs",
    "when",
    "join",
    "switch",
    "mode",
    "output",
    "extract",
    "schema",
    "retry",
    "timeout",
    "fallback",
    "onError",
    "delivery",
    "idempotencyKey",
    "isolation",
    "description",
    "id",
    "foreach",
    "maxConcurrency",
    "sequential",
    "tolerate",
    "loop",
    "steps",
    "compensate",
    "topic",
    "x",
  );
  const workflowFields = fc.constantFrom(
    "name",
    "version",
    "description",
    "labels",
    "input",
    "vars",
    "env",
    "secrets",
    "timeout",
    "onFailure",
    "defaults",
    "steps",
    "output",
    "budget",
    "topic",
    "priority",
    "concurrency",
    "rateLimit",
    "singleton",
    "debounce",
    "batch",
    "x",
  );

  test("it accepts a workflow exactly when the validator finds nothing wrong with its form", async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), workflowFields, values, async (hasName, field, value) => {
        // that a constant holds no expression is beyond a schema
        fc.pre(field !== "vars" || !JSON.stringify(value).includes("{{"));
        const definition = { ...(hasName ? { name: "t" } : {}), steps: { a: { uses: "t" } }, [field]: value };
        expect([definition, validate(definition)]).toEqual([definition, await hasForm(definition)]);
      }),
      { numRuns: 1_200 },
    );
  });

  test("it accepts a step exactly when the validator finds nothing wrong with its form", async () => {
    const start = fc.constantFrom<Record<string, Json>>(
      { uses: "t" },
      { uses: "t", schema: {} },
      { switch: [{ otherwise: ["a"] }] },
      { foreach: "{{ input.lines }}", steps: [{ uses: "t" }] },
      { foreach: [], sequential: true },
      { loop: { until: "x", maxIterations: 1 }, steps: { b: { uses: "t" } } },
      {},
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), start, stepFields, values, async (isList, fields, field, value) => {
        fc.pre(!(fields["schema"] !== undefined && field === "output"));
        const step: Json = { ...fields, [field]: value };
        const definition = { name: "t", steps: isList ? [step] : { a: step } };
        expect([definition, validate(definition)]).toEqual([definition, await hasForm(definition)]);
      }),
      { numRuns: 2_000 },
    );
  });

  test("ids of a map are checked by both", async () => {
    for (const id of ["a", "_A9", "9a", "a-b", "a.b", "", "x".repeat(128), "x".repeat(129)]) {
      const definition = { name: "t", steps: { [id]: { uses: "t" } } };
      expect([id, validate(definition)]).toEqual([id, await hasForm(definition)]);
    }
  });
});

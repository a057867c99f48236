import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { serve } from "../../test/fixtures/loopback-server.ts";
import { operatorContext } from "../../test/fixtures/operator-context.ts";
import { isJsonObject, type Json } from "../model/json.ts";
import { builtInDefinitions } from "./definitions.ts";
import { createBuiltInExecutors } from "./executors.ts";
import { Suspension } from "./suspension.ts";

const PAGES = join(import.meta.dirname, "../../docs/reference/operators");
/** A step of a map and, in the fence after it, what it returns. */
const EXAMPLE = /```yaml\n(.*?)```\s+```json\n(.*?)```/gs;
/** Where the pages say that the service is. */
const SERVICE = "http://127.0.0.1:4010";

const executors = createBuiltInExecutors();
afterAll(() => executors.close());

/** The service of the http page: says what it was asked. */
const service = () =>
  serve((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const status = request.url === "/missing" ? 404 : 200;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ method: request.method, path: request.url, body }));
    });
  });

describe.each(builtInDefinitions.names())("docs/reference/operators/%s.md", (name) => {
  const page = readFileSync(join(PAGES, `${name}.md`), "utf8");
  const examples = [...page.matchAll(EXAMPLE)].map(([, yaml = "", json = ""]) => ({ yaml, json }));

  test("every example has its result and every field is described", () => {
    expect(examples.length).toBeGreaterThan(0);
    expect(page.match(/```yaml/g)).toHaveLength(examples.length);
    const [surplus] =
      builtInDefinitions
        .get(name)
        ?.check?.({ source: { "no such field": 1 }, references: [], isConstant: true, evaluate: () => 1 })
        .filter(({ code }) => code === "FIELD_UNKNOWN") ?? [];
    for (const field of surplus?.hint?.match(/[a-zA-Z]+(?=[,.])/g) ?? []) expect(page).toContain(`| \`${field}\` |`);
  });

  test.each(examples)("$yaml", async ({ yaml, json }) => {
    await using server = await service();
    const steps: unknown = parse(yaml.replaceAll(SERVICE, server.url));
    const [step] = isJsonObject(steps) ? Object.values(steps) : [];
    if (!isJsonObject(step)) throw new Error("an example is a map of one step");
    const { uses, with: input = null }: { readonly uses?: Json; readonly with?: Json } = step;
    expect(uses).toBe(name);
    const check = builtInDefinitions.get(name)?.check;
    expect(check?.({ source: input, references: [], isConstant: true, evaluate: () => input }) ?? []).toEqual([]);
    const operator = await executors.operators.get(name)?.();
    const result = await operator?.(input, operatorContext());
    const expected: unknown = JSON.parse(json);
    // what ends the wait comes from outside
    if (result instanceof Suspension) return;
    expect({ result }).toMatchObject({ result: expected });
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Stepwell } from "../../src/index.ts";
import { isJsonObject } from "../../src/model/json.ts";
import { loadOperators } from "../../src/operators/load.ts";
import { parseDefinition } from "../../src/workflow/index.ts";
import { startShop } from "./service.ts";

const file = (name: string) => join(import.meta.dirname, name);
const shop = await startShop({ port: 0, pace: 0 });
const { operators } = await loadOperators(file("operators.ts"));
const stepwell = new Stepwell({ ledger: "memory:", operators: Object.fromEntries(operators) });
afterAll(async () => {
  await stepwell.stop();
  await shop[Symbol.asyncDispose]();
});

async function runOrders(vars: Readonly<Record<string, number>> = {}) {
  const { definition } = parseDefinition(readFileSync(file("workflow.yaml"), "utf8"), { file: "workflow.yaml" });
  if (definition === undefined || !isJsonObject(definition["vars"])) throw new Error("workflow.yaml cannot be read");
  expect(await stepwell.register({ ...definition, vars: { ...definition["vars"], ...vars } })).toEqual([]);
  const input: object = JSON.parse(readFileSync(file("orders.json"), "utf8"));
  const id = await stepwell.start("orders", { ...input, shop: shop.url });
  await stepwell.result(id);
  const run = await stepwell.get(id);
  return { run, id, step: (name: string) => run?.steps.find((step) => step.id === name) };
}

test("the batch is worked off: a retry that succeeds, a fallback, a skipped branch and a readable summary", async () => {
  const { run, id, step } = await runOrders();
  expect(run).toMatchObject({
    status: "SUCCEEDED",
    output: { headline: "12 orders: 9 shipped for EUR 4,526.41, 3 held", fraudCase: "FC-1048" },
  });
  expect(step("capture")).toMatchObject({ status: "SUCCEEDED", attempt: 3 });
  expect(step("tariff")).toMatchObject({ status: "SUCCEEDED", reason: "fallback", attempt: 3 });
  expect(step("openCase")).toMatchObject({ status: "SUCCEEDED" });
  expect(step("allClear")).toMatchObject({ status: "SKIPPED", reason: "branch" });
  expect(shop.effects()["POST /payments/captures"]).toMatchObject({ [`${id}:capture`]: { calls: 3, answered: 1, effects: 1 } });
});

test("with nothing to review the other branch is skipped", async () => {
  const { run, step } = await runOrders({ riskThreshold: 1 });
  expect(run).toMatchObject({ status: "SUCCEEDED", output: { headline: expect.stringContaining("10 shipped"), fraudCase: "none" } });
  expect(step("openCase")).toMatchObject({ status: "SKIPPED", reason: "branch" });
  expect(step("allClear")).toMatchObject({ status: "SUCCEEDED" });
});

/**
 * An engine that runs the orders example to its end, or until it is killed: `ledger, address of the shop, journal of calls,
 * idempotency key`. Every call of an operator is on disk before the operator begins.
 */
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as operators from "../../examples/orders/operators.ts";
import { type Interceptor, Stepwell } from "../../src/index.ts";
import { isJsonObject } from "../../src/model/json.ts";
import { builtInDefinitions, catalogOf } from "../../src/operators/definitions.ts";
import { loadWorkflow } from "../../src/workflow/index.ts";

const [ledger = "", shop = "", journal = "", idempotencyKey = ""] = process.argv.slice(2);
const example = (file: string): string => fileURLToPath(new URL(`../../examples/orders/${file}`, import.meta.url));

const note: Interceptor = (attempt, next) => {
  const file = openSync(journal, "a");
  appendFileSync(file, `${JSON.stringify({ at: Date.now(), run: attempt.runId, step: attempt.stepId, attempt: attempt.attempt })}\n`);
  fsyncSync(file);
  closeSync(file);
  return next();
};

const catalog = catalogOf(builtInDefinitions, Object.keys(operators));
const loaded = await loadWorkflow(readFileSync(example("workflow.yaml"), "utf8"), { operators: catalog });
if (loaded.definition === undefined) throw new Error("the example's definition cannot be read");
const orders: unknown = JSON.parse(readFileSync(example("orders.json"), "utf8"));

const stepwell = new Stepwell({ ledger, operators: { ...operators }, interceptors: [note] });
await stepwell.register(loaded.definition);
const id = await stepwell.start("orders", { ...(isJsonObject(orders) ? orders : { orders }), shop }, { idempotencyKey });
process.stdout.write(`started ${id}\n`);
const { status, output, error } = await stepwell.result(id);
process.stdout.write(`ended ${JSON.stringify({ status, output, error })}\n`);
await stepwell.stop();

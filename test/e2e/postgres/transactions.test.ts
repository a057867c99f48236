import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { openLedger } from "../../../src/ledger/url.ts";
import type { SqlClient } from "../../../src/model/sql-client.ts";
import type { Operator } from "../../../src/operators/operator.ts";
import { Gate, Harness } from "../../../src/testing/harness.ts";
import { Workspace } from "../../fixtures/cli-process.ts";
import { pay as payThere } from "../../fixtures/operators/transacting.ts";
import { blockedBy, query } from "../../fixtures/postgres/database.ts";
import { sharedDatabase } from "../../fixtures/postgres/file-database.ts";
import { startProxy } from "../../fixtures/postgres/proxy.ts";

const database = sharedDatabase();

/** A schema for the ledger, and a table of the user's in `public`. */
async function place(
  server?: string,
): Promise<{ readonly url: string; readonly schema: string; readonly table: string; readonly rows: () => Promise<number> }> {
  const at = await database();
  const mark = randomUUID().replaceAll("-", "");
  const table = `orders_${mark}`;
  await query(at, `CREATE TABLE ${table} (id text PRIMARY KEY, note text)`);
  const rows = async (): Promise<number> => (await query(at, `SELECT id FROM ${table}`)).length;
  return { url: `${server ?? at}?schema=ledger_${mark}`, schema: `ledger_${mark}`, table, rows };
}

/** One step that works in a transaction, and one after it. */
const definition = (more: object = {}) => ({
  name: "order",
  steps: [
    { id: "pay", uses: "pay", ...more },
    { id: "ship", uses: "ship", with: { paid: "{{ steps.pay.output }}" } },
  ],
});

const ship: Operator = (input) => input;
const insert = (client: SqlClient, table: string, id: string) => client.query(`INSERT INTO ${table} (id) VALUES ($1)`, [id]);

describe("a transaction of a step", () => {
  test("commits the rows of the user and the success of the step together, before the operator has come back", async () => {
    const { url, table, rows } = await place();
    const gate = new Gate();
    const pay: Operator = async (_input, { transaction, runId }) => {
      const paid = await transaction(async (client) => {
        const { rows: found } = await client.query("SELECT current_schema() AS schema");
        await insert(client, table, runId);
        return { schema: found[0]?.["schema"] };
      });
      await gate.passed();
      return { ignored: paid };
    };
    const harness = new Harness(await openLedger(url), { operators: { pay, ship } });
    const id = await harness.start(definition());
    await gate.arrivals(1);
    expect(await rows()).toBe(1);
    expect((await harness.stepwell.get(id))?.steps.map(({ status }) => status)).toEqual(["SUCCEEDED", "PENDING"]);
    gate.open();
    expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
    expect((await harness.stepwell.get(id))?.steps[1]?.output).toEqual({ paid: { schema: "public" } });
    await harness.stepwell.stop();
  });

  test.each([
    ["the work throws", {}, "broken", "STEP_FAILED"],
    ["its value does not match the schema", { schema: { type: "string" } }, null, "OUTPUT_INVALID"],
    ["its value is no JSON", {}, 1n, "VALUE_NOT_JSON"],
  ])("leaves nothing when %s", async (_, more, value, code) => {
    const { url, table, rows } = await place();
    const pay: Operator = (_input, { transaction, runId }) =>
      transaction(async (client) => {
        await insert(client, table, runId);
        if (typeof value === "string") throw new Error(value);
        return value;
      });
    const harness = new Harness(await openLedger(url), { operators: { pay, ship } });
    const id = await harness.start(definition(more));
    expect((await harness.stepwell.result(id)).error?.data?.["code"]).toBe(code);
    expect(await rows()).toBe(0);
    await harness.stepwell.stop();
  });

  test("P3 is final: after a crash the step is not called again, and the run goes on behind it", async () => {
    const { url, table, rows } = await place();
    const gate = new Gate();
    const pay: Operator = async (_input, { transaction, runId }) => {
      await transaction(async (client) => void (await insert(client, table, runId)));
      await gate.passed();
    };
    const ledger = await openLedger(`${url}&leaseMs=1000`);
    const first = new Harness(ledger, { operators: { pay, ship } });
    const id = await first.start(definition());
    await gate.arrivals(1);
    await ledger.close();
    const again: Operator = () => Promise.reject(new Error("called again"));
    const second = new Harness(await openLedger(url), { operators: { pay: again, ship } });
    expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
    expect(await rows()).toBe(1);
    await second.stepwell.stop();
  });

  test("P5 of a worker that was fenced meanwhile writes nothing", async () => {
    const { url, table, rows, schema } = await place();
    const refused: unknown[] = [];
    const pay: Operator = (_input, { transaction, runId }) =>
      transaction(async (client) => {
        await insert(client, table, runId);
        await query(url, `UPDATE ${schema}.worker SET fenced_at = 1`);
      }).catch((error: unknown) => {
        refused.push(error);
        throw error;
      });
    const harness = new Harness(await openLedger(url), { operators: { pay, ship } });
    await harness.start(definition());
    await harness.event(({ type }) => type === "ledger.failed");
    expect(refused).toMatchObject([{ code: "LEDGER_FENCED" }]);
    expect(await rows()).toBe(0);
    await harness.stepwell.stop();
  });

  test.each(["a cancel whose grace is over", "its timeout"])("P8 leaves nothing when the step was ended by %s", async (by) => {
    const { url, table, rows } = await place();
    const gate = new Gate();
    const settled = new Gate();
    const refused: unknown[] = [];
    const pay: Operator = async (_input, { transaction, runId }) => {
      await transaction(async (client) => {
        await insert(client, table, runId);
        await gate.passed();
      }).catch((error: unknown) => refused.push(error));
      await settled.passed();
    };
    const harness = new Harness(await openLedger(url), { operators: { pay, ship }, cancelGraceMs: 1 });
    const isCancel = by !== "its timeout";
    const id = await harness.start(definition(isCancel ? {} : { timeout: 100 }));
    await gate.arrivals(1);
    if (isCancel) await harness.stepwell.cancel(id);
    expect((await harness.stepwell.result(id)).status).toBe(isCancel ? "CANCELLED" : "FAILED");
    gate.open();
    await settled.arrivals(1);
    expect(refused).toMatchObject([{ code: isCancel ? "STEP_CANCELLED" : "STEP_TIMEOUT" }]);
    expect(await rows()).toBe(0);
    settled.open();
    await harness.stepwell.stop();
  });

  test("whose work ends it itself is refused, and so is a second one in one attempt", async () => {
    const { url, table } = await place();
    const refused: unknown[] = [];
    const keep = (error: unknown): void => void refused.push(error);
    const pay: Operator = async (_input, { transaction, runId }) => {
      await transaction(async (client) => {
        await insert(client, table, runId);
        await client.query("COMMIT");
      }).catch(keep);
      await transaction(() => Promise.resolve(1)).catch(keep);
      return "by hand";
    };
    const harness = new Harness(await openLedger(url), { operators: { pay, ship } });
    const id = await harness.start(definition());
    expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
    expect(refused).toMatchObject([{ code: "TRANSACTION_INVALID" }, { code: "TRANSACTION_INVALID" }]);
    expect((await harness.stepwell.get(id))?.steps[0]?.output).toBe("by hand");
    await harness.stepwell.stop();
  });

  test("P26 F42 is committed when only the answer to its COMMIT was lost, and not when the request was", async () => {
    const proxy = await startProxy(await database());
    for (const lost of ["answer", "request"] as const) {
      const { url, table, rows } = await place(proxy.url);
      const outcomes: string[] = [];
      const pay: Operator = (_input, { transaction, runId, attempt }) =>
        transaction(async (client) => {
          await insert(client, table, runId);
          if (attempt > 1) return;
          const cut = lost === "answer" ? proxy.loseAnswer("COMMIT") : proxy.loseRequest("COMMIT");
          void cut.then(() => outcomes.push("lost"));
        });
      const harness = new Harness(await openLedger(url), { operators: { pay, ship } });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 1 };
      const id = await harness.start(definition({ retry }));
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(outcomes).toEqual(["lost"]);
      expect(await rows()).toBe(1);
      await harness.stepwell.stop();
    }
    await proxy[Symbol.asyncDispose]();
  });

  test("wakes and compensation know of it: a step that was told of its signal in a transaction is undone like any other", async () => {
    const { url, table, rows } = await place();
    const hold = {
      execute: (_input: unknown, { suspend }: Parameters<Operator>[1]) => suspend({ kind: "signal", key: "go" }),
      resume: ({ transaction, runId }: Parameters<Operator>[1]) => transaction(async (client) => void (await insert(client, table, runId))),
    };
    const undo: Operator = (_input, { transaction, runId }) =>
      transaction(async (client) => void (await client.query(`DELETE FROM ${table} WHERE id = $1`, [runId])));
    const fails: Operator = () => Promise.reject(new Error("no"));
    const harness = new Harness(await openLedger(url), { operators: { hold, undo, fails } });
    const id = await harness.start({
      name: "undone",
      steps: [
        { id: "hold", uses: "hold", compensate: { uses: "undo" } },
        { id: "fails", uses: "fails" },
      ],
    });
    await harness.event(({ type }) => type === "step.suspended");
    await harness.stepwell.signal(id, "go");
    expect(await harness.stepwell.result(id)).toMatchObject({ status: "FAILED", error: { data: { compensation: { hold: "SUCCEEDED" } } } });
    expect(await rows()).toBe(0);
    await harness.stepwell.stop();
  });
});

describe("a start in the caller's own transaction", () => {
  const quick = { name: "quick", steps: [{ uses: "transform", with: { at: "{{ input.at }}" } }] };

  test("makes a run that exists once the transaction commits, and never if it does not", async () => {
    const { url, table } = await place();
    const { stepwell } = new Harness(await openLedger(url));
    await stepwell.register(quick);
    const client = new Client(await database());
    await client.connect();
    await client.query("BEGIN");
    const dropped = await stepwell.start("quick", { at: 1 }, { transaction: client });
    await client.query("ROLLBACK");
    await client.query("BEGIN");
    const id = await stepwell.start("quick", { at: 2 }, { transaction: client, idempotencyKey: "one" });
    await insert(client, table, id);
    await expect(stepwell.result(id)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    await client.query("COMMIT");
    expect(await stepwell.result(id)).toMatchObject({ status: "SUCCEEDED" });
    await expect(stepwell.result(dropped)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    await client.query("BEGIN");
    expect(await stepwell.start("quick", { at: 2 }, { transaction: client, idempotencyKey: "one" })).toBe(id);
    await client.query("COMMIT");
    await client.end();
    await stepwell.stop();
  });

  test.each([
    ["exists with the success of the step", false],
    ["never exists when the work throws", true],
  ])("P3 within the transaction of a step: the run %s", async (_, isBroken) => {
    const { url, table, rows } = await place();
    const begun: string[] = [];
    const pay: Operator = (_input, { transaction, runId }) =>
      transaction(async (client) => {
        await insert(client, table, runId);
        begun.push(await harness.stepwell.start("quick", { at: 1 }, { transaction: client }));
        if (isBroken) throw new Error("broken");
        return begun.length;
      });
    const harness = new Harness(await openLedger(url), { operators: { pay, ship } });
    await harness.stepwell.register(quick);
    const { status } = await harness.run(definition());
    expect([status, await rows(), begun.length]).toEqual(isBroken ? ["FAILED", 0, 1] : ["SUCCEEDED", 1, 1]);
    const result = harness.stepwell.result(begun[0] ?? "");
    if (isBroken) await expect(result).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    else expect(await result).toMatchObject({ status: "SUCCEEDED" });
    await harness.stepwell.stop();
  });

  test("is refused without an open transaction", async () => {
    const { url } = await place();
    const { stepwell } = new Harness(await openLedger(url));
    await stepwell.register(quick);
    const client = new Client(await database());
    await client.connect();
    await expect(stepwell.start("quick", {}, { transaction: client })).rejects.toMatchObject({ code: "TRANSACTION_INVALID" });
    expect((await stepwell.list()).runs).toEqual([]);
    await client.end();
    await stepwell.stop();
  });

  test("P6 two transactions with one key wait for each other, and the one that comes second is told to begin again", async () => {
    const { url } = await place();
    const { stepwell } = new Harness(await openLedger(url));
    await stepwell.register(quick);
    const [one, other] = [new Client(await database()), new Client(await database())];
    for (const client of [one, other]) {
      await client.connect();
      await client.query("BEGIN");
    }
    const id = await stepwell.start("quick", {}, { transaction: one, idempotencyKey: "same" });
    const second = stepwell.start("quick", {}, { transaction: other, idempotencyKey: "same" });
    const refused = expect(second).rejects.toMatchObject({ code: "LEDGER_CONFLICT" });
    const [own] = (await one.query("SELECT pg_backend_pid() AS pid")).rows;
    await blockedBy(await database(), Number(own?.["pid"]), 1);
    await one.query("COMMIT");
    await refused;
    await other.query("ROLLBACK");
    await other.query("BEGIN");
    expect(await stepwell.start("quick", {}, { transaction: other, idempotencyKey: "same" })).toBe(id);
    for (const client of [one, other]) await client.end();
    await stepwell.stop();
  });
});

describe("where there are no transactions for callers", () => {
  test.each(["memory", "SQLite"])("a step and a start are told so: %s", async (kind) => {
    using workspace = new Workspace();
    const ledger = await openLedger(kind === "memory" ? "memory:" : join(workspace.folder, "ledger.db"));
    const harness = new Harness(ledger, { operators: { pay: payThere, ship } });
    expect((await harness.run(definition())).error?.data?.["code"]).toBe("NOT_SUPPORTED");
    const client: SqlClient = { query: () => Promise.resolve({ rows: [] }) };
    await expect(harness.stepwell.start("order", {}, { transaction: client })).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
    await harness.stepwell.stop();
  });

  test("a step in a thread is told so", async () => {
    const module = new URL("../../fixtures/operators/transacting.ts", import.meta.url).href;
    const harness = new Harness(await openLedger("memory:"), { operators: { pay: payThere }, operatorModule: module });
    const outcome = await harness.run({ name: "thread", steps: [{ uses: "pay", isolation: "thread" }] });
    expect(outcome.error?.data?.["code"]).toBe("NOT_SUPPORTED");
    await harness.stepwell.stop();
  });
});

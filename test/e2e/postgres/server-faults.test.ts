import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openPostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { Gate, Harness } from "../../../src/testing/harness.ts";
import { createDatabase, needOwnPostgres, openSession, query } from "../../fixtures/postgres/database.ts";
import { type PostgresServer, startPostgres } from "../../fixtures/postgres/server.ts";

/** Longer than any outage here. */
const LEASE_MS = 60_000;
const SERVER_MS = 120_000;

/** A step that a test holds, then one that waits for the ledger's clock, then one more. */
const definition = {
  name: "through",
  steps: [
    { id: "a", uses: "note" },
    { id: "held", uses: "hold" },
    { id: "pause", uses: "sleep", with: { for: "150ms" } },
    { id: "z", uses: "note" },
  ],
  output: "{{ steps.held.output }}",
};

let server: PostgresServer;
let url = "";

beforeEach(async (context) => {
  needOwnPostgres(context);
  server = await startPostgres();
  url = (await createDatabase(server.url)).url;
}, SERVER_MS);

afterEach(async () => {
  await server[Symbol.asyncDispose]();
}, SERVER_MS);

interface Held {
  readonly harness: Harness;
  readonly gate: Gate;
  readonly ids: readonly string[];
  readonly calls: string[];
}

/** An engine with runs that are all in their second step. */
async function heldRuns(count: number, { leaseMs = LEASE_MS, stopGraceMs = 10_000 } = {}): Promise<Held> {
  const gate = new Gate();
  const calls: string[] = [];
  const harness = new Harness(await openPostgresLedger({ url, leaseMs }), {
    stopGraceMs,
    operators: {
      note: (_input, { runId, stepId }) => calls.push(`${runId} ${stepId}`),
      hold: async (input, context) => {
        calls.push(`${context.runId} ${context.stepId}`);
        await gate.operator(input, context);
        return "held";
      },
    },
  });
  await harness.stepwell.register(definition);
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push(await harness.stepwell.start("through"));
  await gate.arrivals(count);
  return { harness, gate, ids, calls };
}

/** Every run ended well, and each of its steps was called once. */
async function expectOnce({ harness, ids, calls }: Held): Promise<void> {
  for (const id of ids) expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: "held" });
  expect(calls.toSorted()).toEqual(ids.flatMap((id) => ["a", "held", "z"].map((step) => `${id} ${step}`)).toSorted());
  await harness.stepwell.stop();
}

const isUnreachable = (event: Held["harness"]["events"][number]): boolean =>
  event.type === "ledger.stalled" && event.error.code === "LEDGER_UNREACHABLE";

/** Ends the sessions of engines whose last statement is like this, and tells how many there were. */
async function terminate(like: string): Promise<number> {
  const rows = await query(
    url,
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'stepwell' AND query LIKE '${like}'`,
  );
  return rows.length;
}

describe("a PostgreSQL that fails under the engine", () => {
  test("F40 is killed in the middle of runs: they wait, the engine says for what, and each step's effect is there once", async () => {
    const held = await heldRuns(5);
    const { harness, gate } = held;
    await server.kill();
    gate.open();
    await harness.event(isUnreachable);
    await expect(harness.stepwell.start("through")).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
    await expect(harness.stepwell.get(held.ids[0] ?? "")).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
    await server.restart();
    await expectOnce(held);
    expect(harness.events.filter(({ type }) => type === "ledger.failed")).toEqual([]);
  });

  test("F40 is stopped and killed again and again: new runs start in between, and nothing is done twice", async () => {
    const held = await heldRuns(3);
    held.gate.open();
    const ids = [...held.ids];
    for (const how of ["stopImmediately", "kill", "stop"] as const) {
      await server[how]();
      await held.harness.event(isUnreachable);
      held.harness.events.length = 0;
      await server.restart();
      ids.push(await held.harness.stepwell.start("through"));
    }
    await expectOnce({ ...held, ids });
  });

  test("F41 an engine that stops while there is no server does so, and the next one finds its runs", async () => {
    // what it could not hand back is free once its lease has run out
    const { harness, gate, ids } = await heldRuns(1, { leaseMs: 6_000, stopGraceMs: 500 });
    await server.kill();
    gate.open();
    await harness.event(isUnreachable);
    await harness.stepwell.stop();
    await server.restart();
    const next = new Harness(await openPostgresLedger({ url, leaseMs: 2_000 }), { operators: { note: () => 1, hold: () => "held" } });
    expect(await next.stepwell.result(ids[0] ?? "")).toMatchObject({ status: "SUCCEEDED" });
    await next.stepwell.stop();
  });

  test.each([
    ["lanes", "%commit_batch_%"],
    ["the listener", "LISTEN%"],
    ["what looks and reads", "%SELECT%FROM%run%"],
    ["all", "%"],
  ])("F41 loses %s: the engine connects again and goes on", async (_which, like) => {
    const held = await heldRuns(2);
    expect(await terminate(like)).toBeGreaterThan(0);
    held.gate.open();
    await expectOnce(held);
    expect(held.harness.events.filter(({ type }) => type === "ledger.failed")).toEqual([]);
  });

  test("F41 loses the session of a commit that waits for a lock: nothing is guessed, and the step is settled once", async () => {
    const held = await heldRuns(1);
    await using other = await openSession(url);
    await other.run("SELECT 1 FROM stepwell.run FOR UPDATE");
    held.gate.open();
    const [waiting] = await other.blocks(1);
    await query(url, `SELECT pg_terminate_backend(${waiting}, 5000)`);
    await other.blocks(1);
    await other.end("ROLLBACK");
    await expectOnce(held);
  });

  test("P26 F25 is refused while it could lose what it confirmed", async () => {
    await query(server.url, "ALTER SYSTEM SET fsync = off");
    await server.restart();
    const refused = expect(openPostgresLedger({ url })).rejects;
    await refused.toMatchObject({ code: "LEDGER_UNAVAILABLE", message: expect.stringContaining("fsync is off") });
    await expect(query(url, "SELECT 1 FROM pg_namespace WHERE nspname = 'stepwell'")).resolves.toEqual([]);
  });
});

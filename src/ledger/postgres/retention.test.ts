import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openSession, type Session } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { retentionPolicy } from "../../model/retention.ts";
import { endRun, insertStep, settleStep, TENANT, unit } from "../../testing/conformance/ledger/builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, refusal, runOf, startedRun } from "../../testing/conformance/ledger/kit.ts";
import { openPostgresLedger } from "./ledger.ts";

const ALL = { tenant: TENANT, policy: retentionPolicy({ runs: 0 }) };

describe("deleting runs in a shared ledger", () => {
  const database = sharedDatabase();
  let place = { url: "", schema: "" };
  const make: MakeLedger = async (clock) => {
    place = { url: await database(), schema: `ledger_${randomUUID().replaceAll("-", "")}` };
    const again = () => openPostgresLedger({ url: `${place.url}?schema=${place.schema}`, clock });
    const ledger = await again();
    return { ledger, file: undefined, warnings: [], again, dispose: () => ledger.close() };
  };
  const get = eachCase(make);

  async function holding(sql: string): Promise<Session> {
    const session = await openSession(place.url);
    await session.run(`SET LOCAL search_path = ${place.schema}`);
    await session.run(sql);
    return session;
  }

  /** A session that keeps others from writing to a table until it ends. */
  const closed = (table: string): Promise<Session> => holding(`LOCK TABLE ${table} IN SHARE MODE`);

  async function failedRun(fixture: LedgerCase): Promise<number> {
    const runId = await startedRun(fixture);
    const failed = settleStep(runId, 0, { status: "FAILED", output: null, error: '{"code":"OPERATOR_FAILED","message":"no"}' });
    await commit(fixture, unit(runId, [failed, endRun(runId, { status: "FAILED", output: null })]));
    return runId;
  }

  test("a retry that comes while its run is being removed finds no run", async () => {
    const fixture = get();
    const runId = await failedRun(fixture);
    const other = await fixture.again();
    // the removal has the run, and waits to note it
    await using holder = await closed("removed_run");
    const removed = fixture.ledger.retention.removeFamilies(ALL, [runId], 9);
    await holder.blocks(1);
    const retried = refusal(other.reopenRun(TENANT, `run-${runId}`, "ann"));
    await holder.blocks(2);
    await holder.end("ROLLBACK");
    await expect(removed).resolves.toEqual({ rootIds: [runId], runs: 1 });
    expect((await retried).code).toBe("RUN_NOT_FOUND");
    await other.close();
  });

  test("a run that is being retried when the removal comes is left whole", async () => {
    const fixture = get();
    const [runId, gone] = [await failedRun(fixture), await failedRun(fixture)];
    const other = await fixture.again();
    // the retry has the run, and waits to tell its engine
    await using holder = await closed("inbox");
    const retried = other.reopenRun(TENANT, `run-${runId}`, "ann");
    await holder.blocks(1);
    const removed = fixture.ledger.retention.removeFamilies(ALL, [runId, gone], 9);
    await holder.blocks(2);
    await holder.end("ROLLBACK");
    await retried;
    await expect(removed).resolves.toEqual({ rootIds: [gone], runs: 1 });
    await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "SUSPENDED", reason: "retry" });
    await other.close();
  });

  test("engines commit and start runs while runs are removed, and others that prune take their turn", async () => {
    const fixture = get();
    const [gone, later, atWork] = [await failedRun(fixture), await failedRun(fixture), await startedRun(fixture)];
    const other = await fixture.again();
    await using holder = await holding(`SELECT 1 FROM run WHERE id = ${gone} FOR UPDATE`);
    const first = fixture.ledger.retention.removeFamilies(ALL, [gone], 9);
    await holder.blocks(1);
    // nothing but its turn keeps it
    const second = other.retention.removeFamilies(ALL, [later], 9);
    await holder.blocks(2);
    await expect(commit(fixture, unit(atWork, [settleStep(atWork, 0), insertStep(atWork, 1, { revision: 2 })]))).resolves.toMatchObject({
      outcome: "committed",
      missed: [],
    });
    await startedRun(fixture);
    await holder.end("ROLLBACK");
    await expect(Promise.all([first, second])).resolves.toEqual([
      { rootIds: [gone], runs: 1 },
      { rootIds: [later], runs: 1 },
    ]);
    const cleared = await Promise.all([fixture.ledger, other].map(({ retention }) => retention.clear(100)));
    expect(cleared.map(({ rows }) => rows).toSorted((a, b) => a - b)).toEqual([0, 2]);
    await other.close();
  });

  test("a server that dies between removal and clearing leaves what the next one clears", async () => {
    const fixture = get();
    const runId = await failedRun(fixture);
    await using holder = await closed("step");
    await fixture.ledger.retention.removeFamilies(ALL, [runId], 9);
    const cleared = refusal(fixture.ledger.retention.clear(9));
    const [pid] = await holder.blocks(1);
    await holder.run(`SELECT pg_terminate_backend(${pid})`);
    expect((await cleared).code).toBe("LEDGER_UNREACHABLE");
    await holder.end("ROLLBACK");
    await expect(fixture.ledger.loadRun(runId)).resolves.toBeUndefined();
    await expect(fixture.ledger.retention.clear(9)).resolves.toEqual({ rows: 1, isDone: true });
  });
});

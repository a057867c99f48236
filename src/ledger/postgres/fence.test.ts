import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openSession, type Session } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { aQueuedRun, insertRun, insertStep, settleStep, TENANT, unit } from "../../testing/conformance/ledger/builders.ts";
import {
  commit,
  eachCase,
  type LedgerCase,
  type MakeLedger,
  parkedRun,
  runOf,
  startedRun,
  stepOf,
  WORKER,
} from "../../testing/conformance/ledger/kit.ts";
import { openPostgresLedger } from "./ledger.ts";

/** A case, and a session beside it that can hold what its statements need. */
interface WatchedCase extends LedgerCase {
  hold(sql: string): Promise<Session>;
}

function watchedCases(): () => WatchedCase {
  const database = sharedDatabase();
  let place = { url: "", schema: "" };
  const make: MakeLedger = async (clock) => {
    place = { url: await database(), schema: `ledger_${randomUUID().replaceAll("-", "")}` };
    const warnings: string[] = [];
    const url = `${place.url}?schema=${place.schema}`;
    const again = () => openPostgresLedger({ url, clock, onWarning: (message) => warnings.push(message) });
    const ledger = await again();
    return { ledger, file: undefined, warnings, again, dispose: () => ledger.close() };
  };
  const get = eachCase(make);
  const hold = async (sql: string): Promise<Session> => {
    const session = await openSession(place.url);
    await session.run(`SET LOCAL search_path = ${place.schema}`);
    await session.run(sql);
    return session;
  };
  return () => ({ ...get(), hold });
}

/** What settles the first step and starts the second. */
const onward = (runId: number) => unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { revision: 2 })]);
const cancel = (runId: number) => ({ tenant: TENANT, publicId: `run-${runId}`, kind: "cancel", payload: null, actor: "ann" }) as const;

describe("a worker that is being fenced", () => {
  const get = watchedCases();

  test("P5 cannot commit a batch that arrives while the fence is being set", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    // the fence waits for the run, and has the worker's row by then
    await using holder = await fixture.hold(`SELECT 1 FROM run WHERE id = ${runId} FOR UPDATE`);
    const fenced = fixture.ledger.own({ ...WORKER, name: "engine-2" });
    await holder.blocks(1);
    const committed = commit(fixture, onward(runId));
    await holder.blocks(2);
    await holder.end("ROLLBACK");
    await fenced;
    await expect(committed).resolves.toEqual({ outcome: "fenced" });
    await expect(stepOf(fixture, runId, 1)).resolves.toBeUndefined();
    await expect(runOf(fixture, runId)).resolves.toMatchObject({ ownerEpoch: null });
  });

  test("P5 cannot start a run meanwhile either, which nobody would find", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    const startedId = await fixture.ledger.reserveRunIds(1);
    await using holder = await fixture.hold(`SELECT 1 FROM run WHERE id = ${runId} FOR UPDATE`);
    const fenced = fixture.ledger.own({ ...WORKER, name: "engine-2" });
    await holder.blocks(1);
    const writes = [insertRun(fixture.version.id, startedId, { ownerEpoch: fixture.owner.epoch }), insertStep(startedId, 0)];
    const committed = commit(fixture, unit(startedId, writes, null));
    const first = await Promise.race([committed.then(() => "committed"), holder.blocks(2).then(() => "waits")]);
    await holder.end("ROLLBACK");
    await fenced;
    expect(first).toBe("waits");
    await expect(committed).resolves.toEqual({ outcome: "fenced" });
    await expect(fixture.ledger.loadRun(startedId)).resolves.toBeUndefined();
  });

  test("P2 P5 claims nothing meanwhile nor afterwards: nobody would look for a run that is its own", async () => {
    const fixture = get();
    const { ledger, version, owner } = fixture;
    await ledger.enqueueRun(aQueuedRun(version.id, "queued"));
    const dueId = await parkedRun(fixture, 1);
    fixture.clock.time += 10;
    await using fence = await fixture.hold(`SELECT 1 FROM worker WHERE epoch = ${owner.epoch} FOR UPDATE`);
    await fence.run(`UPDATE worker SET fenced_at = 1 WHERE epoch = ${owner.epoch}`);
    const claimed = ledger.claims.admit(owner.epoch, 10);
    const first = await Promise.race([claimed.then(() => "claimed"), fence.blocks(1).then(() => "waits")]);
    await fence.end("COMMIT");
    expect(first).toBe("waits");
    await expect(claimed).resolves.toMatchObject({ runs: [] });
    await expect(ledger.claims.due(undefined, 10)).resolves.toEqual([]);
    await expect(ledger.claims.one(dueId)).resolves.toBe(false);
    await expect(ledger.claims.runs("left_behind", 0, 10)).resolves.toEqual([]);
    await expect(runOf(fixture, dueId)).resolves.toMatchObject({ ownerEpoch: null });
  });

  test("P5 is fenced after the batch that is at work, and whoever comes next finds it whole", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    const other = await fixture.again();
    // the batch waits for the run, and has the worker's row by then
    await using holder = await fixture.hold(`SELECT 1 FROM run WHERE id = ${runId} FOR UPDATE`);
    const committed = commit(fixture, onward(runId));
    await holder.blocks(1);
    const fenced = fixture.ledger.own({ ...WORKER, name: "engine-2" });
    await holder.blocks(2);
    await holder.end("ROLLBACK");
    await expect(committed).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await fenced;
    await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ status: "RUNNING" });
    await expect(other.commit({ epoch: fixture.owner.epoch, units: [unit(runId, [settleStep(runId, 1)])] })).resolves.toEqual({
      outcome: "fenced",
    });
    await other.close();
  });
});

describe("a batch that was decided before a cancel", () => {
  const get = watchedCases();

  test("P5 starts no step when the cancel's transaction was open as it arrived", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    const other = await fixture.again();
    // the cancel has the run, and waits for the inbox
    await using holder = await fixture.hold("LOCK TABLE inbox IN SHARE MODE");
    const accepted = other.accept(cancel(runId));
    await holder.blocks(1);
    const committed = commit(fixture, onward(runId));
    await holder.blocks(2);
    await holder.end("ROLLBACK");
    await accepted;
    await expect(committed).resolves.toMatchObject({ outcome: "committed", missed: [0] });
    await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "RUNNING" });
    await expect(stepOf(fixture, runId, 1)).resolves.toBeUndefined();
    await other.close();
  });

  test("P5 is written when the cancel's transaction is rolled back", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    await using canceller = await fixture.hold(`UPDATE run SET inbox_seq = inbox_seq + 1 WHERE id = ${runId}`);
    const committed = commit(fixture, onward(runId));
    await canceller.blocks(1);
    await canceller.end("ROLLBACK");
    await expect(committed).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ status: "RUNNING" });
  });

  test("P5 goes first when it has the run: the cancel waits, and then finds the step that was started", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    const other = await fixture.again();
    // the batch has the run, and waits for the step
    await using holder = await fixture.hold("LOCK TABLE step IN SHARE MODE");
    const committed = commit(fixture, onward(runId));
    await holder.blocks(1);
    const accepted = other.accept(cancel(runId));
    await holder.blocks(2);
    await holder.end("ROLLBACK");
    await expect(committed).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await expect(accepted).resolves.toMatchObject({ seq: 1 });
    await expect(commit(fixture, unit(runId, [settleStep(runId, 1)]))).resolves.toMatchObject({ missed: [0] });
    await other.close();
  });
});

import { describe, expect, test } from "vitest";
import type { RetentionQuery } from "../../../ledger/port.ts";
import type { InsertRun, Write } from "../../../ledger/writes.ts";
import { type RetentionOptions, retentionPolicy } from "../../../model/retention.ts";
import {
  aQueuedRun,
  aVersion,
  endRun,
  insertStep,
  insertSubscription,
  insertTask,
  insertWait,
  parked,
  settleStep,
  TENANT,
  unit,
} from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, openedAgain, refusal, runOf, startedRun } from "./kit.ts";

const DAY_MS = 86_400_000;
const ERROR = '{"code":"OPERATOR_FAILED","message":"no"}';

const kept = (options: RetentionOptions): RetentionQuery => ({ tenant: TENANT, policy: retentionPolicy(options) });
const ALL = kept({ runs: 0 });

type End = "SUCCEEDED" | "FAILED" | "CANCELLED";

async function endedRun(fixture: LedgerCase, status: End = "SUCCEEDED", change: Partial<InsertRun> = {}): Promise<number> {
  const runId = await startedRun(fixture, change);
  await end(fixture, runId, status);
  return runId;
}

async function end(fixture: LedgerCase, runId: number, status: End = "SUCCEEDED"): Promise<void> {
  const settled = settleStep(runId, 0, status === "FAILED" ? { status, output: null, error: ERROR } : {});
  await commit(fixture, unit(runId, [settled, endRun(runId, { status, output: null })]));
}

const below = (parentId: number, rootId = parentId, depth = 1): Pick<InsertRun, "parent"> => ({
  parent: { runId: parentId, step: "first", ordinal: 0, depth, rootRunId: rootId },
});

async function found({ ledger }: LedgerCase, query = ALL): Promise<readonly (readonly [number, number])[]> {
  return (await ledger.retention.find(query, 0, 100)).runs.map(({ id, runs }) => [id, runs] as const);
}

/** Clears in slices until nothing is left, and counts the rows. */
async function clearAll({ ledger }: LedgerCase, limit: number): Promise<number> {
  for (let rows = 0; ; ) {
    const cleared = await ledger.retention.clear(limit);
    expect(cleared.rows).toBeLessThanOrEqual(limit);
    rows += cleared.rows;
    if (cleared.isDone) return rows;
    expect(cleared.rows).toBeGreaterThan(0);
  }
}

export function describeRetention(make: MakeLedger): void {
  describe("retention", () => {
    const get = eachCase(make);

    test("what is kept no longer is found by status and workflow, from its end on", async () => {
      const fixture = get();
      const other = await fixture.ledger.putVersion(aVersion({ workflow: "audit", hash: "hash-2" }));
      const succeeded = await endedRun(fixture);
      const failed = await endedRun(fixture, "FAILED");
      const cancelled = await endedRun(fixture, "CANCELLED");
      const audited = await endedRun(fixture, "SUCCEEDED", { versionId: other.id });
      await startedRun(fixture);
      const parkedId = await startedRun(fixture);
      await commit(fixture, unit(parkedId, parked(parkedId)));
      await fixture.ledger.enqueueRun(aQueuedRun(fixture.version.id, "run-queued"));
      const ids = async (options: RetentionOptions) => (await found(fixture, kept(options))).map(([id]) => id);
      await expect(ids({})).resolves.toEqual([]);
      await expect(ids({ runs: 0 })).resolves.toEqual([succeeded, failed, cancelled, audited]);
      await expect(ids({ runs: { SUCCEEDED: 0, CANCELLED: 0 } })).resolves.toEqual([succeeded, cancelled, audited]);
      await expect(ids({ workflows: { audit: 0 } })).resolves.toEqual([audited]);
      await expect(ids({ runs: 0, workflows: { audit: { FAILED: 0 } } })).resolves.toEqual([succeeded, failed, cancelled]);
      await expect(ids({ runs: { FAILED: "1d" } })).resolves.toEqual([]);
      fixture.clock.time += DAY_MS - 1;
      await expect(ids({ runs: { FAILED: "1d" } })).resolves.toEqual([]);
      fixture.clock.time += 1;
      await expect(ids({ runs: { FAILED: "1d" } })).resolves.toEqual([failed]);
      await expect(fixture.ledger.retention.find({ ...ALL, tenant: "other" }, 0, 100)).resolves.toMatchObject({ runs: [] });
    });

    test("pages go by id, and say whether anything in them is old enough", async () => {
      const fixture = get();
      const [first, second] = [await endedRun(fixture), await endedRun(fixture)];
      fixture.clock.time += DAY_MS;
      const third = await endedRun(fixture);
      const query = kept({ runs: "1d" });
      const one = await fixture.ledger.retention.find(query, 0, 1);
      expect(one).toEqual({
        runs: [{ id: first, publicId: `run-${first}`, workflow: "order", status: "SUCCEEDED", finishedAt: expect.any(Number), runs: 1 }],
        next: first,
        isOld: true,
      });
      await expect(fixture.ledger.retention.find(query, first, 1)).resolves.toMatchObject({ runs: [{ id: second }], next: second });
      await expect(fixture.ledger.retention.find(query, second, 9)).resolves.toEqual({ runs: [], next: undefined, isOld: false });
      await expect(fixture.ledger.retention.find(query, third - 1, 1)).resolves.toMatchObject({ next: third, isOld: false });
    });

    test("to find deletes nothing; what is removed is gone with everything that it had, and nothing else", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const gone = await startedRun(fixture, { idempotencyKey: null });
      const stays = await startedRun(fixture);
      for (const runId of [gone, stays]) {
        await ledger.accept({ tenant: TENANT, publicId: `run-${runId}`, kind: "signal", name: "go", payload: 1, actor: "ann" });
        await commit(fixture, unit(runId, belongings(runId), 1));
      }
      const [taskOfGone] = (await ledger.tasks.list({ tenant: TENANT, runId: `run-${gone}`, limit: 9 })).tasks;
      expect(taskOfGone?.publicId).toBe(`task-${gone}-1`);
      await commit(fixture, unit(gone, [endRun(gone)], 1));
      await expect(found(fixture)).resolves.toEqual([[gone, 1]]);
      await expect(ledger.getRun(TENANT, `run-${gone}`)).resolves.toMatchObject({ status: "SUCCEEDED" });
      const before = await ledger.loadRun(stays);
      await expect(ledger.retention.removeFamilies(ALL, [gone, stays], 9)).resolves.toEqual({ rootIds: [gone], runs: 1 });
      await expectUnreadable(fixture, gone);
      await expect(ledger.tasks.list({ tenant: TENANT, limit: 9 })).resolves.toMatchObject({ tasks: [{ run: `run-${stays}` }] });
      // three steps, an attempt, an event, two waits, a subscription, a task; the signal is not the newest one
      await expect(clearAll(fixture, 2)).resolves.toBe(10);
      await expect(clearAll(fixture, 100)).resolves.toBe(0);
      await expect(ledger.loadRun(stays)).resolves.toEqual(before);
      await expect(ledger.waits.listSignals(TENANT, `run-${stays}`)).resolves.toHaveLength(1);
      await expect(found(fixture)).resolves.toEqual([]);
    });

    test("a process that dies between two slices leaves nothing that could be read, and the next one goes on", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(
        fixture,
        unit(
          runId,
          [1, 2, 3, 4, 5, 6, 7].map((ordinal) => insertStep(runId, ordinal, { path: `s${ordinal}`, uses: "log" })),
        ),
      );
      await end(fixture, runId);
      await fixture.ledger.retention.removeFamilies(ALL, [runId], 9);
      await expect(fixture.ledger.retention.clear(3)).resolves.toEqual({ rows: 3, isDone: false });
      await expectUnreadable(fixture, runId);
      const next = (await openedAgain(fixture)) ?? fixture.ledger;
      await expect(clearAll({ ...fixture, ledger: next }, 3)).resolves.toBe(5);
      await next.close();
    });

    test("P6 an idempotency key lives a day at least, and no run that it started goes before", async () => {
      const fixture = get();
      const keyed = { idempotencyKey: "k1", idempotencyHash: "h1" };
      const runId = await endedRun(fixture, "SUCCEEDED", keyed);
      fixture.clock.time += DAY_MS - 1;
      await expect(found(fixture)).resolves.toEqual([]);
      await expect(fixture.ledger.retention.removeFamilies(ALL, [runId], 9)).resolves.toEqual({ rootIds: [], runs: 0 });
      await expect(fixture.ledger.findByIdempotencyKey(TENANT, "order", "k1")).resolves.toMatchObject({ hash: "h1" });
      fixture.clock.time += 1;
      await expect(fixture.ledger.retention.removeFamilies(ALL, [runId], 9)).resolves.toEqual({ rootIds: [runId], runs: 1 });
      await expect(fixture.ledger.findByIdempotencyKey(TENANT, "order", "k1")).resolves.toBeUndefined();
      const again = await startedRun(fixture, keyed);
      await expect(runOf(fixture, again)).resolves.toMatchObject({ idempotencyKey: "k1" });
    });

    test("a signal that comes after the newest one was deleted is found by those who look behind that", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const [gone, stays] = [await startedRun(fixture), await startedRun(fixture)];
      const signal = (runId: number) =>
        ledger.accept({ tenant: TENANT, publicId: `run-${runId}`, kind: "cancel", payload: null, actor: "ann" });
      await signal(stays);
      const { id: newest } = await signal(gone);
      await commit(fixture, unit(gone, [settleStep(gone, 0), endRun(gone)], 1));
      await ledger.retention.removeFamilies(ALL, [gone], 9);
      const before = await clearAll(fixture, 100);
      expect((await signal(stays)).id).toBeGreaterThan(newest);
      // its step, and its signal when there was a newer one
      expect(before + (await clearAll(fixture, 100))).toBe(2);
    });

    test("events that have expired go, those that have not are kept", async () => {
      const fixture = get();
      const publish = (id: string, retainMs: number) =>
        fixture.ledger.events.publish({ tenant: TENANT, event: "paid", id, data: { order: 7 }, retainMs });
      await publish("e1", 5);
      await publish("e2", 6);
      fixture.clock.time += 5;
      await expect(clearAll(fixture, 100)).resolves.toBe(1);
      await expect(publish("e2", 5)).resolves.toMatchObject({ isNew: false });
      await expect(publish("e1", 5)).resolves.toMatchObject({ isNew: true });
    });
  });

  describeFamilies(make);
}

function describeFamilies(make: MakeLedger): void {
  describe("retention of families", () => {
    const get = eachCase(make);

    test("P2 a run goes with all runs below it, once the last of them is over", async () => {
      const fixture = get();
      const root = await endedRun(fixture);
      const child = await endedRun(fixture, "FAILED", below(root));
      const grandchild = await startedRun(fixture, below(child, root, 2));
      const query = kept({ runs: { SUCCEEDED: 10 } });
      fixture.clock.time += 10;
      await expect(found(fixture, query)).resolves.toEqual([]);
      await expect(fixture.ledger.retention.removeFamilies(query, [root], 9)).resolves.toEqual({ rootIds: [], runs: 0 });
      await end(fixture, grandchild);
      fixture.clock.time += 9;
      await expect(found(fixture, query)).resolves.toEqual([]);
      fixture.clock.time += 1;
      await expect(found(fixture, query)).resolves.toEqual([[root, 3]]);
      await expect(fixture.ledger.retention.removeFamilies(ALL, [child], 9)).resolves.toEqual({ rootIds: [], runs: 0 });
      await expect(fixture.ledger.retention.removeFamilies(query, [root], 2)).resolves.toEqual({ rootIds: [], runs: 0 });
      await expect(fixture.ledger.retention.removeFamilies(query, [root], 3)).resolves.toEqual({ rootIds: [root], runs: 3 });
      for (const runId of [root, child, grandchild]) await expectUnreadable(fixture, runId);
      await expect(clearAll(fixture, 100)).resolves.toBe(3);
    });

    test("of a family too large for one transaction the root goes last, and nothing goes before what is below it", async () => {
      const fixture = get();
      const { retention } = fixture.ledger;
      const root = await endedRun(fixture);
      const children = [await endedRun(fixture, "SUCCEEDED", below(root)), await endedRun(fixture, "SUCCEEDED", below(root))];
      for (const child of children) for (let count = 0; count < 2; count++) await endedRun(fixture, "SUCCEEDED", below(child, root, 2));
      await expect(found(fixture)).resolves.toEqual([[root, 7]]);
      const slices: number[] = [];
      for (let isGone = false; !isGone; ) {
        await expect(fixture.ledger.loadRun(root)).resolves.toBeDefined();
        const removed = await retention.removeLeaves(ALL, root, 3);
        slices.push(removed.runs);
        isGone = removed.rootIds.includes(root);
        await expect(orphans(fixture)).resolves.toEqual([]);
      }
      expect(slices).toEqual([3, 1, 2, 1]);
      await expect(fixture.ledger.listRuns({ tenant: TENANT, limit: 9 })).resolves.toMatchObject({ runs: [] });
      await expect(retention.removeLeaves(ALL, root, 3)).resolves.toEqual({ rootIds: [], runs: 0 });
    });

    test("of a family that is removed a part at a time nothing goes before the time of its root is over", async () => {
      const fixture = get();
      const root = await startedRun(fixture);
      const child = await endedRun(fixture, "SUCCEEDED", below(root));
      fixture.clock.time += 5;
      await end(fixture, root);
      fixture.clock.time += 9;
      const query = kept({ runs: 10 });
      await expect(fixture.ledger.retention.removeLeaves(query, root, 9)).resolves.toEqual({ rootIds: [], runs: 0 });
      fixture.clock.time += 1;
      await expect(fixture.ledger.retention.removeLeaves(query, root, 9)).resolves.toEqual({ rootIds: [], runs: 1 });
      await expect(fixture.ledger.loadRun(child)).resolves.toBeUndefined();
    });

    test("a run that somebody retries meanwhile stays whole, and one that is removed cannot be retried", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const [retried, removed] = [await endedRun(fixture, "FAILED"), await endedRun(fixture, "FAILED")];
      const parent = await endedRun(fixture);
      const child = await endedRun(fixture, "FAILED", below(parent));
      await expect(found(fixture)).resolves.toEqual([
        [retried, 1],
        [removed, 1],
        [parent, 2],
      ]);
      for (const runId of [retried, child]) await ledger.reopenRun(TENANT, `run-${runId}`, "ann");
      await expect(ledger.retention.removeFamilies(ALL, [retried, removed, parent], 9)).resolves.toEqual({ rootIds: [removed], runs: 1 });
      await expect(ledger.retention.removeLeaves(ALL, retried, 9)).resolves.toEqual({ rootIds: [], runs: 0 });
      await expect(ledger.retention.removeLeaves(ALL, parent, 9)).resolves.toEqual({ rootIds: [], runs: 0 });
      expect((await refusal(ledger.reopenRun(TENANT, `run-${removed}`, "ann"))).code).toBe("RUN_NOT_FOUND");
      await clearAll(fixture, 100);
      await expect(ledger.loadRun(retried)).resolves.toMatchObject({ run: { status: "SUSPENDED" }, steps: [{ ordinal: 0 }] });
      await expect(ledger.listAttempts(TENANT, `run-${retried}`)).resolves.toHaveLength(1);
    });

    test("two that prune at the same time remove every run once, beside engines that retry", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const other = (await openedAgain(fixture)) ?? ledger;
      const runIds: number[] = [];
      for (let count = 0; count < 40; count++) runIds.push(await endedRun(fixture, count % 2 === 0 ? "FAILED" : "SUCCEEDED"));
      const failed = runIds.filter((_, index) => index % 2 === 0);
      const prune = async ({ retention }: typeof ledger): Promise<readonly number[]> => {
        const gone: number[] = [];
        for (let at = 0; at < runIds.length; at += 5) {
          gone.push(...(await retention.removeFamilies(ALL, runIds.slice(at, at + 5), 10)).rootIds);
          await retention.clear(7);
        }
        return gone;
      };
      const retry = async (runId: number): Promise<number | undefined> =>
        ledger.reopenRun(TENANT, `run-${runId}`, "ann").then(
          () => runId,
          () => undefined,
        );
      const [first, second, ...retried] = await Promise.all([prune(ledger), prune(other), ...failed.toReversed().map(retry)]);
      const survivors = retried.filter((runId) => runId !== undefined);
      expect([...first, ...second, ...survivors].toSorted((a, b) => a - b)).toEqual(runIds);
      await clearAll(fixture, 100);
      for (const runId of survivors) await expect(ledger.listAttempts(TENANT, `run-${runId}`)).resolves.toHaveLength(1);
      const { runs } = await ledger.listRuns({ tenant: TENANT, limit: 100 });
      expect(runs.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(survivors.toSorted((a, b) => a - b));
      await other.close();
    });
  });
}

/** Something in each of the tables in which runs have rows. */
function belongings(runId: number): readonly Write[] {
  return [
    insertStep(runId, 1),
    insertStep(runId, 2, { kind: "checkpoint", path: "mark", status: "SUCCEEDED" }),
    { write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "LOST", error: null, revision: 2 },
    { write: "insertEvent", runId, event: "run.noted", detail: null, actor: "ann", revision: 2 },
    insertWait(runId, 0, { kind: "event" }),
    insertWait(runId, 1, { kind: "task" }),
    insertSubscription(runId, 0),
    insertTask(runId, 1),
  ];
}

async function expectUnreadable({ ledger }: LedgerCase, runId: number): Promise<void> {
  const publicId = `run-${runId}`;
  await expect(ledger.getRun(TENANT, publicId)).resolves.toBeUndefined();
  await expect(ledger.loadRun(runId)).resolves.toBeUndefined();
  const lists = [
    await ledger.listSteps(TENANT, publicId),
    await ledger.listAttempts(TENANT, publicId),
    await ledger.listHistory(TENANT, publicId),
    await ledger.waits.listWaits(TENANT, publicId),
    await ledger.waits.listSignals(TENANT, publicId),
    (await ledger.tasks.list({ tenant: TENANT, runId: publicId, limit: 9 })).tasks,
  ];
  expect(lists.flat()).toEqual([]);
  await expect(ledger.findEnds(TENANT, [publicId])).resolves.toEqual({ ended: [], missing: [publicId] });
  await expect(ledger.tasks.get(TENANT, `task-${runId}-1`)).resolves.toBeUndefined();
  expect((await refusal(ledger.accept({ tenant: TENANT, publicId, kind: "cancel", payload: null, actor: "ann" }))).code).toBe(
    "RUN_NOT_FOUND",
  );
}

/** Runs whose parent is not there. */
async function orphans({ ledger }: LedgerCase): Promise<readonly number[]> {
  const { runs } = await ledger.listRuns({ tenant: TENANT, limit: 100 });
  const ids = new Set(runs.map(({ id }) => id));
  return runs.filter(({ parentRunId }) => parentRunId !== null && !ids.has(parentRunId)).map(({ id }) => id);
}

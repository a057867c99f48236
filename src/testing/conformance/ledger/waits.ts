import { describe, expect, test } from "vitest";
import type { WaitKind } from "../../../ledger/rows.ts";
import type { InsertRun } from "../../../ledger/writes.ts";
import { aQueuedRun, endRun, insertRun, insertStep, insertWait, parked, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, refusal, runOf, startedRun } from "./kit.ts";

const KINDS: readonly WaitKind[] = ["retry", "no_worker", "timeout", "timer", "delay", "signal", "event", "task", "child"];

async function parkedRun(fixture: LedgerCase, dueInMs: number | null): Promise<number> {
  const runId = await startedRun(fixture);
  await commit(fixture, unit(runId, parked(runId, { dueInMs })));
  return runId;
}

export function describeWaits(make: MakeLedger): void {
  describe("waits", () => {
    const get = eachCase(make);

    test.each(KINDS)("S1-38 a wait of kind %s keeps what the engine must know to end it", async (kind) => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const wait = { kind, key: "k", dueInMs: 50, detail: '{"a":1}' } as const;
      await commit(fixture, unit(runId, [insertWait(runId, 0, wait), insertWait(runId, -1, { kind: "timeout" })]));
      const { time } = fixture.clock;
      const row = { runId, ordinal: 0, kind, key: "k", dueAt: time + 50, childRunId: null, detail: '{"a":1}', since: time };
      const { waits } = (await fixture.ledger.loadRun(runId)) ?? {};
      expect(waits).toEqual([{ ...row, ordinal: -1, kind: "timeout", key: null, dueAt: null, detail: null }, row]);
      const { runId: _, ...view } = row;
      const run = { ordinal: -1, path: null, kind: "timeout", dueAt: null };
      await expect(fixture.ledger.waits.listWaits(TENANT, `run-${runId}`)).resolves.toMatchObject([run, { ...view, path: "first" }]);
      await expect(fixture.ledger.waits.listWaits("other", `run-${runId}`)).resolves.toEqual([]);
    });

    test("an absolute due time goes before a delay; a step has one wait", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertWait(runId, 0, { dueAt: 12, dueInMs: 50 })]));
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ waits: [{ dueAt: 12 }] });
      expect((await refusal(commit(fixture, unit(runId, [insertWait(runId, 0)])))).code).toBe("LEDGER_CONFLICT");
    });

    test("parked runs fall due in due order, page by page, never early", async () => {
      const fixture = get();
      const { waits } = fixture.ledger;
      const [late, soon, never, tied] = [
        await parkedRun(fixture, 30),
        await parkedRun(fixture, 10),
        await parkedRun(fixture, null),
        await parkedRun(fixture, 10),
      ];
      const start = fixture.clock.time;
      await expect(waits.nextDue()).resolves.toBe(start + 10);
      fixture.clock.time = start + 9;
      await expect(waits.due(undefined, 9)).resolves.toEqual([]);
      fixture.clock.time = start + 30;
      const first = { runId: soon, dueAt: start + 10 };
      const rest = [
        { runId: tied, dueAt: start + 10 },
        { runId: late, dueAt: start + 30 },
      ];
      await expect(waits.due(undefined, 1)).resolves.toEqual([first]);
      await expect(waits.due(first, 9)).resolves.toEqual(rest);
      await expect(waits.due(rest[1], 9)).resolves.toEqual([]);
      await commit(fixture, unit(soon, [{ write: "deleteWait", runId: soon, ordinal: 0 }]));
      await expect(waits.due(undefined, 9)).resolves.toEqual(rest);
      await expect(waits.listWaits(TENANT, `run-${never}`)).resolves.toMatchObject([{ dueAt: null }]);
    });

    test("a run comes once for waits that fall due together, and not while somebody owns it", async () => {
      const fixture = get();
      const runId = await parkedRun(fixture, 5);
      await commit(fixture, unit(runId, [insertWait(runId, 1, { dueInMs: 5 }), insertWait(runId, 2, { dueInMs: 5 })]));
      fixture.clock.time += 5;
      await expect(fixture.ledger.waits.due(undefined, 9)).resolves.toMatchObject([{ runId }]);
      const { epoch } = fixture.owner;
      await commit(fixture, unit(runId, [{ write: "startRun", runId, reason: null, ownerEpoch: epoch, crashes: 0, revision: 3 }]));
      await expect(fixture.ledger.waits.due(undefined, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.waits.nextDue()).resolves.toBeNull();
    });

    test("a paused run is neither due nor queued until it goes on, and what ended cannot be paused", async () => {
      const fixture = get();
      const { ledger, version } = fixture;
      const runId = await parkedRun(fixture, 5);
      await ledger.enqueueRun(aQueuedRun(version.id, "run-q"));
      const [queued] = await ledger.unfinished("queued", 0, 9);
      const queuedId = queued ?? -1;
      const pause = (id: number, pausedBy: string | null) => unit(id, [{ write: "pauseRun", runId: id, pausedBy, revision: 5 }]);
      fixture.clock.time += 5;
      const found = async () => [
        await ledger.waits.due(undefined, 9),
        await ledger.waits.nextDue(),
        await ledger.unfinished("queued", 0, 9),
      ];
      await commit(fixture, pause(runId, "ann"), pause(queuedId, "ann"));
      await expect(found()).resolves.toEqual([[], null, []]);
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "SUSPENDED", pausedBy: "ann", revision: 5 });
      expect(await ledger.unfinished("all", 0, 9)).toHaveLength(2);
      await commit(fixture, pause(runId, null), pause(queuedId, null));
      await expect(found()).resolves.toMatchObject([[{ runId }], fixture.clock.time, [queuedId]]);
      await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId, { status: "CANCELLED", output: null })]));
      expect((await refusal(commit(fixture, pause(runId, "ann")))).code).toBe("LEDGER_CONFLICT");
    });

    test("a child is inserted by the commit that suspends its parent's step, and is found from there", async () => {
      const fixture = get();
      const { ledger, version } = fixture;
      const parentId = await startedRun(fixture);
      const childId = await ledger.reserveRunIds(1);
      const parent = { runId: parentId, step: "first", ordinal: 0, depth: 1, rootRunId: parentId };
      const queued: Partial<InsertRun> = { parent, status: "QUEUED", ownerEpoch: null };
      const child = insertRun(version.id, childId, queued);
      await commit(fixture, unit(parentId, [...parked(parentId, { kind: "child", childRunId: childId }), child]));
      const place = { parentRunId: parentId, parentStep: "first", parentOrdinal: 0, depth: 1, rootRunId: parentId };
      await expect(ledger.waits.listChildren(TENANT, `run-${parentId}`)).resolves.toMatchObject([{ publicId: `run-${childId}`, ...place }]);
      await expect(ledger.waits.listChildren("other", `run-${parentId}`)).resolves.toEqual([]);
      await expect(ledger.waits.listChildren(TENANT, `run-${childId}`)).resolves.toEqual([]);
      await expect(ledger.waits.listWaits(TENANT, `run-${parentId}`)).resolves.toMatchObject([
        { kind: "child", childRunId: `run-${childId}` },
      ]);
      await expect(ledger.loadRun(parentId)).resolves.toMatchObject({
        waits: [{ childRunId: childId }],
        run: { depth: 0, rootRunId: null },
      });
      await expect(commit(fixture, unit(childId, [insertStep(childId, 0)]))).resolves.toMatchObject({ missed: [] });
    });
  });
}

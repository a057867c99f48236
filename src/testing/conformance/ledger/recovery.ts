import { describe, expect, test } from "vitest";
import { aQueuedRun, endRun, insertStep, insertWait, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, openedAgain, startedRun } from "./kit.ts";

export function describeRecovery(make: MakeLedger): void {
  describe("recovery", () => {
    const get = eachCase(make);

    test("S0-32 what was committed is there for whoever opens the ledger next, exactly as it was", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { input: '{"b":2}', revision: 2 })]));
      await fixture.ledger.accept({ tenant: TENANT, publicId: `run-${runId}`, kind: "cancel", payload: null, actor: "ann" });
      const before = await fixture.ledger.loadRun(runId);
      const other = await openedAgain(fixture);
      if (other === undefined) return;
      await fixture.ledger.close();
      // an engine that leaves a shared ledger leaves its runs to nobody
      const ownerEpoch = other.isShared ? null : fixture.owner.epoch;
      await expect(other.loadRun(runId)).resolves.toEqual({ ...before, run: { ...before?.run, ownerEpoch } });
      await expect(other.getVersion(fixture.version.id)).resolves.toEqual(fixture.version);
      await other.close();
    });

    test("unfinished runs are given in id order, page by page, and finished ones are not", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const ids = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      const [first = 0, second = 0, third = 0, fourth = 0] = ids;
      await commit(fixture, unit(second, [settleStep(second, 0), endRun(second)]));
      await suspend(fixture, third, { ownerEpoch: null, dueInMs: 50 });
      await expect(ledger.unfinished(0, 2)).resolves.toEqual([first, third]);
      await expect(ledger.unfinished(third, 2)).resolves.toEqual([fourth]);
    });

    test("queued runs are found apart", async () => {
      const fixture = get();
      await startedRun(fixture);
      await fixture.ledger.enqueueRun(aQueuedRun(fixture.version.id, "run-q"));
      const queued = await fixture.ledger.getRun(TENANT, "run-q");
      await expect(fixture.ledger.claims.admit(fixture.owner.epoch, 10)).resolves.toMatchObject({ runs: [queued?.id] });
    });

    test("a suspended run is due when its time has come by the ledger's clock and nobody owns it", async () => {
      const fixture = get();
      const parked = await startedRun(fixture);
      const owned = await startedRun(fixture);
      const waiting = await startedRun(fixture);
      await suspend(fixture, parked, { ownerEpoch: null, dueInMs: 50 });
      await suspend(fixture, owned, { ownerEpoch: fixture.owner.epoch, dueInMs: 50 });
      await suspend(fixture, waiting, { ownerEpoch: null, dueInMs: null });
      const due = async () => (await fixture.ledger.claims.due(undefined, 10)).map((run) => run.runId);
      fixture.clock.time += 49;
      await expect(due()).resolves.toEqual([]);
      fixture.clock.time += 1;
      await expect(due()).resolves.toEqual([parked]);
      await commit(fixture, unit(parked, [{ write: "deleteWait", runId: parked, ordinal: 0 }]));
      await expect(due()).resolves.toEqual([]);
    });

    test("a run is loaded with all its rows, or not at all", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await suspend(fixture, runId, { ownerEpoch: null, dueInMs: 50 });
      const stored = await fixture.ledger.loadRun(runId);
      expect(stored).toMatchObject({
        run: { id: runId, status: "SUSPENDED", reason: "retry" },
        steps: [{ runId, ordinal: 0, status: "SUSPENDED", failures: 1 }],
        waits: [{ runId, ordinal: 0, kind: "retry", key: null, dueAt: fixture.clock.time + 50 }],
        inbox: [],
      });
      await expect(fixture.ledger.loadRun(runId + 77)).resolves.toBeUndefined();
    });

    test("runs that are loaded at once are each what they are alone, begun or not", async () => {
      const fixture = get();
      const begun = await Promise.all(Array.from({ length: 3 }, () => startedRun(fixture)));
      await suspend(fixture, begun[1] ?? 0, { ownerEpoch: null, dueInMs: 50 });
      for (let queued = 0; queued < 70; queued++) await fixture.ledger.enqueueRun(aQueuedRun(fixture.version.id, `queued-${queued}`));
      const found = await fixture.ledger.unfinished(0, 100);
      const alone = [];
      for (const runId of found) alone.push(await fixture.ledger.loadRun(runId));
      expect(new Set(alone.map((stored) => stored?.run.publicId)).size).toBe(73);
      const asked = [...found, 7_777, ...found.slice(0, 2)];
      const together = await Promise.all(asked.map((runId) => fixture.ledger.loadRun(runId)));
      expect(together).toEqual([...alone, undefined, ...alone.slice(0, 2)]);
    });
  });
}

async function suspend(
  fixture: LedgerCase,
  runId: number,
  { ownerEpoch, dueInMs }: { readonly ownerEpoch: number | null; readonly dueInMs: number | null },
): Promise<void> {
  await commit(
    fixture,
    unit(runId, [
      { write: "suspendStep", runId, ordinal: 0, reason: "retry", failures: 1, output: null, error: null, revision: 2 },
      insertWait(runId, 0, { kind: "retry", dueInMs }),
      { write: "suspendRun", runId, reason: "retry", ownerEpoch, crashes: 0, slots: null, revision: 2 },
    ]),
  );
}

import { describe, expect, test } from "vitest";
import type { InboxEntry } from "../../../ledger/port.ts";
import { asks } from "../../../ledger/queued-run.ts";
import type { RunReason } from "../../../model/status.ts";
import { aQueuedRun, endRun, insertStep, insertWait, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, openedAgain, parkedRun, refusal, runOf, startedRun, stepOf, WORKER } from "./kit.ts";

/** A ledger that has one engine: everything that is to be done is that engine's. */
export function describeSoleOwner(make: MakeLedger): void {
  describe("one engine", () => {
    const get = eachCase(make);

    test("taking ownership raises the epoch and fences every earlier one", async () => {
      const fixture = get();
      const { ledger, owner } = fixture;
      const runId = await startedRun(fixture);
      const next = await ledger.own({ ...WORKER, name: "engine-2" });
      expect(next).toEqual({ epoch: owner.epoch + 1, now: fixture.clock.time });
      const settle = unit(runId, [settleStep(runId, 0)]);
      await expect(ledger.commit({ epoch: owner.epoch, units: [settle] })).resolves.toEqual({ outcome: "fenced" });
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "RUNNING" });
      await expect(ledger.commit({ epoch: next.epoch, units: [settle] })).resolves.toMatchObject({ outcome: "committed" });
    });

    test("a second engine is refused while the first lives, and may read, start and signal", async () => {
      const fixture = get();
      const other = await openedAgain(fixture);
      if (other === undefined) return;
      const runId = await startedRun(fixture);
      const refused = await refusal(other.own({ ...WORKER, name: "engine-2" }));
      expect(refused).toMatchObject({ code: "LEDGER_OWNED", data: { name: "engine-1", pid: WORKER.pid, host: WORKER.host } });
      expect(refused.message).toContain("4711");
      await expect(other.listRuns({ tenant: TENANT, limit: 5 })).resolves.toMatchObject({ runs: [{ id: runId }] });
      await expect(other.enqueueRun(aQueuedRun(fixture.version.id, "run-b"))).resolves.toMatchObject({ created: true });
      await expect(other.commit({ epoch: fixture.owner.epoch, units: [] })).resolves.toEqual({ outcome: "fenced" });
      await expect(commit(fixture, unit(runId, [settleStep(runId, 0)]))).resolves.toMatchObject({ outcome: "committed" });
      await other.close();
    });

    test("whoever comes after the owner gets the next epoch", async () => {
      const fixture = get();
      const other = await openedAgain(fixture);
      if (other === undefined) return;
      const runId = await startedRun(fixture);
      await fixture.ledger.close();
      const next = await other.own({ ...WORKER, name: "engine-2" });
      expect(next.epoch).toBe(fixture.owner.epoch + 1);
      const go = unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { revision: 2 })]);
      await expect(other.commit({ epoch: fixture.owner.epoch, units: [go] })).resolves.toEqual({ outcome: "fenced" });
      await expect(other.commit({ epoch: next.epoch, units: [go] })).resolves.toMatchObject({ outcome: "committed" });
      await other.close();
    });

    test("the owner notices what another process wrote, once, and not its own writes", async () => {
      const fixture = get();
      await fixture.ledger.changedElsewhere();
      await startedRun(fixture);
      await expect(fixture.ledger.changedElsewhere()).resolves.toBe(false);
      const other = await openedAgain(fixture);
      if (other === undefined) return;
      await other.enqueueRun(aQueuedRun(fixture.version.id, "run-b"));
      await expect(fixture.ledger.changedElsewhere()).resolves.toBe(true);
      await expect(fixture.ledger.changedElsewhere()).resolves.toBe(false);
      await other.close();
    });

    test("parked runs fall due in due order, page by page, never early", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const { waits } = ledger;
      const [late, soon, never, tied] = [
        await parkedRun(fixture, 30),
        await parkedRun(fixture, 10),
        await parkedRun(fixture, null),
        await parkedRun(fixture, 10),
      ];
      const start = fixture.clock.time;
      await expect(waits.nextDue()).resolves.toBe(start + 10);
      fixture.clock.time = start + 9;
      await expect(ledger.claims.due(undefined, 9)).resolves.toEqual([]);
      fixture.clock.time = start + 30;
      const first = { runId: soon, dueAt: start + 10 };
      const rest = [
        { runId: tied, dueAt: start + 10 },
        { runId: late, dueAt: start + 30 },
      ];
      await expect(ledger.claims.due(undefined, 1)).resolves.toEqual([first]);
      await expect(ledger.claims.due(first, 9)).resolves.toEqual(rest);
      await expect(ledger.claims.due(rest[1], 9)).resolves.toEqual([]);
      await commit(fixture, unit(soon, [{ write: "deleteWait", runId: soon, ordinal: 0 }]));
      await expect(ledger.claims.due(undefined, 9)).resolves.toEqual(rest);
      await expect(waits.listWaits(TENANT, `run-${never}`)).resolves.toMatchObject([{ dueAt: null }]);
    });

    test("a paused run is neither due nor queued until it goes on, and what ended cannot be paused", async () => {
      const fixture = get();
      const { ledger, version, owner } = fixture;
      const runId = await parkedRun(fixture, 5);
      await ledger.enqueueRun(aQueuedRun(version.id, "run-q"));
      const queuedId = (await ledger.getRun(TENANT, "run-q"))?.id ?? -1;
      const pause = (id: number, pausedBy: string | null) => unit(id, [{ write: "pauseRun", runId: id, pausedBy, revision: 5 }]);
      fixture.clock.time += 5;
      const found = async () => [
        await ledger.claims.due(undefined, 9),
        await ledger.waits.nextDue(),
        (await ledger.claims.admit(owner.epoch, 9)).runs,
      ];
      await commit(fixture, pause(runId, "ann"), pause(queuedId, "ann"));
      await expect(found()).resolves.toEqual([[], null, []]);
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "SUSPENDED", pausedBy: "ann", revision: 5 });
      expect(await ledger.unfinished(0, 9)).toHaveLength(2);
      await commit(fixture, pause(runId, null), pause(queuedId, null));
      await expect(found()).resolves.toMatchObject([[{ runId }], fixture.clock.time, []]);
      await commit(fixture, unit(queuedId, [{ write: "requeueRun", runId: queuedId }, asks(queuedId)]));
      await expect(found()).resolves.toMatchObject([[{ runId }], fixture.clock.time, [queuedId]]);
      await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId, { status: "CANCELLED", output: null })]));
      expect((await refusal(commit(fixture, pause(runId, "ann")))).code).toBe("LEDGER_CONFLICT");
    });

    test("what an engine left behind is found apart from what the ledger will wake, unless it is paused", async () => {
      const fixture = get();
      const runs = () => fixture.ledger.claims.runs("left_behind", 0, 10);
      const suspendRun = async (reason: RunReason, ownerEpoch: number | null) => {
        const runId = await startedRun(fixture);
        await commit(fixture, unit(runId, [{ write: "suspendRun", runId, reason, ownerEpoch, crashes: 0, slots: null, revision: 2 }]));
        return runId;
      };
      const running = await startedRun(fixture);
      await fixture.ledger.enqueueRun(aQueuedRun(fixture.version.id, "run-q"));
      await suspendRun("timer", null);
      const left = [await suspendRun("timer", 1), await suspendRun("shutdown", null)];
      const withoutOperator = await suspendRun("no_worker", null);
      await expect(runs()).resolves.toEqual([running, ...left]);
      await commit(fixture, unit(running, [{ write: "pauseRun", runId: running, pausedBy: "ann", revision: 3 }]));
      await expect(runs()).resolves.toEqual(left);
      await expect(fixture.ledger.claims.runs("no_worker", 0, 10)).resolves.toEqual([withoutOperator]);
    });

    test("what was sent is found until a commit has consumed it, with whether anybody waits for it", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertWait(runId, 0, { kind: "signal", key: "go" })]));
      const stay = await ledger.accept(signalOf(runId, "stay"));
      const go = await ledger.accept(signalOf(runId, "go"));
      await expect(ledger.claims.sent(0, 1)).resolves.toEqual([stay]);
      await expect(ledger.claims.sent(0, 9)).resolves.toEqual([stay, go]);
      expect([stay.isAwaited, go.isAwaited]).toEqual([false, true]);
      await expect(ledger.claims.sent(stay.id, 9)).resolves.toEqual([go]);
      await commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 1 }], 2));
      await expect(ledger.claims.sent(0, 9)).resolves.toEqual([go]);
    });
  });
}

function signalOf(runId: number, name: string): InboxEntry {
  return { tenant: TENANT, publicId: `run-${runId}`, kind: "signal", payload: null, actor: "ann", name };
}

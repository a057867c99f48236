import { describe, expect, test } from "vitest";
import { aQueuedRun, insertStep, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, openedAgain, refusal, startedRun, stepOf, WORKER } from "./kit.ts";

export function describeOwnership(make: MakeLedger): void {
  describe("ownership", () => {
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

    test("a closed ledger says so", async () => {
      const fixture = get();
      await fixture.ledger.close();
      expect((await refusal(fixture.ledger.reserveRunIds(1))).code).toBe("LEDGER_UNAVAILABLE");
      await expect(fixture.ledger.close()).resolves.toBeUndefined();
    });
  });
}

import { describe, expect, test } from "vitest";
import type { Ledger, Ownership } from "../../../ledger/port.ts";
import { aQueuedRun, insertStep, insertWait, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, parkedRun, refusal, runOf, startedRun, WORKER } from "./kit.ts";

interface Second {
  readonly ledger: Ledger;
  readonly owner: Ownership;
}

async function second(fixture: LedgerCase): Promise<Second> {
  const ledger = await fixture.again();
  return { ledger, owner: await ledger.own({ ...WORKER, name: "engine-2" }) };
}

/** A ledger that several engines share: each run is of one of them at a time. */
export function describeSharedOwners(make: MakeLedger): void {
  describe("several engines", () => {
    const get = eachCase(make);

    test("P5 an engine that leaves is fenced, and another one finds what it had", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const parkedId = await parkedRun(fixture, 1_000);
      const other = await second(fixture);
      expect(other.owner.epoch).toBeGreaterThan(fixture.owner.epoch);
      await expect(other.ledger.claims.runs("left_behind", 0, 9)).resolves.toEqual([]);
      await fixture.ledger.close();
      const settle = unit(runId, [settleStep(runId, 0)]);
      await expect(other.ledger.commit({ epoch: fixture.owner.epoch, units: [settle] })).resolves.toEqual({ outcome: "fenced" });
      await expect(other.ledger.claims.runs("left_behind", 0, 9)).resolves.toEqual([runId]);
      await expect(other.ledger.claims.runs("left_behind", 0, 9)).resolves.toEqual([]);
      await expect(other.ledger.commit({ epoch: other.owner.epoch, units: [settle] })).resolves.toMatchObject({ missed: [] });
      await expect(runOf({ ...fixture, ledger: other.ledger }, parkedId)).resolves.toMatchObject({ ownerEpoch: null });
      await other.ledger.close();
    });

    test("P5 an engine cannot write to a run that another one has", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const other = await second(fixture);
      const settle = unit(runId, [settleStep(runId, 0)]);
      await expect(other.ledger.commit({ epoch: other.owner.epoch, units: [settle] })).resolves.toMatchObject({ missed: [0] });
      await expect(other.ledger.claims.one(runId)).resolves.toBe(false);
      await expect(fixture.ledger.claims.one(runId)).resolves.toBe(true);
      await expect(commit(fixture, settle)).resolves.toMatchObject({ missed: [] });
      await other.ledger.close();
    });

    test("a queued run and one whose time has come are given to one engine", async () => {
      const fixture = get();
      const other = await second(fixture);
      const [due, later] = [await parkedRun(fixture, 5), await parkedRun(fixture, 9)];
      await commit(fixture, unit(due, [insertWait(due, 1, { dueInMs: 5 })]));
      for (const publicId of ["run-q", "run-r"]) await other.ledger.enqueueRun(aQueuedRun(fixture.version.id, publicId));
      const queued = (await fixture.ledger.claims.admit(fixture.owner.epoch, 1)).runs;
      expect(queued).toHaveLength(1);
      const rest = (await other.ledger.claims.admit(other.owner.epoch, 9)).runs;
      expect(rest).toHaveLength(1);
      expect(rest).not.toEqual(queued);
      await expect(fixture.ledger.claims.admit(fixture.owner.epoch, 9)).resolves.toMatchObject({ runs: [] });
      await expect(other.ledger.claims.due(undefined, 9)).resolves.toEqual([]);
      fixture.clock.time += 5;
      await expect(other.ledger.claims.due(undefined, 9)).resolves.toEqual([{ runId: due, dueAt: fixture.clock.time }]);
      await expect(fixture.ledger.claims.due(undefined, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.waits.nextDue()).resolves.toBe(fixture.clock.time + 4);
      fixture.clock.time += 4;
      await expect(fixture.ledger.claims.due(undefined, 9)).resolves.toMatchObject([{ runId: later }]);
      await other.ledger.close();
    });

    test("what is sent to a run reaches the engine that has it, again until it asks for what follows; a parked run finds one", async () => {
      const fixture = get();
      const other = await second(fixture);
      const [owned, parkedId] = [await startedRun(fixture), await parkedRun(fixture, null)];
      const send = (runId: number) =>
        other.ledger.accept({ tenant: TENANT, publicId: `run-${runId}`, kind: "pause", payload: null, actor: "ann" });
      const row = await send(owned);
      await send(parkedId);
      await expect(other.ledger.claims.sent(0, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.claims.sent(0, 9)).resolves.toEqual([row]);
      const next = await send(owned);
      await expect(fixture.ledger.claims.sent(0, 9)).resolves.toEqual([row, next]);
      await expect(fixture.ledger.claims.sent(row.id, 9)).resolves.toEqual([row, next]);
      await expect(fixture.ledger.claims.sent(next.id, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.claims.runs("left_behind", 0, 9)).resolves.toEqual([parkedId]);
      await other.ledger.close();
    });

    test("an engine hears of what another one wrote, and not of its own", async () => {
      const fixture = get();
      const other = await second(fixture);
      await other.ledger.enqueueRun(aQueuedRun(fixture.version.id, "run-b"));
      while (!(await fixture.ledger.changedElsewhere())) await new Promise((resolve) => setImmediate(resolve));
      await expect(fixture.ledger.changedElsewhere()).resolves.toBe(false);
      await other.ledger.close();
    });

    test("P5 taking ownership anew fences the engine that had it through this connection", async () => {
      const fixture = get();
      const { ledger, owner } = fixture;
      const runId = await startedRun(fixture);
      const next = await ledger.own({ ...WORKER, name: "engine-2" });
      expect(next.epoch).toBeGreaterThan(owner.epoch);
      const go = unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { revision: 2 })]);
      await expect(ledger.commit({ epoch: owner.epoch, units: [go] })).resolves.toEqual({ outcome: "fenced" });
      await expect(ledger.commit({ epoch: next.epoch, units: [go] })).resolves.toMatchObject({ outcome: "committed" });
    });

    test("a text with the character NUL fails the unit that holds it, and nothing else", async () => {
      const fixture = get();
      const [one, two] = [await startedRun(fixture), await startedRun(fixture)];
      const bad = unit(two, [insertStep(two, 1, { input: '"\\u0000\u0000"', revision: 2 })]);
      const good = unit(one, [settleStep(one, 0, { output: '"\\u0000"' })]);
      const refused = await refusal(commit(fixture, good, bad));
      expect(refused).toMatchObject({ code: "LEDGER_CONFLICT", data: { unit: 1, runId: two } });
      await expect(commit(fixture, good)).resolves.toMatchObject({ missed: [] });
    });
  });
}

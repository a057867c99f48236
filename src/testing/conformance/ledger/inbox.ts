import { describe, expect, test } from "vitest";
import { endRun, insertStep, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, openedAgain, refusal, runOf, startedRun, stepOf } from "./kit.ts";

export function describeInbox(make: MakeLedger): void {
  describe("inbox", () => {
    const get = eachCase(make);

    test("what is accepted is numbered in order and stays until a commit consumes it", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const first = await fixture.ledger.accept({ ...cancelOf(runId), payload: { why: "late" } });
      fixture.clock.time += 1;
      const second = await fixture.ledger.accept(cancelOf(runId));
      const common = { runId, kind: "cancel", name: null, ordinal: null, signalId: null, actor: "ann", consumedAt: null, isAwaited: true };
      expect([first, second]).toEqual([
        { ...common, id: first.id, seq: 1, payload: '{"why":"late"}', acceptedAt: fixture.clock.time - 1 },
        { ...common, id: first.id + 1, seq: 2, payload: null, acceptedAt: fixture.clock.time },
      ]);
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ inboxSeq: 2 });
      await expect(fixture.ledger.unconsumedInbox(0, 1)).resolves.toEqual([first]);
      await expect(fixture.ledger.unconsumedInbox(0, 9)).resolves.toEqual([first, second]);
      await commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 1 }], 2));
      await expect(fixture.ledger.unconsumedInbox(0, 9)).resolves.toEqual([second]);
      await commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 2 }], 2));
      await expect(fixture.ledger.unconsumedInbox(0, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ inbox: [{ seq: 1 }, { seq: 2 }] });
    });

    test("a unit that was decided before the last signal is left out, the others are written", async () => {
      const fixture = get();
      const [signalled, other] = [await startedRun(fixture), await startedRun(fixture)];
      await fixture.ledger.accept(cancelOf(signalled));
      const go = (runId: number, seen: number) => unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { revision: 2 })], seen);
      await expect(commit(fixture, go(signalled, 0), go(other, 0))).resolves.toMatchObject({ outcome: "committed", missed: [0] });
      await expect(stepOf(fixture, signalled, 0)).resolves.toMatchObject({ status: "RUNNING" });
      await expect(stepOf(fixture, other, 0)).resolves.toMatchObject({ status: "SUCCEEDED" });
      await expect(commit(fixture, go(signalled, 1))).resolves.toMatchObject({ outcome: "committed", missed: [] });
    });

    test("a unit is still too old after the signal that it did not see was consumed", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await fixture.ledger.accept(cancelOf(runId));
      await commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 1 }], 1));
      const late = await commit(fixture, unit(runId, [settleStep(runId, 0)], 0));
      expect(late).toMatchObject({ missed: [0] });
    });

    test("a unit is too old also when its run has ended meanwhile", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await fixture.ledger.accept(cancelOf(runId));
      await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId)], 1));
      await expect(commit(fixture, unit(runId, [insertStep(runId, 1, { revision: 3 })], 0))).resolves.toMatchObject({ missed: [0] });
      await expect(stepOf(fixture, runId, 1)).resolves.toBeUndefined();
    });

    test("a run that ended, or is not there, accepts nothing", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      expect((await refusal(fixture.ledger.accept({ ...cancelOf(runId), tenant: "other" }))).code).toBe("RUN_NOT_FOUND");
      await fixture.ledger.accept(cancelOf(runId));
      await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId)], 1));
      expect((await refusal(fixture.ledger.accept(cancelOf(runId)))).code).toBe("RUN_FINISHED");
      expect((await refusal(fixture.ledger.accept({ ...cancelOf(runId), publicId: "nobody" }))).code).toBe("RUN_NOT_FOUND");
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ inboxSeq: 1 });
    });

    test("a signal through another handle is seen by the owner's next commit", async () => {
      const fixture = get();
      const other = await openedAgain(fixture);
      if (other === undefined) return;
      const runId = await startedRun(fixture);
      await other.accept(cancelOf(runId));
      await expect(commit(fixture, unit(runId, [settleStep(runId, 0)], 0))).resolves.toMatchObject({ missed: [0] });
      await expect(commit(fixture, unit(runId, [settleStep(runId, 0)], 1))).resolves.toMatchObject({ missed: [] });
      await other.close();
    });
  });
}

function cancelOf(runId: number): Parameters<LedgerCase["ledger"]["accept"]>[0] {
  return { tenant: TENANT, publicId: `run-${runId}`, kind: "cancel", payload: null, actor: "ann" };
}

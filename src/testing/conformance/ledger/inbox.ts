import { describe, expect, test } from "vitest";
import { endRun, insertStep, insertWait, postInbox, settleStep, TENANT, unit } from "./builders.ts";
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
      await commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 1 }], 2));
      await commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 2 }], 2));
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ inbox: [{ seq: 1 }, { seq: 2 }] });
      const again = commit(fixture, unit(runId, [{ write: "consumeInbox", runId, seq: 2 }], 2));
      expect((await refusal(again)).code).toBe("LEDGER_CONFLICT");
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

    test("a row is consumed alone, in any order, and what is consumed is not loaded again but a cancel", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      for (const name of ["a", "b", "c"]) await fixture.ledger.accept(signalOf(runId, name));
      await fixture.ledger.accept(cancelOf(runId));
      const consume = (seq: number) => unit(runId, [{ write: "consumeInbox", runId, seq }], 4);
      await commit(fixture, consume(2));
      await commit(fixture, consume(4));
      const stored = await fixture.ledger.loadRun(runId);
      expect(stored?.inbox.map(({ seq, kind, name }) => [seq, kind, name])).toEqual([
        [1, "signal", "a"],
        [3, "signal", "c"],
        [4, "cancel", null],
      ]);
      expect(await fixture.ledger.waits.listSignals(TENANT, `run-${runId}`)).toHaveLength(4);
    });

    test("a signal tells whether somebody waits for it, and stays when nobody does", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertWait(runId, 0, { kind: "signal", key: "go" })]));
      await expect(fixture.ledger.accept(signalOf(runId, "stay"))).resolves.toMatchObject({ name: "stay", isAwaited: false });
      await expect(fixture.ledger.accept(signalOf(runId, "go"))).resolves.toMatchObject({ name: "go", isAwaited: true });
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ inbox: [{ name: "stay" }, { name: "go" }] });
    });

    test("the same signal id again changes nothing, also after the run's end; two signals alike are two", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const once = { ...signalOf(runId, "go"), signalId: "s1" };
      const first = await fixture.ledger.accept(once);
      await expect(fixture.ledger.accept({ ...once, payload: "other" })).resolves.toEqual(first);
      await expect(fixture.ledger.accept({ ...once, signalId: "s2" })).resolves.toMatchObject({ seq: 2 });
      await expect(fixture.ledger.accept(signalOf(runId, "go"))).resolves.toMatchObject({ seq: 3 });
      const elsewhere = await startedRun(fixture);
      await expect(fixture.ledger.accept({ ...signalOf(elsewhere, "go"), signalId: "s1" })).resolves.toMatchObject({ seq: 1 });
      await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId)], 3));
      await expect(fixture.ledger.accept(once)).resolves.toEqual(first);
      expect((await refusal(fixture.ledger.accept({ ...once, signalId: "s3" }))).code).toBe("RUN_FINISHED");
    });

    test("a run's commit writes into another run's inbox, and the commit tells what it accepted", async () => {
      const fixture = get();
      const [child, parent] = [await startedRun(fixture), await startedRun(fixture)];
      const end = unit(child, [settleStep(child, 0), endRun(child), postInbox(child, parent, { ordinal: 2 })]);
      const outcome = await commit(fixture, end, unit(parent, [insertStep(parent, 1)], 0));
      const row = {
        runId: parent,
        seq: 1,
        kind: "child",
        ordinal: 2,
        payload: '{"ok":true,"payload":7}',
        actor: "engine",
        consumedAt: null,
      };
      expect(outcome).toMatchObject({ missed: [1], accepted: [row] });
      await expect(runOf(fixture, parent)).resolves.toMatchObject({ inboxSeq: 1 });
      await expect(commit(fixture, unit(parent, [insertStep(parent, 1)], 0))).resolves.toMatchObject({ missed: [0], accepted: [] });
      await expect(commit(fixture, unit(parent, [insertStep(parent, 1)], 1))).resolves.toMatchObject({ missed: [] });
    });

    test("nothing is posted to a run that has ended, or by a unit that was left out or refused", async () => {
      const fixture = get();
      const [cause, ended, open] = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      await commit(fixture, unit(ended, [settleStep(ended, 0), endRun(ended)]));
      await expect(commit(fixture, unit(cause, [postInbox(cause, ended), postInbox(cause, 9_999)]))).resolves.toMatchObject({
        accepted: [],
      });
      const clash = unit(cause, [postInbox(cause, open), insertStep(cause, 0)]);
      expect((await refusal(commit(fixture, clash))).code).toBe("LEDGER_CONFLICT");
      await fixture.ledger.accept(cancelOf(cause));
      await expect(commit(fixture, unit(cause, [postInbox(cause, open)], 0))).resolves.toMatchObject({ missed: [0], accepted: [] });
      await expect(runOf(fixture, open)).resolves.toMatchObject({ inboxSeq: 0 });
      await expect(commit(fixture, unit(open, [settleStep(open, 0)], 0))).resolves.toMatchObject({ missed: [] });
    });

    test("several rows for one run in one commit are numbered in order", async () => {
      const fixture = get();
      const [one, two, parent] = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      const outcome = await commit(fixture, unit(one, [postInbox(one, parent)]), unit(two, [postInbox(two, parent), postInbox(two, two)]));
      expect(outcome).toMatchObject({
        accepted: [
          { runId: parent, seq: 1 },
          { runId: parent, seq: 2 },
          { runId: two, seq: 1 },
        ],
      });
    });

    test("open rows of a run that has ended are nobody's work any more", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await fixture.ledger.accept(signalOf(runId, "late"));
      await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId)], 1));
      await expect(fixture.ledger.claims.sent(0, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.waits.listSignals(TENANT, `run-${runId}`)).resolves.toMatchObject([{ consumedAt: null }]);
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

function signalOf(runId: number, name: string): Parameters<LedgerCase["ledger"]["accept"]>[0] {
  return { ...cancelOf(runId), kind: "signal", name };
}

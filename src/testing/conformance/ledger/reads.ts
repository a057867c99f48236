import { describe, expect, test } from "vitest";
import { aQueuedRun, endRun, insertStep, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, runOf, startedRun } from "./kit.ts";

export function describeReads(make: MakeLedger): void {
  describe("reads", () => {
    const get = eachCase(make);

    test("S0-19 every step of a run is readable, PENDING, before anything executes", async () => {
      const { ledger, version } = get();
      await ledger.enqueueRun(aQueuedRun(version.id, "run-a"));
      const pending = (ordinal: number, path: string) => ({
        ordinal,
        path,
        uses: "transform",
        status: "PENDING",
        reason: null,
        attempt: 0,
        input: null,
        output: null,
        error: null,
        startedAt: null,
        finishedAt: null,
      });
      await expect(ledger.listSteps(TENANT, "run-a")).resolves.toEqual([pending(0, "first"), pending(1, "second"), pending(2, "third")]);
    });

    test("of some runs those that have ended and those that are not there are told, to their tenant", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const [first, open, last] = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      for (const runId of [last, first]) await commit(fixture, unit(runId, [settleStep(runId, 0), endRun(runId, { output: "7" })]));
      const asked = [last, open, first].map((runId) => `run-${runId}`);
      const { ended, missing } = await ledger.findEnds(TENANT, [...asked, "run-none"]);
      expect(ended.map(({ id, status, output }) => [id, status, output])).toEqual([
        [first, "SUCCEEDED", "7"],
        [last, "SUCCEEDED", "7"],
      ]);
      expect(missing).toEqual(["run-none"]);
      const elsewhere = await ledger.findEnds("other", asked);
      expect(elsewhere).toMatchObject({ ended: [] });
      expect(elsewhere.missing.toSorted()).toEqual(asked.toSorted());
    });

    test("steps come in declaration order whatever the order in which they ran", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertStep(runId, 2, { revision: 2 }), insertStep(runId, 1, { revision: 2, input: "1" })]));
      const steps = await fixture.ledger.listSteps(TENANT, `run-${runId}`);
      expect(steps.map((step) => [step.path, step.status, step.input])).toEqual([
        ["first", "RUNNING", null],
        ["second", "RUNNING", "1"],
        ["third", "RUNNING", null],
      ]);
    });

    test("a run's revision is the highest of its rows, without touching the run", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const revisions: number[] = [];
      const write = async (writes: Parameters<typeof unit>[1]) => {
        await commit(fixture, unit(runId, writes));
        revisions.push((await fixture.ledger.getRun(TENANT, `run-${runId}`))?.revision ?? 0);
      };
      await write([settleStep(runId, 0, { revision: 4 })]);
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ revision: 4 });
      await write([{ write: "insertEvent", runId, event: "note", detail: null, actor: "test", revision: 6 }]);
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ revision: 6 });
      await write([{ write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "DISCARDED", error: null, revision: 7 }]);
      await write([endRun(runId, { revision: 8 })]);
      expect(revisions).toEqual([4, 6, 7, 8]);
      await expect(fixture.ledger.getRun(TENANT, `run-${runId}`)).resolves.toMatchObject({ revision: 8 });
    });

    test("S0-15 history tells who asked, each attempt's times and error, and every transition in order", async () => {
      const fixture = get();
      const at = fixture.clock.time;
      const runId = await startedRun(fixture);
      const later = async (writes: Parameters<typeof unit>[1]) => {
        fixture.clock.time += 10;
        await commit(fixture, unit(runId, writes));
      };
      const failure = '{"code":"A"}';
      await later([
        { write: "suspendStep", runId, ordinal: 0, reason: "retry", failures: 1, output: null, error: failure, revision: 2 },
        { write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "FAILED", error: failure, revision: 2 },
      ]);
      await later([{ write: "restartStep", runId, ordinal: 0, reason: null, attempt: 2, revision: 3 }]);
      await later([{ write: "insertEvent", runId, event: "run.noted", detail: '{"by":"ann"}', actor: "ann", revision: 4 }]);
      await later([settleStep(runId, 0, { revision: 5 }), insertStep(runId, 1, { revision: 5 })]);
      const skipped = insertStep(runId, 2, { status: "SKIPPED", reason: "branch", attempt: 0, revision: 6 });
      await later([settleStep(runId, 1, { revision: 6 }), skipped, endRun(runId, { revision: 6 })]);
      const nothing = { step: null, attempt: null, detail: null, actor: null };
      const history = await fixture.ledger.listHistory(TENANT, `run-${runId}`);
      expect(history.slice(0, 8)).toEqual([
        { ...nothing, revision: 1, at, event: "run.created", actor: "ann" },
        { ...nothing, revision: 1, at, event: "run.started" },
        { ...nothing, revision: 1, at, event: "step.started", step: "first", attempt: 1 },
        { ...nothing, revision: 2, at: at + 10, event: "attempt.failed", step: "first", attempt: 1, detail: failure },
        { ...nothing, revision: 3, at: at + 20, event: "step.started", step: "first", attempt: 2 },
        { ...nothing, revision: 4, at: at + 30, event: "run.noted", detail: '{"by":"ann"}', actor: "ann" },
        { ...nothing, revision: 5, at: at + 40, event: "step.succeeded", step: "first", attempt: 2 },
        { ...nothing, revision: 5, at: at + 40, event: "step.started", step: "second", attempt: 1 },
      ]);
      expect(history.slice(8).map((line) => `${line.revision} ${line.event} ${line.step ?? "-"}`)).toEqual([
        "6 step.succeeded second",
        "6 step.skipped third",
        "6 run.succeeded -",
      ]);
    });

    test("another tenant, or a run that is not there, reads nothing", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      for (const [tenant, publicId] of [
        ["other", `run-${runId}`],
        [TENANT, "nobody"],
      ] as const) {
        await expect(fixture.ledger.getRun(tenant, publicId)).resolves.toBeUndefined();
        await expect(fixture.ledger.listSteps(tenant, publicId)).resolves.toEqual([]);
        await expect(fixture.ledger.listAttempts(tenant, publicId)).resolves.toEqual([]);
        await expect(fixture.ledger.listHistory(tenant, publicId)).resolves.toEqual([]);
      }
    });
  });
}

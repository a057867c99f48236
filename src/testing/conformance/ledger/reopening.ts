import { describe, expect, test } from "vitest";
import type { InsertStep, Write } from "../../../ledger/writes.ts";
import { endRun, insertRun, insertStep, insertWait, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, refusal, runOf, startedRun, stepOf } from "./kit.ts";

const FAILURE = '{"code":"A","message":"a"}';

/** A run that failed in revision 3, after `writes` of its steps. */
async function failedRun(fixture: LedgerCase, writes: (runId: number) => readonly Write[]): Promise<number> {
  const runId = await startedRun(fixture);
  fixture.clock.time += 10;
  const end = endRun(runId, { status: "FAILED", reason: "step_failed", output: null, error: FAILURE, revision: 3 });
  await commit(fixture, unit(runId, [...writes(runId), end]));
  return runId;
}

const failed = (runId: number, ordinal = 0) =>
  settleStep(runId, ordinal, { status: "FAILED", failures: 2, output: null, error: FAILURE, revision: 3 });

export function describeReopening(make: MakeLedger): void {
  describe("reopening", () => {
    const get = eachCase(make);

    test("a failed run is SUSPENDED again, and its failed step has all its attempts, due now", async () => {
      const fixture = get();
      const runId = await failedRun(fixture, (id) => [failed(id)]);
      const before = await stepOf(fixture, runId, 0);
      fixture.clock.time += 1_000;
      const { time } = fixture.clock;
      const accepted = await fixture.ledger.reopenRun(TENANT, `run-${runId}`, "ann");
      expect(accepted).toMatchObject({ runId, seq: 1, kind: "retry", actor: "ann", acceptedAt: time });
      const run = {
        status: "SUSPENDED",
        reason: "retry",
        ownerEpoch: null,
        output: null,
        error: null,
        finishedAt: null,
        inboxSeq: 1,
        revision: 4,
      };
      await expect(runOf(fixture, runId)).resolves.toMatchObject(run);
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({
        steps: [{ status: "SUSPENDED", reason: "retry", attempt: 1, failures: 0, error: FAILURE, finishedAt: null }],
        waits: [{ ordinal: 0, kind: "retry", dueAt: time }],
        inbox: [{ kind: "retry" }],
      });
      await expect(fixture.ledger.claims.due(undefined, 9)).resolves.toEqual([{ runId, dueAt: time }]);
      const { startedAt, finishedAt } = before ?? {};
      const attempt = { ordinal: 0, attempt: 1, status: "FAILED", error: FAILURE, revision: 3, startedAt, finishedAt };
      await expect(fixture.ledger.listAttempts(TENANT, `run-${runId}`)).resolves.toMatchObject([attempt]);
      const restart = { write: "restartStep", runId, ordinal: 0, reason: null, attempt: 2, revision: 5 } as const;
      const start = { write: "startRun", runId, reason: null, ownerEpoch: 1, crashes: 0, deadlineInMs: null, revision: 5 } as const;
      await commit(fixture, unit(runId, [start, { write: "deleteWait", runId, ordinal: 0 }, restart], 1));
      await commit(fixture, unit(runId, [settleStep(runId, 0, { revision: 6 }), endRun(runId)], 1));
      const history = await fixture.ledger.listHistory(TENANT, `run-${runId}`);
      expect(history.map(({ event, actor }) => `${event} ${actor ?? ""}`.trim())).toEqual([
        "run.created ann",
        "run.started",
        "step.started",
        "attempt.failed",
        "run.reopened ann",
        "step.started",
        "step.succeeded",
        "run.succeeded",
      ]);
    });

    test("what fell with the failure is to be done again; what succeeded or was tolerated stays", async () => {
      const fixture = get();
      const ended =
        (ordinal: number, status: "SKIPPED" | "FAILED" | "SUCCEEDED", change: Partial<InsertStep> = {}) =>
        (runId: number) =>
          insertStep(runId, ordinal, { status, attempt: 0, revision: 3, ...change });
      const steps = [
        ended(1, "SUCCEEDED"),
        ended(2, "SKIPPED", { reason: "needs_failed" }),
        ended(3, "SKIPPED", { reason: "run_failed" }),
        ended(4, "SKIPPED", { reason: "branch" }),
        ended(5, "FAILED", { reason: "on_error" }),
        ended(6, "SKIPPED", { reason: "needs_skipped" }),
        ended(7, "FAILED"),
      ];
      const runId = await failedRun(fixture, (id) => [failed(id), ...steps.map((step) => step(id))]);
      await fixture.ledger.reopenRun(TENANT, `run-${runId}`, "ann");
      const stored = await fixture.ledger.loadRun(runId);
      expect(stored?.steps.map(({ ordinal, status }) => `${ordinal} ${status}`)).toEqual([
        "0 SUSPENDED",
        "1 SUCCEEDED",
        "4 SKIPPED",
        "5 FAILED",
      ]);
      const shown = await fixture.ledger.listSteps(TENANT, `run-${runId}`);
      expect(shown.map(({ status }) => status)).toEqual(["SUSPENDED", "SUCCEEDED", "PENDING"]);
    });

    test("a step that was cancelled at work goes on with a later attempt, never with one that it had", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertStep(runId, 1, { revision: 2 }), insertWait(runId, 1)]));
      const cancelled = settleStep(runId, 1, { status: "CANCELLED", reason: "run_failed", output: null, error: FAILURE, revision: 3 });
      const late = { write: "insertAttempt", runId, ordinal: 1, attempt: 1, status: "DISCARDED", error: FAILURE, revision: 4 } as const;
      await commit(fixture, unit(runId, [failed(runId), cancelled, late, endRun(runId, { status: "FAILED", output: null })]));
      await fixture.ledger.reopenRun(TENANT, `run-${runId}`, "ann");
      await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ status: "SUSPENDED", reason: "retry", attempt: 1 });
      const attempts = await fixture.ledger.listAttempts(TENANT, `run-${runId}`);
      expect(attempts.map(({ ordinal, status }) => `${ordinal} ${status}`).toSorted()).toEqual(["0 FAILED", "1 DISCARDED"]);
    });

    test("a failed block is at work again with the items that failed, not with those that succeeded", async () => {
      const fixture = get();
      const item = (runId: number, ordinal: number, parent: number) =>
        insertStep(runId, ordinal, { kind: "item", path: `second[${ordinal}]`, parent, status: "SUSPENDED", reason: "steps", revision: 2 });
      const inner = (runId: number, ordinal: number, parent: number) =>
        insertStep(runId, ordinal, { path: `s${ordinal}`, uses: "http", parent });
      const runId = await startedRun(fixture);
      const block = insertStep(runId, 1, { kind: "block", status: "SUSPENDED", reason: "steps", input: "[1,2]", revision: 2 });
      const tolerant = { ...block, ordinal: 2 };
      const items = [item(runId, 3, 1), item(runId, 5, 1), item(runId, 7, 2)];
      const begun = [block, tolerant, ...items, inner(runId, 4, 3), inner(runId, 6, 5), inner(runId, 8, 7), inner(runId, 9, 7)];
      await commit(fixture, unit(runId, [settleStep(runId, 0), ...begun]));
      await commit(
        fixture,
        unit(runId, [
          settleStep(runId, 4, { revision: 3 }),
          settleStep(runId, 3, { revision: 3 }),
          failed(runId, 6),
          failed(runId, 5),
          failed(runId, 8),
          settleStep(runId, 9, { revision: 3 }),
          failed(runId, 7),
          failed(runId, 1),
          settleStep(runId, 2, { revision: 3 }),
          endRun(runId, { status: "FAILED", output: null }),
        ]),
      );
      await fixture.ledger.reopenRun(TENANT, `run-${runId}`, "ann");
      const stored = await fixture.ledger.loadRun(runId);
      expect(stored?.steps.map(({ ordinal, kind, status }) => `${ordinal} ${kind} ${status}`)).toEqual([
        "0 step SUCCEEDED",
        "1 block SUSPENDED",
        "2 block SUCCEEDED",
        "3 item SUCCEEDED",
        "5 item SUSPENDED",
        "6 step SUSPENDED",
      ]);
      await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ reason: "steps", input: "[1,2]", error: null });
      expect(stored?.waits.map(({ ordinal }) => ordinal)).toEqual([6]);
      expect(stored?.lastOrdinal).toBe(9);
    });

    test("a run that took too long gets its time anew", async () => {
      const fixture = get();
      const runId = await fixture.ledger.reserveRunIds(1);
      await commit(fixture, unit(runId, [insertRun(fixture.version.id, runId, { deadlineInMs: 500 }), insertStep(runId, 0)], null));
      fixture.clock.time += 500;
      await commit(fixture, unit(runId, [failed(runId), endRun(runId, { status: "FAILED", reason: "timeout", output: null })]));
      fixture.clock.time += 500;
      await fixture.ledger.reopenRun(TENANT, `run-${runId}`, "ann");
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ deadlineAt: fixture.clock.time + 500 });
    });

    test("only a FAILED run that nothing has undone is reopened", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const reopen = async (publicId: string, tenant = TENANT) => (await refusal(ledger.reopenRun(tenant, publicId, "ann"))).code;
      const running = await startedRun(fixture);
      const cancelled = await startedRun(fixture);
      await commit(fixture, unit(cancelled, [settleStep(cancelled, 0), endRun(cancelled, { status: "CANCELLED" })]));
      const undone = await failedRun(fixture, (id) => [
        failed(id),
        insertStep(id, 9, { kind: "compensation", path: "first", status: "SUCCEEDED", revision: 3 }),
      ]);
      for (const runId of [running, cancelled, undone]) await expect(reopen(`run-${runId}`)).resolves.toBe("RUN_NOT_FAILED");
      const before = await ledger.loadRun(undone);
      await expect(reopen(`run-${undone}`, "other")).resolves.toBe("RUN_NOT_FOUND");
      await expect(reopen("nobody")).resolves.toBe("RUN_NOT_FOUND");
      await expect(ledger.loadRun(undone)).resolves.toEqual(before);
    });
  });
}

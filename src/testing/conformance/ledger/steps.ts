import { describe, expect, test } from "vitest";
import type { Write } from "../../../ledger/writes.ts";
import { STEP_STATUSES, STEP_TRANSITIONS, type StepStatus } from "../../../model/status.ts";
import { insertStep, insertWait, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, refusal, startedRun, stepOf } from "./kit.ts";

const STORED = STEP_STATUSES.filter((status) => status !== "PENDING");

export function describeSteps(make: MakeLedger): void {
  describe("steps", () => {
    const get = eachCase(make);

    test("S0-22 a step is RUNNING before its result, and its result is stored with SUCCEEDED", async () => {
      const fixture = get();
      const started = fixture.clock.time;
      const runId = await startedRun(fixture);
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "RUNNING", attempt: 1, startedAt: started, output: null });
      fixture.clock.time += 20;
      await commit(fixture, unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { input: '{"a":1}', revision: 2 })]));
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({
        status: "SUCCEEDED",
        output: '{"ok":true}',
        startedAt: started,
        finishedAt: started + 20,
        revision: 2,
      });
      await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ status: "RUNNING", input: '{"a":1}', startedAt: started + 20 });
    });

    for (const from of STORED) {
      for (const to of STORED) {
        const legal = STEP_TRANSITIONS[from].includes(to) || (from === to && (to === "RUNNING" || to === "SUSPENDED"));
        test(`a step may ${legal ? "" : "not "}go from ${from} to ${to}`, async () => {
          const fixture = get();
          const runId = await startedRun(fixture);
          await commit(fixture, unit(runId, [insertStep(runId, 1, { status: from, revision: 2 })]));
          const before = await stepOf(fixture, runId, 1);
          const moved = commit(fixture, unit(runId, [moveStep(runId, 1, to)]));
          if (legal) await expect(moved).resolves.toMatchObject({ outcome: "committed" });
          else expect(await refusal(moved)).toMatchObject({ code: "LEDGER_CONFLICT", data: { unit: 0, runId } });
          const after = await stepOf(fixture, runId, 1);
          if (legal) expect(after).toMatchObject({ status: to, revision: 3 });
          else expect(after).toEqual(before);
        });
      }
    }

    test("a step that settles when it is decided never started", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const skipped = insertStep(runId, 1, { status: "SKIPPED", reason: "branch", attempt: 0, revision: 2 });
      const routed = insertStep(runId, 2, { status: "SUCCEEDED", attempt: 0, output: '{"selected":["a"]}', selected: "[1]", revision: 2 });
      await commit(fixture, unit(runId, [skipped, routed]));
      const { time } = fixture.clock;
      await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ reason: "branch", attempt: 0, startedAt: null, finishedAt: time });
      await expect(stepOf(fixture, runId, 2)).resolves.toMatchObject({ selected: "[1]", output: '{"selected":["a"]}', startedAt: null });
    });

    test.each([
      ["reason", "recovered"],
      ["selected", "[2]"],
      ["output", "1"],
      ["error", '{"code":"A"}'],
      ["input", "{}"],
      ["idempotencyKey", "key-1"],
    ] as const)("the first row of a running step keeps its %s", async (field, value) => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertStep(runId, 1, { [field]: value, revision: 2 })]));
      await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({ status: "RUNNING", [field]: value });
    });

    test("a retry keeps the failed attempt and the first start, and attempts only grow", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const begun = fixture.clock.time;
      fixture.clock.time += 5;
      await commit(
        fixture,
        unit(runId, [
          { write: "suspendStep", runId, ordinal: 0, reason: "retry", failures: 1, output: null, error: '{"code":"A"}', revision: 2 },
          { write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "FAILED", error: '{"code":"A"}', revision: 2 },
          insertWait(runId, 0, { kind: "retry", dueInMs: 100 }),
        ]),
      );
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "SUSPENDED", failures: 1, error: '{"code":"A"}' });
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ waits: [{ ordinal: 0, kind: "retry", dueAt: begun + 105 }] });
      fixture.clock.time += 100;
      const restart = { write: "restartStep", runId, ordinal: 0, reason: null, attempt: 2, revision: 3 } as const;
      await commit(fixture, unit(runId, [{ write: "deleteWait", runId, ordinal: 0 }, restart]));
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({
        status: "RUNNING",
        attempt: 2,
        failures: 1,
        error: null,
        startedAt: begun,
        attemptStartedAt: begun + 105,
      });
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ waits: [] });
      await expect(fixture.ledger.listAttempts(TENANT, `run-${runId}`)).resolves.toEqual([
        {
          runId,
          ordinal: 0,
          attempt: 1,
          status: "FAILED",
          error: '{"code":"A"}',
          revision: 2,
          startedAt: begun,
          finishedAt: begun + 5,
        },
      ]);
      const same = await refusal(commit(fixture, unit(runId, [restart])));
      expect(same).toMatchObject({ code: "LEDGER_CONFLICT", data: { write: "restartStep" } });
      const twice = { write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "LOST", error: null, revision: 4 } as const;
      expect((await refusal(commit(fixture, unit(runId, [twice])))).code).toBe("LEDGER_CONFLICT");
    });

    test("a step has one row: a second start of it is refused", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      expect((await refusal(commit(fixture, unit(runId, [insertStep(runId, 0)])))).code).toBe("LEDGER_CONFLICT");
      expect((await refusal(commit(fixture, unit(runId, [settleStep(runId, 2)])))).code).toBe("LEDGER_CONFLICT");
    });

    test("text of every script, quotes and control characters comes back as it was", async () => {
      const fixture = get();
      const output = JSON.stringify({ text: "naïve 日本語 🎈 'quoted' \"double\" \u0000\u001f", empty: "" });
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [settleStep(runId, 0, { output, error: "" })]));
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ output, error: "" });
    });
  });
}

function moveStep(runId: number, ordinal: number, to: Exclude<StepStatus, "PENDING">): Write {
  const revision = 3;
  if (to === "RUNNING") return { write: "restartStep", runId, ordinal, reason: "recovered", attempt: 2, revision };
  if (to === "SUSPENDED")
    return { write: "suspendStep", runId, ordinal, reason: "retry", failures: 1, output: null, error: null, revision };
  return settleStep(runId, ordinal, { status: to, revision });
}

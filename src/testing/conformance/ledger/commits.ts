import { describe, expect, test } from "vitest";
import { endRun, insertRun, insertStep, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, refusal, runOf, startedRun, stepOf } from "./kit.ts";

export function describeCommits(make: MakeLedger): void {
  describe("commits", () => {
    const get = eachCase(make);

    test("S0-14 S0-16 every change of state is readable as soon as its commit has returned", async () => {
      const fixture = get();
      const seen: string[] = [];
      const look = async () => {
        const steps = await fixture.ledger.listSteps(TENANT, `run-${runId}`);
        seen.push(`${(await runOf(fixture, runId)).status}: ${steps.map((step) => step.status).join(" ")}`);
      };
      const runId = await startedRun(fixture);
      await look();
      for (const ordinal of [0, 1]) {
        const revision = ordinal + 2;
        await commit(fixture, unit(runId, [settleStep(runId, ordinal, { revision }), insertStep(runId, ordinal + 1, { revision })]));
        await look();
      }
      await commit(fixture, unit(runId, [settleStep(runId, 2, { revision: 4 }), endRun(runId, { revision: 4 })]));
      await look();
      expect(seen).toEqual([
        "RUNNING: RUNNING PENDING PENDING",
        "RUNNING: SUCCEEDED RUNNING PENDING",
        "RUNNING: SUCCEEDED SUCCEEDED RUNNING",
        "SUCCEEDED: SUCCEEDED SUCCEEDED SUCCEEDED",
      ]);
    });

    test("a batch is written whole or not at all, and the unit that broke it is named", async () => {
      const fixture = get();
      const [one, two, three] = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      const good = (runId: number) => unit(runId, [settleStep(runId, 0), insertStep(runId, 1, { revision: 2 })]);
      const bad = unit(two, [insertStep(two, 1, { revision: 2 }), settleStep(two, 2)]);
      const error = await refusal(commit(fixture, good(one), bad, good(three)));
      expect(error).toMatchObject({ code: "LEDGER_CONFLICT", data: { unit: 1, runId: two } });
      for (const runId of [one, two, three]) {
        await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "RUNNING" });
        await expect(stepOf(fixture, runId, 1)).resolves.toBeUndefined();
      }
      await expect(commit(fixture, good(one), good(three))).resolves.toMatchObject({ outcome: "committed", missed: [] });
    });

    test("a broken constraint names its unit too", async () => {
      const fixture = get();
      const [one, two] = [await startedRun(fixture), await startedRun(fixture)];
      const clash = unit(two, [insertStep(two, 1, { revision: 2 }), insertStep(two, 1, { revision: 2 })]);
      const error = await refusal(commit(fixture, unit(one, [settleStep(one, 0)]), clash));
      expect(error).toMatchObject({ code: "LEDGER_CONFLICT", data: { unit: 1, runId: two } });
      await expect(stepOf(fixture, one, 0)).resolves.toMatchObject({ status: "RUNNING" });
    });

    test("one time stamps every row of a commit and is told back", async () => {
      const fixture = get();
      const { ledger, version, clock } = fixture;
      const runId = await ledger.reserveRunIds(1);
      clock.time += 1_234;
      const run = insertRun(version.id, runId, { deadlineInMs: 60_000 });
      const outcome = await commit(fixture, unit(runId, [run, insertStep(runId, 0)], null));
      expect(outcome).toEqual({ outcome: "committed", now: clock.time, missed: [], accepted: [] });
      await expect(runOf(fixture, runId)).resolves.toMatchObject({
        createdAt: clock.time,
        startedAt: clock.time,
        deadlineAt: clock.time + 60_000,
      });
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ startedAt: clock.time, attemptStartedAt: clock.time });
    });

    test("time stands still, once told, while the system clock is behind, and goes on after it", async () => {
      const fixture = get();
      const at = fixture.clock.time;
      const runId = await startedRun(fixture);
      fixture.clock.time = at - 3_600_000;
      const nows: number[] = [];
      for (const [revision, back] of [3_600_000, 1_800_000, -7].entries()) {
        fixture.clock.time = at - back;
        const event = { write: "insertEvent", runId, event: "note", detail: null, actor: "test", revision: revision + 2 } as const;
        const outcome = await commit(fixture, unit(runId, [event]));
        if (outcome.outcome === "committed") nows.push(outcome.now);
      }
      expect(nows).toEqual([at, at, at + 7]);
      expect(fixture.warnings).toHaveLength(1);
      expect(fixture.warnings[0]).toContain("3600000 ms");
    });

    test("many runs share one commit", async () => {
      const fixture = get();
      const first = await fixture.ledger.reserveRunIds(300);
      const ids = Array.from({ length: 300 }, (_, index) => first + index);
      await commit(fixture, ...ids.map((runId) => unit(runId, [insertRun(fixture.version.id, runId), insertStep(runId, 0)], null)));
      const outcome = await commit(fixture, ...ids.map((runId) => unit(runId, [settleStep(runId, 0), endRun(runId)])));
      expect(outcome).toMatchObject({ outcome: "committed", missed: [] });
      await expect(fixture.ledger.unfinished(0, 1_000)).resolves.toEqual([]);
    });

    test("an empty batch commits nothing", async () => {
      await expect(commit(get())).resolves.toMatchObject({ outcome: "committed", missed: [] });
    });
  });
}

import { describe, expect, test } from "vitest";
import { insertRun, insertStep, insertWait, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, refusal, startedRun, stepOf } from "./kit.ts";

export function describeScopes(make: MakeLedger): void {
  describe("scopes", () => {
    const get = eachCase(make);
    const at = (runId: number) => ({
      block: insertStep(runId, 1, { kind: "block", status: "SUSPENDED", reason: "steps", output: "[1,2]", revision: 2 }),
      step: (ordinal: number, parent: number, path: string) =>
        insertStep(runId, ordinal, { path, uses: "http", parent, input: "1", revision: 2 }),
      item: (ordinal: number, path: string) =>
        insertStep(runId, ordinal, { kind: "item", path, parent: 1, status: "SUCCEEDED", attempt: 0, output: "7", revision: 3 }),
    });

    test("a step of a scope has a path, an operator and a parent of its own", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const { block, step } = at(runId);
      await commit(fixture, unit(runId, [block, step(4, 3, "second[0].price")]));
      const row = { kind: "step", path: "second[0].price", uses: "http", parent: 3, status: "RUNNING", input: "1", attempt: 1 };
      await expect(stepOf(fixture, runId, 4)).resolves.toMatchObject(row);
      await expect(stepOf(fixture, runId, 1)).resolves.toMatchObject({
        kind: "block",
        path: null,
        output: "[1,2]",
        startedAt: expect.any(Number),
      });
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ kind: "step", path: null, uses: null, parent: null });
    });

    test("a block at work is shown RUNNING, and SUSPENDED with its run", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const { block, step, item } = at(runId);
      await commit(fixture, unit(runId, [block, step(4, 3, "second[0].price"), item(5, "second[1]")]));
      const shown = async () =>
        (await fixture.ledger.listSteps(TENANT, `run-${runId}`)).map((row) => `${row.path} ${row.uses} ${row.status}`);
      await expect(shown()).resolves.toEqual([
        "first transform RUNNING",
        "second transform RUNNING",
        "third transform PENDING",
        "second[0].price http RUNNING",
      ]);
      await commit(
        fixture,
        unit(runId, [{ write: "suspendRun", runId, reason: "timer", ownerEpoch: null, crashes: 0, slots: null, revision: 3 }]),
      );
      expect((await shown())[1]).toBe("second transform SUSPENDED");
    });

    test("S0-32 rows of a scope that has settled are not loaded again, and their ordinals are not used again", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const { block, step, item } = at(runId);
      const nested = insertStep(runId, 8, {
        kind: "block",
        path: "second[1].all",
        parent: 7,
        status: "SUSPENDED",
        reason: "steps",
        revision: 2,
      });
      await commit(fixture, unit(runId, [block, step(4, 3, "second[0].price"), nested, step(10, 9, "second[1].all[0].price")]));
      const loaded = async () => {
        const stored = await fixture.ledger.loadRun(runId);
        return [stored?.steps.map(({ ordinal }) => ordinal), stored?.lastOrdinal];
      };
      await expect(loaded()).resolves.toEqual([[0, 1, 4, 8, 10], 10]);
      await commit(fixture, unit(runId, [settleStep(runId, 4, { revision: 3 }), item(3, "second[0]")]));
      await expect(loaded()).resolves.toEqual([[0, 1, 3, 8, 10], 10]);
      await commit(fixture, unit(runId, [settleStep(runId, 10), insertStep(runId, 9, { kind: "round", parent: 8, status: "SUCCEEDED" })]));
      await expect(loaded()).resolves.toEqual([[0, 1, 3, 8, 9], 10]);
      await commit(fixture, unit(runId, [settleStep(runId, 8), item(7, "second[1]"), settleStep(runId, 1)]));
      await expect(loaded()).resolves.toEqual([[0, 1], 10]);
      await expect(fixture.ledger.loadRun(await startedRun(fixture))).resolves.toMatchObject({ lastOrdinal: 0 });
    });

    test("of the rounds of a loop the last one is loaded, open or not, however many there were", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const { block, step } = at(runId);
      const round = (number: number, more: object) =>
        insertStep(runId, 3 + 2 * number, { kind: "round", path: `second[${number}]`, parent: 1, attempt: 0, revision: 3, ...more });
      const rounds = Array.from({ length: 100 }, (_, number) => [
        round(number, { status: "SUCCEEDED", output: "7" }),
        insertStep(runId, 4 + 2 * number, { path: `second[${number}].price`, parent: 3 + 2 * number, status: "SUCCEEDED", output: "7" }),
      ]);
      const loaded = async () => (await fixture.ledger.loadRun(runId))?.steps.map(({ ordinal }) => ordinal);
      await commit(fixture, unit(runId, [block, ...rounds.flat(), insertWait(runId, 1, { kind: "delay", dueInMs: 9 })]));
      await expect(loaded()).resolves.toEqual([0, 1, 201]);
      const next = [round(100, { status: "SUSPENDED" }), step(204, 203, "second[100].price")];
      await commit(fixture, unit(runId, [{ write: "deleteWait", runId, ordinal: 1 }, ...next]));
      await expect(loaded()).resolves.toEqual([0, 1, 203, 204]);
      // a list at work may have finished items anywhere
      await commit(fixture, unit(runId, [insertStep(runId, 2, { kind: "block", status: "SUSPENDED", reason: "steps" })]));
      await expect(loaded()).resolves.toEqual([0, 1, 2, 203, 204]);
    });

    test("waits, attempts and history name the paths of scopes", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const { block, step, item } = at(runId);
      const lost = { write: "insertAttempt", runId, ordinal: 4, attempt: 1, status: "LOST", error: null, revision: 3 } as const;
      await commit(fixture, unit(runId, [block, step(4, 3, "second[0].price"), insertWait(runId, 4, { kind: "signal", key: "go" })]));
      await commit(fixture, unit(runId, [lost, settleStep(runId, 4, { revision: 4 }), item(3, "second[0]")]));
      await expect(fixture.ledger.waits.listWaits(TENANT, `run-${runId}`)).resolves.toMatchObject([
        { ordinal: 4, path: "second[0].price" },
      ]);
      const history = await fixture.ledger.listHistory(TENANT, `run-${runId}`);
      expect(history.slice(3).map(({ event, step: path }) => `${event} ${path}`)).toEqual([
        "step.started second",
        "step.started second[0].price",
        "attempt.lost second[0].price",
        "item.succeeded second[0]",
        "step.succeeded second[0].price",
      ]);
    });

    test("a checkpoint has its path for itself, other rows need not", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const named = (ordinal: number, kind: "step" | "checkpoint") => insertStep(runId, ordinal, { kind, path: "a" });
      await commit(fixture, unit(runId, [named(10, "step"), named(11, "step"), named(12, "checkpoint")]));
      expect((await refusal(commit(fixture, unit(runId, [named(13, "checkpoint")])))).code).toBe("LEDGER_CONFLICT");
    });

    test("S2-8 the largest ordinal of a run with a large id stands beside the next run's first", async () => {
      const fixture = get();
      const runId = 2 ** 34;
      const next = runId + 1;
      const start = (id: number) => unit(id, [insertRun(fixture.version.id, id), insertStep(id, 0)], null);
      await commit(fixture, start(runId), start(next));
      await commit(fixture, unit(runId, [insertStep(runId, 2 ** 28 - 1, { path: "z", parent: 1 })]));
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({
        lastOrdinal: 2 ** 28 - 1,
        steps: [{ ordinal: 0, runId }, { path: "z" }],
      });
      await expect(fixture.ledger.loadRun(next)).resolves.toMatchObject({ lastOrdinal: 0, steps: [{ ordinal: 0, runId: next }] });
    });

    test("S1-37 a suspended step keeps its partial output until it runs again", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const suspend = {
        write: "suspendStep",
        runId,
        ordinal: 0,
        reason: "signal",
        failures: 0,
        output: '{"page":3}',
        error: null,
        revision: 2,
      } as const;
      await commit(fixture, unit(runId, [suspend]));
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "SUSPENDED", reason: "signal", output: '{"page":3}' });
      await commit(fixture, unit(runId, [settleStep(runId, 0, { output: "1" })]));
      await expect(stepOf(fixture, runId, 0)).resolves.toMatchObject({ status: "SUCCEEDED", output: "1" });
    });
  });
}

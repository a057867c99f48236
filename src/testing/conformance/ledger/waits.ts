import { describe, expect, test } from "vitest";
import type { WaitKind } from "../../../ledger/rows.ts";
import type { InsertRun } from "../../../ledger/writes.ts";
import { insertRun, insertStep, insertWait, parked, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type MakeLedger, parkedRun, refusal, startedRun } from "./kit.ts";

const KINDS: readonly WaitKind[] = ["retry", "no_worker", "timeout", "timer", "delay", "signal", "event", "task", "child"];

export function describeWaits(make: MakeLedger): void {
  describe("waits", () => {
    const get = eachCase(make);

    test.each(KINDS)("S1-38 a wait of kind %s keeps what the engine must know to end it", async (kind) => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const wait = { kind, key: "k", dueInMs: 50, detail: '{"a":1}' } as const;
      await commit(fixture, unit(runId, [insertWait(runId, 0, wait), insertWait(runId, -1, { kind: "timeout" })]));
      const { time } = fixture.clock;
      const row = { runId, ordinal: 0, kind, key: "k", dueAt: time + 50, childRunId: null, detail: '{"a":1}', since: time };
      const { waits } = (await fixture.ledger.loadRun(runId)) ?? {};
      expect(waits).toEqual([{ ...row, ordinal: -1, kind: "timeout", key: null, dueAt: null, detail: null }, row]);
      const { runId: _, ...view } = row;
      const run = { ordinal: -1, path: null, kind: "timeout", dueAt: null };
      await expect(fixture.ledger.waits.listWaits(TENANT, `run-${runId}`)).resolves.toMatchObject([run, { ...view, path: "first" }]);
      await expect(fixture.ledger.waits.listWaits("other", `run-${runId}`)).resolves.toEqual([]);
    });

    test("an absolute due time goes before a delay; a step has one wait", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertWait(runId, 0, { dueAt: 12, dueInMs: 50 })]));
      await expect(fixture.ledger.loadRun(runId)).resolves.toMatchObject({ waits: [{ dueAt: 12 }] });
      expect((await refusal(commit(fixture, unit(runId, [insertWait(runId, 0)])))).code).toBe("LEDGER_CONFLICT");
    });

    test("a run comes once for waits that fall due together, and not while somebody owns it", async () => {
      const fixture = get();
      const runId = await parkedRun(fixture, 5);
      await commit(fixture, unit(runId, [insertWait(runId, 1, { dueInMs: 5 }), insertWait(runId, 2, { dueInMs: 5 })]));
      fixture.clock.time += 5;
      await expect(fixture.ledger.claims.due(undefined, 9)).resolves.toMatchObject([{ runId }]);
      const { epoch } = fixture.owner;
      await commit(
        fixture,
        unit(runId, [{ write: "startRun", runId, reason: null, ownerEpoch: epoch, crashes: 0, deadlineInMs: null, revision: 3 }]),
      );
      await expect(fixture.ledger.claims.due(undefined, 9)).resolves.toEqual([]);
      await expect(fixture.ledger.waits.nextDue()).resolves.toBeNull();
    });

    test("a child is inserted by the commit that suspends its parent's step, and is found from there", async () => {
      const fixture = get();
      const { ledger, version } = fixture;
      const parentId = await startedRun(fixture);
      const childId = await ledger.reserveRunIds(1);
      const parent = { runId: parentId, step: "first", ordinal: 0, depth: 1, rootRunId: parentId };
      const queued: Partial<InsertRun> = { parent, status: "QUEUED", ownerEpoch: null };
      const child = insertRun(version.id, childId, queued);
      await commit(fixture, unit(parentId, [...parked(parentId, { kind: "child", childRunId: childId }), child]));
      const place = { parentRunId: parentId, parentStep: "first", parentOrdinal: 0, depth: 1, rootRunId: parentId };
      await expect(ledger.waits.listChildren(TENANT, `run-${parentId}`)).resolves.toMatchObject([{ publicId: `run-${childId}`, ...place }]);
      await expect(ledger.waits.listChildren("other", `run-${parentId}`)).resolves.toEqual([]);
      await expect(ledger.waits.listChildren(TENANT, `run-${childId}`)).resolves.toEqual([]);
      await expect(ledger.waits.listWaits(TENANT, `run-${parentId}`)).resolves.toMatchObject([
        { kind: "child", childRunId: `run-${childId}` },
      ]);
      await expect(ledger.loadRun(parentId)).resolves.toMatchObject({
        waits: [{ childRunId: childId }],
        run: { depth: 0, rootRunId: null },
      });
      await expect(commit(fixture, unit(childId, [insertStep(childId, 0)]))).resolves.toMatchObject({ missed: [] });
    });
  });
}

import { describe, expect, test } from "vitest";
import type { Write } from "../../../ledger/writes.ts";
import { RUN_STATUSES, RUN_TRANSITIONS, type RunStatus } from "../../../model/status.ts";
import { aQueuedRun, aVersion, endRun, insertRun, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, refusal, runOf, startedRun } from "./kit.ts";

export function describeRuns(make: MakeLedger): void {
  describe("runs", () => {
    const get = eachCase(make);

    test("S0-8 a queued run exists before anything executes, with who asked and what for", async () => {
      const { ledger, version, clock } = get();
      const run = aQueuedRun(version.id, "run-a", { labels: '{"team":"x"}', deadlineInMs: 5_000 });
      await expect(ledger.enqueueRun(run)).resolves.toEqual({ publicId: "run-a", created: true });
      await expect(ledger.getRun(TENANT, "run-a")).resolves.toMatchObject({
        publicId: "run-a",
        workflow: "order",
        version: "1.0",
        status: "QUEUED",
        input: '{"id":7}',
        labels: '{"team":"x"}',
        initiator: "ann",
        trigger: "call",
        environment: "test",
        ownerEpoch: null,
        inboxSeq: 0,
        createdAt: clock.time,
        startedAt: null,
        finishedAt: null,
        deadlineAt: clock.time + 5_000,
      });
    });

    test("a unit may write one run twice: the last word stands, and the first start gives the deadline", async () => {
      const fixture = get();
      const { ledger, version, clock, owner } = fixture;
      await ledger.enqueueRun(aQueuedRun(version.id, "run-twice"));
      const [queued] = (await ledger.claims.admit(owner.epoch, 10)).runs;
      const runId = queued ?? -1;
      const start = { write: "startRun", runId, ownerEpoch: owner.epoch, revision: 2 } as const;
      await commit(
        fixture,
        unit(runId, [
          { ...start, reason: "recovered", crashes: 1, deadlineInMs: 500 },
          { ...start, reason: "compensating", crashes: 2, deadlineInMs: 900 },
        ]),
      );
      await expect(runOf(fixture, runId)).resolves.toMatchObject({
        status: "RUNNING",
        reason: "compensating",
        crashes: 2,
        deadlineAt: clock.time + 500,
      });
    });

    test("a run starts, suspends, resumes and ends, and keeps its first start", async () => {
      const fixture = get();
      const { ledger, version, clock, owner } = fixture;
      await ledger.enqueueRun(aQueuedRun(version.id, "run-a"));
      const [queued] = (await ledger.claims.admit(owner.epoch, 10)).runs;
      const runId = queued ?? -1;
      const begun = clock.time;
      const start = {
        write: "startRun",
        runId,
        reason: null,
        ownerEpoch: owner.epoch,
        crashes: 0,
        deadlineInMs: null,
        revision: 2,
      } as const;
      await commit(fixture, unit(runId, [start]));
      clock.time += 10;
      await commit(
        fixture,
        unit(runId, [{ write: "suspendRun", runId, reason: "retry", ownerEpoch: null, crashes: 0, slots: null, revision: 3 }]),
      );
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "SUSPENDED", reason: "retry", ownerEpoch: null, revision: 3 });
      clock.time += 10;
      await commit(fixture, unit(runId, [{ ...start, reason: "recovered", crashes: 2, revision: 4 }]));
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "RUNNING", reason: "recovered", crashes: 2, startedAt: begun });
      clock.time += 10;
      await commit(fixture, unit(runId, [endRun(runId, { status: "FAILED", reason: "step_failed", output: null, error: '{"code":"X"}' })]));
      await expect(runOf(fixture, runId)).resolves.toMatchObject({
        status: "FAILED",
        reason: "step_failed",
        output: null,
        error: '{"code":"X"}',
        ownerEpoch: null,
        startedAt: begun,
        finishedAt: begun + 30,
      });
    });

    for (const from of RUN_STATUSES) {
      for (const to of ["RUNNING", "SUSPENDED", "SUCCEEDED", "FAILED", "CANCELLED"] as const) {
        const legal = RUN_TRANSITIONS[from].includes(to) || (from === to && (to === "RUNNING" || to === "SUSPENDED"));
        test(`a run may ${legal ? "" : "not "}go from ${from} to ${to}`, async () => {
          const fixture = get();
          const runId = await runIn(fixture, from);
          const before = await runOf(fixture, runId);
          const moved = commit(fixture, unit(runId, [moveRun(runId, to)]));
          if (legal) await expect(moved).resolves.toMatchObject({ outcome: "committed" });
          else expect(await refusal(moved)).toMatchObject({ code: "LEDGER_CONFLICT", data: { unit: 0, runId } });
          const after = await runOf(fixture, runId);
          if (legal) expect(after.status).toBe(to);
          else expect(after).toEqual(before);
        });
      }
    }

    test("a key starts one run per tenant and workflow; another request under it is refused", async () => {
      const { ledger, version } = get();
      const keyed = (publicId: string, hash: string) =>
        ledger.enqueueRun(aQueuedRun(version.id, publicId, { idempotencyKey: "k", idempotencyHash: hash }));
      await expect(keyed("run-a", "h1")).resolves.toEqual({ publicId: "run-a", created: true });
      await expect(keyed("run-b", "h1")).resolves.toEqual({ publicId: "run-a", created: false });
      expect((await refusal(keyed("run-c", "h2"))).code).toBe("IDEMPOTENCY_KEY_REUSED");
      const other = await ledger.putVersion(aVersion({ workflow: "invoice" }));
      const elsewhere = aQueuedRun(other.id, "run-d", { idempotencyKey: "k", idempotencyHash: "h2" });
      await expect(ledger.enqueueRun(elsewhere)).resolves.toMatchObject({ created: true });
      await expect(ledger.findByIdempotencyKey(TENANT, "order", "k")).resolves.toMatchObject({ run: { publicId: "run-a" }, hash: "h1" });
      await expect(ledger.findByIdempotencyKey("other", "order", "k")).resolves.toBeUndefined();
      await expect(ledger.findByIdempotencyKey(TENANT, "order", "unused")).resolves.toBeUndefined();
    });

    test("a second run under a key is refused in a commit too, and a run needs its version", async () => {
      const fixture = get();
      await startedRun(fixture, { idempotencyKey: "k", idempotencyHash: "h" });
      const runId = await fixture.ledger.reserveRunIds(1);
      const again = insertRun(fixture.version.id, runId, { idempotencyKey: "k", idempotencyHash: "h" });
      expect((await refusal(commit(fixture, unit(runId, [again], null)))).code).toBe("LEDGER_CONFLICT");
      expect((await refusal(commit(fixture, unit(runId, [insertRun(999, runId)], null)))).code).toBe("LEDGER_CONFLICT");
      await expect(fixture.ledger.loadRun(runId)).resolves.toBeUndefined();
    });

    test("ids are reserved once each, also when runs are enqueued between", async () => {
      const { ledger, version, owner } = get();
      const first = await ledger.reserveRunIds(5);
      await ledger.enqueueRun(aQueuedRun(version.id, "run-a"));
      const second = await ledger.reserveRunIds(1);
      const [queued] = (await ledger.claims.admit(owner.epoch, 1)).runs;
      expect([queued, second]).toEqual([first + 5, first + 6]);
    });

    test("lists give a tenant its own runs, newest first, by page, status and workflow", async () => {
      const fixture = get();
      const { ledger, version } = fixture;
      const foreign = await ledger.putVersion(aVersion({ tenant: "other" }));
      const invoice = await ledger.putVersion(aVersion({ workflow: "invoice" }));
      for (const publicId of ["a", "b", "c"]) await ledger.enqueueRun(aQueuedRun(version.id, publicId));
      await ledger.enqueueRun(aQueuedRun(foreign.id, "x", { tenant: "other" }));
      await ledger.enqueueRun(aQueuedRun(invoice.id, "d"));
      const running = await startedRun(fixture);
      const names = async (query: Partial<Parameters<typeof ledger.listRuns>[0]>) =>
        (await ledger.listRuns({ tenant: TENANT, limit: 10, ...query })).runs.map((run) => run.publicId);
      await expect(names({})).resolves.toEqual([`run-${running}`, "d", "c", "b", "a"]);
      await expect(names({ tenant: "other" })).resolves.toEqual(["x"]);
      await expect(names({ status: "RUNNING" })).resolves.toEqual([`run-${running}`]);
      await expect(names({ workflow: "invoice" })).resolves.toEqual(["d"]);
      const page = await ledger.listRuns({ tenant: TENANT, limit: 3 });
      expect(page.runs.map((run) => run.publicId)).toEqual([`run-${running}`, "d", "c"]);
      const rest = await ledger.listRuns({ tenant: TENANT, limit: 3, cursor: page.next ?? "" });
      expect([rest.runs.map((run) => run.publicId), rest.next]).toEqual([["b", "a"], undefined]);
      expect((await refusal(ledger.listRuns({ tenant: TENANT, limit: 3, cursor: "?" }))).code).toBe("USAGE");
      await expect(ledger.getRun("other", "a")).resolves.toBeUndefined();
    });
  });
}

/** A run that went to `status` on the shortest legal way. */
async function runIn(fixture: LedgerCase, status: RunStatus): Promise<number> {
  const runId = await startedRun(fixture, status === "QUEUED" ? { status: "QUEUED", ownerEpoch: null } : {});
  if (status !== "QUEUED" && status !== "RUNNING") await commit(fixture, unit(runId, [moveRun(runId, status)]));
  return runId;
}

function moveRun(runId: number, to: Exclude<RunStatus, "QUEUED">): Write {
  if (to === "RUNNING") return { write: "startRun", runId, reason: null, ownerEpoch: 1, crashes: 0, deadlineInMs: null, revision: 5 };
  if (to === "SUSPENDED") return { write: "suspendRun", runId, reason: "retry", ownerEpoch: null, crashes: 0, slots: null, revision: 5 };
  return endRun(runId, { status: to, revision: 5 });
}

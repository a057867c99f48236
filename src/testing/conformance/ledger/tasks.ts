import { describe, expect, test } from "vitest";
import type { TaskDecision, TaskLease, TaskPoll, TaskQuery } from "../../../ledger/port.ts";
import type { InsertTask } from "../../../ledger/writes.ts";
import { parseJson } from "../../../model/json.ts";
import { APPROVAL, endRun, insertTask, settleStep, TENANT, unit, WORK } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, openedAgain, refusal, runOf, startedRun } from "./kit.ts";

/** A run whose first step waits for a task; gives the run's id and the task's. */
async function taskOf(fixture: LedgerCase, change: Partial<InsertTask> = {}): Promise<readonly [number, string]> {
  const runId = await startedRun(fixture);
  const task = insertTask(runId, 0, change);
  await commit(fixture, unit(runId, [task]));
  return [runId, task.publicId];
}

function decision(publicId: string, change: Partial<TaskDecision> = {}): TaskDecision {
  return { tenant: TENANT, publicId, isApproved: true, actor: "ann", comment: null, form: null, ...change };
}

function pollOf(token: string, change: Partial<TaskPoll> = {}): TaskPoll {
  return { tenant: TENANT, topic: "resize", worker: "w1", token, limit: 9, ...change };
}

const leaseOf = (publicId: string, token: string): TaskLease => ({ tenant: TENANT, publicId, token });

async function wakesOf({ ledger }: LedgerCase, runId: number): Promise<readonly unknown[]> {
  const rows = await ledger.waits.listSignals(TENANT, `run-${runId}`);
  return rows.map(({ kind, ordinal, actor, payload }) => ({ kind, ordinal, actor, payload: parseJson(payload ?? "null") }));
}

export function describeApprovals(make: MakeLedger): void {
  describe("approvals", () => {
    const get = eachCase(make);

    test("S1-38 an approval is a row with all that a person must know, for those whom it concerns", async () => {
      const fixture = get();
      const [runId, publicId] = await taskOf(fixture, { task: APPROVAL, expiresInMs: 5_000 });
      const { time } = fixture.clock;
      await expect(fixture.ledger.tasks.get(TENANT, publicId)).resolves.toMatchObject({
        ...APPROVAL,
        publicId,
        runId,
        run: `run-${runId}`,
        step: "first",
        status: "READY",
        topic: null,
        createdAt: time,
        expiresAt: time + 5_000,
        closedAt: null,
      });
      await expect(fixture.ledger.tasks.get("other", publicId)).resolves.toBeUndefined();
    });

    test("a decision closes the task and wakes its step in one transaction", async () => {
      const fixture = get();
      const [runId, publicId] = await taskOf(fixture, { task: APPROVAL });
      const { task, accepted } = await fixture.ledger.tasks.decide(decision(publicId, { comment: "ok", form: { sum: 7 } }));
      const decided = { approved: true, by: "ann", comment: "ok", form: { sum: 7 } };
      expect(task).toMatchObject({ status: "DONE", decidedBy: "ann", closedAt: fixture.clock.time });
      expect(parseJson(task.decision ?? "")).toEqual(decided);
      expect(accepted).toMatchObject({ runId, seq: 1, kind: "task", ordinal: 0 });
      const wake = { kind: "task", ordinal: 0, actor: "ann", payload: { ok: true, payload: decided } };
      await expect(wakesOf(fixture, runId)).resolves.toEqual([wake]);
      await expect(commit(fixture, unit(runId, [settleStep(runId, 0)], 0))).resolves.toMatchObject({ missed: [0] });
      await expect(fixture.ledger.tasks.get(TENANT, publicId)).resolves.toEqual(task);
    });

    test.each([
      ["fail", { ok: false, error: { code: "TASK_REJECTED", data: { approved: false } } }],
      ["continue", { ok: true, payload: { approved: false } }],
    ] as const)("a rejection may fail the step or be its output: %s", async (onReject, payload) => {
      const fixture = get();
      const [runId, publicId] = await taskOf(fixture, { task: { ...APPROVAL, onReject } });
      await fixture.ledger.tasks.decide(decision(publicId, { isApproved: false }));
      expect(await wakesOf(fixture, runId)).toMatchObject([{ payload }]);
    });

    test("of two decisions the first one counts, and the second one hears who won", async () => {
      const fixture = get();
      const [runId, publicId] = await taskOf(fixture, { task: APPROVAL });
      const other = (await openedAgain(fixture)) ?? fixture.ledger;
      const race = await Promise.allSettled([
        fixture.ledger.tasks.decide(decision(publicId)),
        other.tasks.decide(decision(publicId, { isApproved: false, actor: "bob" })),
      ]);
      expect(race.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      const error = await refusal(fixture.ledger.tasks.decide(decision(publicId, { actor: "eve" })));
      const [winner] = race.flatMap((each) => (each.status === "fulfilled" ? [each.value.task.decidedBy] : []));
      expect(error).toMatchObject({ code: "TASK_CLOSED", data: { status: "DONE", by: winner, decision: { by: winner } } });
      expect(await wakesOf(fixture, runId)).toHaveLength(1);
      if (other !== fixture.ledger) await other.close();
    });

    test("after its expiry by the ledger's clock nobody decides, whether or not the engine has noticed", async () => {
      const fixture = get();
      const [runId, publicId] = await taskOf(fixture, { task: APPROVAL, expiresInMs: 1_000 });
      fixture.clock.time += 1_000;
      expect((await refusal(fixture.ledger.tasks.decide(decision(publicId)))).code).toBe("TASK_EXPIRED");
      await commit(fixture, unit(runId, [{ write: "closeTask", runId, ordinal: 0, status: "EXPIRED" }]));
      expect((await refusal(fixture.ledger.tasks.decide(decision(publicId)))).code).toBe("TASK_EXPIRED");
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ inboxSeq: 0 });
    });

    test("a task whose run went on, ended, or is unknown is not decided", async () => {
      const fixture = get();
      const [cancelled, first] = await taskOf(fixture, { task: APPROVAL });
      await commit(fixture, unit(cancelled, [{ write: "closeTask", runId: cancelled, ordinal: 0, status: "CANCELLED" }]));
      expect((await refusal(fixture.ledger.tasks.decide(decision(first)))).code).toBe("TASK_CLOSED");
      const [ended, second] = await taskOf(fixture, { task: APPROVAL });
      await commit(fixture, unit(ended, [settleStep(ended, 0), endRun(ended)]));
      expect((await refusal(fixture.ledger.tasks.decide(decision(second)))).code).toBe("TASK_CLOSED");
      await expect(fixture.ledger.tasks.get(TENANT, second)).resolves.toMatchObject({ status: "READY" });
      const [, work] = await taskOf(fixture);
      for (const publicId of ["nobody", work]) {
        expect((await refusal(fixture.ledger.tasks.decide(decision(publicId)))).code).toBe("TASK_NOT_FOUND");
      }
      expect((await refusal(fixture.ledger.tasks.decide(decision(first, { tenant: "other" })))).code).toBe("TASK_NOT_FOUND");
    });

    test("closing what is decided changes nothing; the next task of the step is another one", async () => {
      const fixture = get();
      const [runId, publicId] = await taskOf(fixture, { task: APPROVAL });
      await fixture.ledger.tasks.decide(decision(publicId));
      const close = { write: "closeTask", runId, ordinal: 0, status: "CANCELLED" } as const;
      await commit(fixture, unit(runId, [close, insertTask(runId, 0, { publicId: "task-2" })], 1));
      const listed = await fixture.ledger.tasks.list({ tenant: TENANT, limit: 9 });
      expect(listed.tasks.map(({ status }) => status)).toEqual(["DONE", "READY"]);
    });

    test("lists give a tenant its tasks, oldest first, by status, topic, run, person and page", async () => {
      const fixture = get();
      const [, mine] = await taskOf(fixture, { task: APPROVAL });
      const [, bobs] = await taskOf(fixture, { task: { ...APPROVAL, assignees: ["bob"], groups: [] } });
      const [run, work] = await taskOf(fixture);
      await taskOf(fixture, { tenant: "other" });
      await fixture.ledger.tasks.decide(decision(bobs));
      const ids = async (query: Partial<TaskQuery>) =>
        (await fixture.ledger.tasks.list({ tenant: TENANT, limit: 9, ...query })).tasks.map((task) => task.publicId);
      await expect(ids({})).resolves.toEqual([mine, bobs, work]);
      await expect(ids({ status: "READY" })).resolves.toEqual([mine, work]);
      await expect(ids({ topic: "resize" })).resolves.toEqual([work]);
      await expect(ids({ runId: `run-${run}` })).resolves.toEqual([work]);
      await expect(ids({ visibleTo: { user: "bob", groups: [] } })).resolves.toEqual([bobs, work]);
      await expect(ids({ visibleTo: { user: "eve", groups: ["sales", "finance"] }, status: "READY" })).resolves.toEqual([mine, work]);
      const page = await fixture.ledger.tasks.list({ tenant: TENANT, limit: 2 });
      expect(page.tasks.map((task) => task.publicId)).toEqual([mine, bobs]);
      await expect(ids({ cursor: page.next ?? "" })).resolves.toEqual([work]);
      expect((await fixture.ledger.tasks.list({ tenant: TENANT, limit: 3 })).next).toBeUndefined();
      expect((await refusal(fixture.ledger.tasks.list({ tenant: TENANT, limit: 3, cursor: "?" }))).code).toBe("USAGE");
    });
  });
}

export function describeWork(make: MakeLedger): void {
  describe("work for others", () => {
    const get = eachCase(make);

    test("S1+23 a worker polls a topic, heartbeats and completes under its token", async () => {
      const fixture = get();
      const { tasks } = fixture.ledger;
      const [runId, publicId] = await taskOf(fixture);
      const start = fixture.clock.time;
      await expect(tasks.poll(pollOf("t0", { topic: "other" }))).resolves.toEqual([]);
      await expect(tasks.poll(pollOf("t0", { tenant: "other" }))).resolves.toEqual([]);
      const claim = { ...WORK, publicId, status: "CLAIMED", attempt: 1, worker: "w1", leaseToken: "t1", leaseUntil: start + 1_000 };
      await expect(tasks.poll(pollOf("t1"))).resolves.toMatchObject([claim]);
      await expect(tasks.poll(pollOf("t2"))).resolves.toEqual([]);
      fixture.clock.time += 999;
      await expect(tasks.heartbeat(leaseOf(publicId, "t1"))).resolves.toMatchObject({ leaseUntil: start + 1_999 });
      fixture.clock.time += 999;
      await expect(tasks.poll(pollOf("t2"))).resolves.toEqual([]);
      const { task, accepted } = await tasks.complete(leaseOf(publicId, "t1"), { width: 3 });
      expect(task).toMatchObject({ status: "DONE", decision: '{"width":3}', decidedBy: "w1", attempt: 1 });
      expect(accepted).toMatchObject({ runId, kind: "task", ordinal: 0 });
      expect(await wakesOf(fixture, runId)).toMatchObject([{ actor: "w1", payload: { ok: true, payload: { width: 3 } } }]);
      expect((await refusal(tasks.complete(leaseOf(publicId, "t1"), 1))).code).toBe("TASK_CLOSED");
    });

    test("S1+22 what a worker does not come back with goes to the next one, whose token is the only good one", async () => {
      const fixture = get();
      const { tasks } = fixture.ledger;
      const [, publicId] = await taskOf(fixture);
      await tasks.poll(pollOf("t1"));
      fixture.clock.time += 1_000;
      await expect(tasks.poll(pollOf("t2", { worker: "w2" }))).resolves.toMatchObject([{ attempt: 2, failures: 1, worker: "w2" }]);
      const old = leaseOf(publicId, "t1");
      const late = [
        () => tasks.heartbeat(old),
        () => tasks.complete(old, 1),
        () => tasks.fail(old, { error: { code: "A", message: "a" }, isRetryable: true }),
      ];
      for (const call of late) expect((await refusal(call())).code).toBe("TASK_LEASE_LOST");
      await expect(tasks.complete(leaseOf(publicId, "t2"), 2)).resolves.toMatchObject({ task: { decision: "2" } });
    });

    test("a worker that is late, but whose work nobody else took, may still complete it", async () => {
      const fixture = get();
      const [, publicId] = await taskOf(fixture);
      await fixture.ledger.tasks.poll(pollOf("t1"));
      fixture.clock.time += 5_000;
      await expect(fixture.ledger.tasks.complete(leaseOf(publicId, "t1"), 1)).resolves.toMatchObject({ task: { status: "DONE" } });
    });

    test("S1+22 work fails, waits for its retry, is dead-lettered after the last one, and is restored by hand", async () => {
      const fixture = get();
      const { tasks } = fixture.ledger;
      const [runId, publicId] = await taskOf(fixture);
      const failure = { error: { code: "GPU", message: "hot" }, isRetryable: true };
      await tasks.poll(pollOf("t1"));
      const error = '{"code":"GPU","message":"hot"}';
      await expect(tasks.fail(leaseOf(publicId, "t1"), failure)).resolves.toMatchObject({ status: "RETRY_WAIT", worker: null, error });
      expect((await refusal(tasks.fail(leaseOf(publicId, "t1"), failure))).code).toBe("TASK_LEASE_LOST");
      fixture.clock.time += 99;
      await expect(tasks.poll(pollOf("t2"))).resolves.toEqual([]);
      fixture.clock.time += 1;
      await expect(tasks.poll(pollOf("t2"))).resolves.toMatchObject([{ attempt: 2, error: null }]);
      expect((await refusal(tasks.restore(TENANT, publicId))).code).toBe("TASK_CLOSED");
      await expect(tasks.fail(leaseOf(publicId, "t2"), failure)).resolves.toMatchObject({ status: "DEAD_LETTER", failures: 2, error });
      fixture.clock.time += 10_000;
      await expect(tasks.poll(pollOf("t3"))).resolves.toEqual([]);
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "RUNNING", inboxSeq: 0 });
      await expect(tasks.restore(TENANT, publicId)).resolves.toMatchObject({ status: "READY", failures: 0, attempt: 2 });
      await expect(tasks.poll(pollOf("t3"))).resolves.toMatchObject([{ attempt: 3 }]);
    });

    test("one work item is claimed by hand, unless a worker has it or it is a dead letter", async () => {
      const fixture = get();
      const { tasks } = fixture.ledger;
      const [, publicId] = await taskOf(fixture);
      await tasks.poll(pollOf("t1"));
      const byHand = leaseOf(publicId, "t2");
      expect((await refusal(tasks.claim(byHand, "ana"))).code).toBe("TASK_LEASE_LOST");
      await tasks.fail(leaseOf(publicId, "t1"), { error: { code: "GPU", message: "hot" }, isRetryable: true });
      await expect(tasks.claim(byHand, "ana")).resolves.toMatchObject({ status: "CLAIMED", worker: "ana", attempt: 2, failures: 1 });
      await tasks.fail(byHand, { error: { code: "BAD", message: "no" }, isRetryable: false });
      expect((await refusal(tasks.claim(byHand, "ana"))).code).toBe("TASK_CLOSED");
      await tasks.restore(TENANT, publicId);
      await tasks.poll(pollOf("t3"));
      fixture.clock.time += 1_000;
      await expect(tasks.claim(byHand, "ana")).resolves.toMatchObject({ attempt: 4, failures: 1 });
      await expect(tasks.complete(byHand, "done")).resolves.toMatchObject({ task: { status: "DONE", decidedBy: "ana" } });
      expect((await refusal(tasks.claim(leaseOf("nothing", "t4"), "ana"))).code).toBe("TASK_NOT_FOUND");
    });

    test("a failure that no retry can help, and a worker that dies with the last attempt, end in the dead letters", async () => {
      const fixture = get();
      const { tasks } = fixture.ledger;
      const [, hopeless] = await taskOf(fixture);
      await tasks.poll(pollOf("t1"));
      const failure = { error: { code: "BAD", message: "no image" }, isRetryable: false };
      await expect(tasks.fail(leaseOf(hopeless, "t1"), failure)).resolves.toMatchObject({ status: "DEAD_LETTER" });
      const [, deadly] = await taskOf(fixture, { task: { ...WORK, maxAttempts: 1 } });
      await tasks.poll(pollOf("t2"));
      fixture.clock.time += 1_000;
      await expect(tasks.poll(pollOf("t3"))).resolves.toEqual([]);
      const dead = await tasks.get(TENANT, deadly);
      expect(dead).toMatchObject({ status: "DEAD_LETTER", worker: null });
      expect(dead?.error).toContain("TASK_LEASE_LOST");
    });

    test("work is given out in the order in which it became available, so much as is asked for, and not after its expiry", async () => {
      const fixture = get();
      const { tasks } = fixture.ledger;
      const [, expiring] = await taskOf(fixture, { expiresInMs: 10 });
      const [, first] = await taskOf(fixture);
      const [, second] = await taskOf(fixture);
      fixture.clock.time += 10;
      const [, third] = await taskOf(fixture);
      const ids = async (token: string, limit: number) => (await tasks.poll(pollOf(token, { limit }))).map((task) => task.publicId);
      await expect(ids("t1", 1)).resolves.toEqual([first]);
      await expect(ids("t2", 9)).resolves.toEqual([second, third]);
      await expect(tasks.get(TENANT, expiring)).resolves.toMatchObject({ status: "READY" });
      expect((await refusal(tasks.complete(leaseOf("nobody", "t1"), 1))).code).toBe("TASK_NOT_FOUND");
    });
  });
}

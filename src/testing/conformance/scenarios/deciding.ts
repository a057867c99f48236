import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../model/json.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const echo: Operator = (input) => input;
const operators = { echo };

const APPROVAL: JsonObject = { title: "Order {{ input.id }}" };

function asking(more: JsonObject, step: JsonObject = {}): JsonObject {
  return {
    name: "asking",
    steps: [
      { id: "review", uses: "approval", with: { ...APPROVAL, ...more }, ...step },
      { id: "ship", uses: "echo", with: { by: "{{ steps.review.output.by ?? 'nobody' }}" } },
    ],
    output: "{{ steps.review.output }}",
  };
}

/** Approvals, work for remote workers, and what a person says after a crash or a failure. */
export function describeDeciding(open: () => Promise<OpenLedger>): void {
  describe("deciding", () => {
    test("S0-24 S0-26 an approval waits for a person, and the decision is its output", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start(asking({ description: "over 1,000", assignees: ["ann"] }), { id: "SO-7" });
      const task = await harness.openTask(id);
      const tasks = await harness.stepwell.tasks();
      expect(await tasks.get(task)).toMatchObject({
        run: id,
        step: "review",
        type: "approval",
        title: "Order SO-7",
        assignees: ["ann"],
        status: "READY",
      });
      expect(await harness.statuses(id)).toEqual({ review: "SUSPENDED", ship: "PENDING" });
      expect(await tasks.approve(task, { by: "ann", comment: "fine" })).toMatchObject({ status: "DONE", decidedBy: "ann" });
      expect(await harness.stepwell.result(id)).toMatchObject({
        status: "SUCCEEDED",
        output: { approved: true, by: "ann", comment: "fine" },
      });
      await harness.stepwell.stop();
    });

    test("a task is decided once: approving again, by a stranger, or after the end, is refused and changes nothing", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start(asking({ assignees: ["ann"], groups: ["finance"] }), { id: 1 });
      const task = await harness.openTask(id);
      const tasks = await harness.stepwell.tasks();
      await expect(tasks.approve(task, { by: "bob" })).rejects.toMatchObject({ code: "TASK_FORBIDDEN" });
      const both = await Promise.allSettled([tasks.approve(task, { by: "bob", groups: ["finance"] }), tasks.reject(task, { by: "ann" })]);
      expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      await expect(tasks.approve(task, { by: "ann" })).rejects.toMatchObject({ code: "TASK_CLOSED" });
      await expect(tasks.approve("nothing", { by: "ann" })).rejects.toMatchObject({ code: "TASK_NOT_FOUND" });
      await harness.stepwell.result(id);
      await harness.stepwell.stop();
    });

    test("a form is checked before it counts", async () => {
      const form = { type: "object", required: ["amount"], properties: { amount: { type: "number" } } };
      const harness = await Harness.on(open, { operators });
      const id = await harness.start(asking({ form }), { id: 1 });
      const task = await harness.openTask(id);
      const tasks = await harness.stepwell.tasks();
      await expect(tasks.approve(task, { by: "ann", form: { amount: "much" } })).rejects.toMatchObject({ code: "TASK_FORM_INVALID" });
      await tasks.approve(task, { by: "ann", form: { amount: 5 } });
      expect((await harness.stepwell.result(id)).output).toMatchObject({ form: { amount: 5 } });
      await harness.stepwell.stop();
    });

    test("a rejection fails the step, or goes on and says so", async () => {
      const harness = await Harness.on(open, { operators });
      const tasks = await harness.stepwell.tasks();
      const strict = await harness.start(asking({}), { id: 1 });
      await tasks.reject(await harness.openTask(strict), { by: "ann", comment: "no" });
      expect(await harness.stepwell.result(strict)).toMatchObject({ status: "FAILED", error: { data: { code: "TASK_REJECTED" } } });
      const lenient = await harness.start(asking({ onReject: "continue" }), { id: 1 });
      await tasks.reject(await harness.openTask(lenient), { by: "ann" });
      expect((await harness.stepwell.result(lenient)).output).toMatchObject({ approved: false, by: "ann" });
      await harness.stepwell.stop();
    });

    test("an approval that nobody gives in time expires, and then nobody can", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start(asking({ expires: "10ms", onTimeout: "continue" }), { id: 1 });
      expect((await harness.stepwell.result(id)).output).toEqual({ timedOut: true });
      const tasks = await harness.stepwell.tasks();
      const [task] = (await tasks.list({ run: id })).tasks;
      expect(task?.status).toBe("EXPIRED");
      await expect(tasks.approve(task?.id ?? "", { by: "ann" })).rejects.toMatchObject({ code: "TASK_EXPIRED" });
      await harness.stepwell.stop();
    });

    test("a cancel closes the tasks of its run", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start(asking({}), { id: 1 });
      const task = await harness.openTask(id);
      await harness.stepwell.cancel(id);
      await harness.stepwell.result(id);
      const tasks = await harness.stepwell.tasks();
      expect((await tasks.get(task))?.status).toBe("CANCELLED");
      await expect(tasks.approve(task, { by: "ann" })).rejects.toMatchObject({ code: "TASK_CLOSED" });
      await harness.stepwell.stop();
    });

    test("S1+22 S1+23 a remote worker polls a topic, and what it completes is the step's result", async () => {
      const harness = await Harness.on(open, { operators });
      const work = { topic: "labels", payload: { parcel: "{{ input.id }}" }, retry: { maxAttempts: 2, delay: "1ms" } };
      const id = await harness.start(
        { name: "work", steps: [{ id: "label", uses: "task", with: work }], output: "{{ steps.label.output }}" },
        { id: "P1" },
      );
      await harness.openTask(id);
      const tasks = await harness.stepwell.tasks();
      expect(await tasks.poll("others", { worker: "w1" })).toEqual([]);
      const [first] = await tasks.poll("labels", { worker: "w1" });
      expect(first).toMatchObject({ payload: { parcel: "P1" }, status: "CLAIMED", attempt: 1, worker: "w1" });
      expect(await tasks.poll("labels", { worker: "w2" })).toEqual([]);
      const token = first?.token ?? "";
      await tasks.heartbeat(first?.id ?? "", token);
      await expect(tasks.complete(first?.id ?? "", "forged", 1)).rejects.toMatchObject({ code: "TASK_LEASE_LOST" });
      await tasks.complete(first?.id ?? "", token, { label: "L" });
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: { label: "L" } });
      await harness.stepwell.stop();
    });

    test("S1+22 work that fails too often is a dead letter until somebody restores it", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start({ name: "dead", steps: [{ id: "w", uses: "task", with: { topic: "t", retry: { maxAttempts: 1 } } }] });
      const task = await harness.openTask(id);
      const tasks = await harness.stepwell.tasks();
      const claim = async (): Promise<string> => (await tasks.poll("t", { worker: "w" }))[0]?.token ?? "";
      expect(await tasks.fail(task, await claim(), new Error("broken"))).toMatchObject({ status: "DEAD_LETTER" });
      expect((await harness.stepwell.get(id))?.steps[0]?.status).toBe("SUSPENDED");
      expect(await tasks.poll("t", { worker: "w" })).toEqual([]);
      expect(await tasks.restore(task)).toMatchObject({ status: "READY" });
      await tasks.complete(task, await claim(), "done");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S3-46 with delivery confirm a person says after a crash whether the step begins again", async () => {
      for (const again of [true, false]) {
        const reopen = await open();
        const gate = new Gate();
        const ledger = await reopen();
        const first = new Harness(ledger, { operators: { pay: gate.operator } });
        const id = await first.start({ name: "confirm", steps: [{ id: "pay", uses: "pay", delivery: "confirm" }] });
        await gate.arrivals(1);
        await ledger.close();
        const attempts: number[] = [];
        const pay: Operator = (_input, { attempt }) => attempts.push(attempt);
        const second = new Harness(await reopen(), { operators: { pay } });
        await second.stepwell.open();
        const task = await second.openTask(id);
        expect(attempts).toEqual([]);
        const tasks = await second.stepwell.tasks();
        if (again) await tasks.approve(task, { by: "ann" });
        else await tasks.reject(task, { by: "ann" });
        const outcome = await second.stepwell.result(id);
        expect(attempts).toEqual(again ? [2] : []);
        expect(again ? outcome.status : outcome.error?.data?.["code"]).toBe(again ? "SUCCEEDED" : "OUTCOME_UNKNOWN");
        await second.stepwell.stop();
      }
    });

    test("a failed run that is tried again repeats what failed and what fell with it, and nothing that succeeded", async () => {
      const calls: string[] = [];
      let broken = true;
      const note: Operator<{ readonly n: string }> = ({ n }) => calls.push(n);
      const flaky: Operator = () => {
        calls.push("flaky");
        if (broken) throw new Error("down");
      };
      const harness = await Harness.on(open, { operators: { note, flaky } });
      const id = await harness.start({
        name: "again",
        steps: [
          { id: "a", uses: "note", with: { n: "a" } },
          { id: "b", uses: "flaky" },
          { id: "c", uses: "note", with: { n: "c" } },
        ],
      });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      broken = false;
      await harness.stepwell.retry(id, "ann");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls).toEqual(["a", "flaky", "flaky", "c"]);
      expect((await harness.stepwell.get(id))?.steps.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
      await expect(harness.stepwell.retry(id)).rejects.toMatchObject({ code: "RUN_NOT_FAILED" });
      await harness.stepwell.stop();
    });

    test("a clean-up that ran because the run failed stays done when the run is tried again", async () => {
      const calls: string[] = [];
      let broken = true;
      const note: Operator<{ readonly n: string }> = ({ n }) => calls.push(n);
      const flaky: Operator = () => {
        if (broken) throw new Error("down");
      };
      const harness = await Harness.on(open, { operators: { note, flaky } });
      const id = await harness.start({
        name: "clean-up",
        onFailure: "stop",
        steps: {
          a: { uses: "flaky" },
          b: { uses: "note", needs: ["a"], with: { n: "b" } },
          clean: { uses: "note", needs: ["b"], join: "settled", with: { n: "clean" } },
        },
      });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect(calls).toEqual(["clean"]);
      broken = false;
      await harness.stepwell.retry(id);
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls).toEqual(["clean", "b"]);
      await harness.stepwell.stop();
    });

    test("a failed run is tried again inside its blocks", async () => {
      const calls: number[] = [];
      let broken = true;
      const work: Operator<{ readonly n: number }> = ({ n }) => {
        calls.push(n);
        if (broken && n === 2) throw new Error("down");
        return n;
      };
      const harness = await Harness.on(open, { operators: { work } });
      const lines = { foreach: "{{ input.list }}", sequential: true, steps: [{ id: "x", uses: "work", with: { n: "{{ item }}" } }] };
      const id = await harness.start({ name: "blocks", steps: { lines }, output: "{{ steps.lines.output }}" }, { list: [1, 2, 3] });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      broken = false;
      await harness.stepwell.retry(id);
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: [1, 2, 3] });
      expect(calls).toEqual([1, 2, 2, 3]);
      const steps = (await harness.stepwell.get(id))?.steps.map(({ id: path, status, attempt }) => `${path} ${status} ${attempt}`);
      expect(steps).toEqual(["lines SUCCEEDED 1", "lines[0].x SUCCEEDED 1", "lines[1].x SUCCEEDED 2", "lines[2].x SUCCEEDED 1"]);
      await harness.stepwell.stop();
    });
  });
}

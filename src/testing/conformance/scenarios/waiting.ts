import { describe, expect, test } from "vitest";
import type { Operator, ResumableOperator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger, slowToRead } from "../../harness.ts";

/** Waits for the signal that its input names, or for what is left of its deadline. */
const waits: Operator<{ readonly name: string; readonly deadline?: string; readonly onTimeout?: "fail" | "continue" }> = (
  input,
  context,
) => {
  const { name, deadline, onTimeout } = input;
  return context.suspend({
    kind: "signal",
    key: name,
    partial: { asked: name },
    ...(deadline === undefined ? {} : { deadline }),
    ...(onTimeout === undefined ? {} : { onTimeout }),
  });
};

const sleeps: Operator<{ readonly for: string }> = (input, context) => context.suspend({ kind: "timer", deadline: input.for });

/** Says what its wake brought, and how often it was called. */
function resumable(calls: string[]): ResumableOperator {
  return {
    execute: (_input, context) => {
      calls.push(`execute ${context.attempt}`);
      return context.suspend({ kind: "signal", key: "go", partial: { kept: 1 } });
    },
    resume: (context, wake, partial) => {
      calls.push(`resume ${context.attempt}`);
      return { wake: { ...wake }, partial };
    },
  };
}

interface EventInput {
  readonly event: string;
  readonly where?: Readonly<Record<string, string | number | boolean>>;
  readonly optional?: boolean;
}

const awaits: Operator<{ readonly mode: "any" | "all"; readonly events: readonly EventInput[] }> = ({ mode, events }, context) =>
  context.suspend({
    kind: "event",
    mode,
    events: events.map(({ event, where = {}, optional = false }) => ({ event, where, optional })),
  });

const operators = { waits, sleeps, awaits, echo: ((input) => input) satisfies Operator };

async function suspended(harness: Harness, step: string): Promise<void> {
  await harness.event((event) => event.type === "step.suspended" && event.step === step);
}

/** Steps that say "not yet": signals, timers, deadlines, pause. */
export function describeWaiting(open: () => Promise<OpenLedger>): void {
  describe("waiting", () => {
    test("S0-24 S0-25 S1-34 a step that suspends is SUSPENDED with what it kept, and a signal is its output", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start({
        name: "signal",
        steps: [
          { id: "ask", uses: "waits", with: { name: "answer" } },
          { id: "use", uses: "echo", with: { got: "{{ steps.ask.output.value }}" } },
        ],
      });
      await harness.event((event) => event.type === "run.suspended");
      expect(await harness.stepwell.get(id)).toMatchObject({
        status: "SUSPENDED",
        reason: "signal",
        steps: [{ id: "ask", status: "SUSPENDED", reason: "signal", output: { asked: "answer" } }, { status: "PENDING" }],
      });
      await harness.stepwell.signal(id, "answer", { value: 42 });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect((await harness.stepwell.get(id))?.steps[1]?.output).toEqual({ got: 42 });
      await harness.stepwell.stop();
    });

    test("S0-26 what follows an unanswered wait has not begun, also in another engine", async () => {
      const reopen = await open();
      const calls: string[] = [];
      const critical: Operator = () => calls.push("critical");
      const first = new Harness(await reopen(), { operators: { ...operators, critical } });
      const id = await first.start({
        name: "critical",
        steps: [
          { id: "ask", uses: "waits", with: { name: "go" } },
          { id: "act", uses: "critical" },
        ],
      });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators: { ...operators, critical } });
      await second.stepwell.open();
      expect(calls).toEqual([]);
      await second.stepwell.signal(id, "go");
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls).toEqual(["critical"]);
      await second.stepwell.stop();
    });

    test("a signal that comes before anybody waits is kept, and signals of one name are used in the order in which they came", async () => {
      const gate = new Gate();
      const harness = await Harness.on(open, { operators: { ...operators, gate: gate.operator } });
      const id = await harness.start({
        name: "early",
        steps: [
          { id: "first", uses: "gate" },
          { id: "one", uses: "waits", with: { name: "n" } },
          { id: "two", uses: "waits", with: { name: "n" } },
        ],
      });
      await gate.arrivals(1);
      await harness.stepwell.signal(id, "n", 1);
      await harness.stepwell.signal(id, "n", 2);
      await harness.stepwell.signal(id, "other", 3);
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect((await harness.stepwell.get(id))?.steps.map(({ output }) => output)).toEqual([{}, 1, 2]);
      await harness.stepwell.stop();
    });

    test("a signal sent twice under one id is one signal; two without an id are two", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start({
        name: "dedupe",
        steps: [
          { id: "one", uses: "waits", with: { name: "n" } },
          { id: "two", uses: "waits", with: { name: "n" } },
        ],
      });
      await harness.stepwell.signal(id, "n", "a", { id: "k1" });
      await harness.stepwell.signal(id, "n", "again", { id: "k1" });
      await suspended(harness, "two");
      await harness.stepwell.signal(id, "n", "again", { id: "k1" });
      expect((await harness.stepwell.get(id))?.steps[1]?.status).toBe("SUSPENDED");
      await harness.stepwell.signal(id, "n", "b");
      await harness.stepwell.result(id);
      expect((await harness.stepwell.get(id))?.steps.map(({ output }) => output)).toEqual(["a", "b"]);
      await expect(harness.stepwell.signal(id, "n", "c")).rejects.toMatchObject({ code: "RUN_FINISHED" });
      await expect(harness.stepwell.signal("nobody", "n")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
      await harness.stepwell.stop();
    });

    test("parallel waits are woken in any order while siblings run", async () => {
      const gate = new Gate();
      const harness = await Harness.on(open, { operators: { ...operators, gate: gate.operator } });
      const id = await harness.start({
        name: "parallel",
        steps: {
          a: { uses: "waits", with: { name: "a" } },
          b: { uses: "waits", with: { name: "b" } },
          work: { uses: "gate" },
          join: { uses: "echo", with: { a: "{{ steps.a.output }}", b: "{{ steps.b.output }}" }, needs: ["work"] },
        },
      });
      await gate.arrivals(1);
      await suspended(harness, "b");
      await harness.stepwell.signal(id, "b", "B");
      await harness.event((event) => event.type === "step.settled" && event.step === "b");
      expect((await harness.stepwell.get(id))?.status).toBe("RUNNING");
      gate.open();
      await harness.event((event) => event.type === "run.suspended");
      await harness.stepwell.signal(id, "a", "A");
      await harness.stepwell.result(id);
      expect((await harness.stepwell.get(id))?.steps[3]?.output).toEqual({ a: "A", b: "B" });
      await harness.stepwell.stop();
    });

    test("S1-35 a deadline ends a wait: it fails with WAIT_TIMEOUT, or succeeds and says so", async () => {
      const harness = await Harness.on(open, { operators });
      const late = await harness.run({ name: "late", steps: [{ id: "ask", uses: "waits", with: { name: "x", deadline: "5ms" } }] });
      expect(late).toMatchObject({ status: "FAILED", error: { data: { step: "ask", code: "WAIT_TIMEOUT" } } });
      const goesOn = await harness.run({
        name: "goes-on",
        steps: [{ id: "ask", uses: "waits", with: { name: "x", deadline: "5ms", onTimeout: "continue" } }],
        output: "{{ steps.ask.output }}",
      });
      expect(goesOn).toMatchObject({ status: "SUCCEEDED", output: { timedOut: true } });
      await harness.stepwell.stop();
    });

    test("a signal that came in time counts although the ledger's later time was heard of first", async () => {
      const ledger = await (await open())();
      const slow = slowToRead(ledger);
      const harness = new Harness(slow.ledger, { operators });
      const id = await harness.start({
        name: "heard-late",
        steps: {
          ask: { uses: "waits", with: { name: "answer", deadline: "1h", onTimeout: "continue" } },
          other: { uses: "waits", with: { name: "other" } },
          last: { uses: "waits", with: { name: "last" } },
        },
        output: "{{ steps.ask.output }}",
      });
      await harness.event((event) => event.type === "run.suspended");
      slow.isSlow = true;
      const other = harness.stepwell.signal(id, "other");
      await slow.reading.arrivals(1);
      await harness.stepwell.signal(id, "answer", "in time");
      slow.aheadMs = 2 * 3_600_000;
      slow.reading.open();
      await other;
      await harness.stepwell.signal(id, "last");
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: "in time" });
      await harness.stepwell.stop();
    });

    test("what is sent to a run while it is read back is not lost, although nothing of the run is to be written", async () => {
      const slow = slowToRead(await (await open())());
      const harness = new Harness(slow.ledger, { operators });
      const both = { mode: "all", events: [{ event: "first" }, { event: "second" }] };
      const steps = { one: { uses: "waits", with: { name: "one" } }, both: { uses: "awaits", with: both } };
      const id = await harness.start({ name: "read-back", steps });
      await harness.event((event) => event.type === "run.suspended");
      await harness.stepwell.signal(id, "one");
      while (harness.events.filter(({ type }) => type === "run.suspended").length < 2)
        await new Promise<void>((resolve) => void harness.stepwell.listen(() => resolve()));
      // nobody waits for it, so that the run hears of the next one and reads what it has missed
      await harness.stepwell.signal(id, "nobody");
      slow.isSlow = true;
      const first = harness.stepwell.publish("first", {});
      await slow.reading.arrivals(1);
      await harness.stepwell.publish("second", {});
      slow.reading.open();
      await first;
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S1-32 a timer ends a step, never early, also while nobody holds the run in memory", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators });
      const id = await first.start({ name: "timer", steps: [{ id: "pause", uses: "sleeps", with: { for: "30ms" } }] });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      const step = (await second.stepwell.get(id))?.steps[0];
      expect(Date.parse(step?.finishedAt ?? "") - Date.parse(step?.startedAt ?? "")).toBeGreaterThanOrEqual(30);
      await second.stepwell.stop();
    });

    test("S1+2 an operator with resume is called with the wake and what it kept, in the same attempt", async () => {
      const calls: string[] = [];
      const harness = await Harness.on(open, { operators: { resumable: resumable(calls) } });
      const id = await harness.start({ name: "resume", steps: [{ id: "ask", uses: "resumable" }], output: "{{ steps.ask.output }}" });
      await suspended(harness, "ask");
      await harness.stepwell.signal(id, "go", { n: 7 });
      expect((await harness.stepwell.result(id)).output).toEqual({
        wake: { kind: "signal", key: "go", payload: { n: 7 } },
        partial: { kept: 1 },
      });
      expect(calls).toEqual(["execute 1", "resume 1"]);
      await harness.stepwell.stop();
    });

    test("a crash while an operator resumes calls resume again, with the same wake", async () => {
      const reopen = await open();
      const calls: string[] = [];
      const gate = new Gate();
      const stuck: ResumableOperator = { ...resumable(calls), resume: (context) => gate.operator({}, context) };
      const ledger = await reopen();
      const first = new Harness(ledger, { operators: { resumable: stuck } });
      const id = await first.start({ name: "again", steps: [{ id: "ask", uses: "resumable" }], output: "{{ steps.ask.output.wake }}" });
      await suspended(first, "ask");
      await first.stepwell.signal(id, "go", "only once");
      await gate.arrivals(1);
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { resumable: resumable(calls) } });
      expect((await second.stepwell.result(id)).output).toEqual({ kind: "signal", key: "go", payload: "only once" });
      expect(calls).toEqual(["execute 1", "resume 2"]);
      await second.stepwell.stop();
    });

    test("S0-27 S0-28 a cancel ends what waits", async () => {
      const harness = await Harness.on(open, { operators });
      const id = await harness.start({
        name: "cancelled",
        steps: [
          { id: "ask", uses: "waits", with: { name: "never" } },
          { id: "then", uses: "echo" },
        ],
      });
      await harness.event((event) => event.type === "run.suspended");
      await harness.stepwell.cancel(id);
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      expect((await harness.stepwell.get(id))?.steps.map(({ status, reason }) => [status, reason])).toEqual([
        ["CANCELLED", "run_cancelled"],
        ["SKIPPED", "run_cancelled"],
      ]);
      await harness.stepwell.stop();
    });

    test("a paused run starts nothing and wakes nothing; what came meanwhile acts after it is resumed", async () => {
      const gate = new Gate();
      const harness = await Harness.on(open, { operators: { ...operators, gate: gate.operator } });
      const id = await harness.start({
        name: "paused",
        steps: {
          work: { uses: "gate" },
          next: { uses: "echo", needs: ["work"], with: { n: 1 } },
          ask: { uses: "waits", with: { name: "s" } },
          nap: { uses: "sleeps", with: { for: "200ms" } },
        },
      });
      await gate.arrivals(1);
      await suspended(harness, "nap");
      await harness.stepwell.pause(id, "ann");
      await harness.stepwell.signal(id, "s", "kept");
      gate.open();
      await harness.event((event) => event.type === "run.suspended");
      // begun later, and longer
      await harness.run({ name: "longer", steps: { nap: { uses: "sleeps", with: { for: "250ms" } } } });
      expect(await harness.stepwell.get(id)).toMatchObject({ status: "SUSPENDED", reason: "paused" });
      expect(await harness.statuses(id)).toEqual({ work: "SUCCEEDED", next: "PENDING", ask: "SUSPENDED", nap: "SUSPENDED" });
      await harness.stepwell.resume(id, "ann");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect((await harness.stepwell.get(id))?.steps[2]?.output).toBe("kept");
      await harness.stepwell.stop();
    });

    test("S1-33 a step waits for a correlated event; one that came before is kept for it, and each event counts once", async () => {
      const harness = await Harness.on(open, { operators });
      const paid = (orderId: string, id: string) => ({
        id,
        uses: "awaits",
        with: { mode: "any", events: [{ event: "paid", where: { orderId } }] },
      });
      const id = await harness.start({ name: "events", steps: [paid("A", "first"), paid("B", "second")] });
      await suspended(harness, "first");
      expect(await harness.stepwell.publish("paid", { orderId: "B", n: 2 })).toEqual({ delivered: 0, kept: true, duplicate: false });
      expect(await harness.stepwell.publish("paid", { orderId: "A", n: 1 }, { id: "e1" })).toMatchObject({ delivered: 1, kept: false });
      expect(await harness.stepwell.publish("paid", { orderId: "A", n: 1 }, { id: "e1" })).toMatchObject({ delivered: 0, duplicate: true });
      await harness.stepwell.result(id);
      expect((await harness.stepwell.get(id))?.steps.map(({ output }) => output)).toMatchObject([
        { event: "paid", id: "e1", data: { orderId: "A", n: 1 } },
        { event: "paid", data: { orderId: "B", n: 2 } },
      ]);
      await harness.stepwell.stop();
    });

    test("a step that waits for all of several events goes on with the last of them, without the optional ones", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators });
      const events = [{ event: "a" }, { event: "b", where: { k: 1 } }, { event: "c", optional: true }];
      const id = await first.start({
        name: "all",
        steps: [{ id: "ask", uses: "awaits", with: { mode: "all", events } }],
        output: "{{ steps.ask.output }}",
      });
      await suspended(first, "ask");
      await first.stepwell.publish("b", { k: 1 });
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators });
      await second.stepwell.publish("a", { x: true });
      expect((await second.stepwell.result(id)).output).toMatchObject([{ data: { x: true } }, { data: { k: 1 } }, null]);
      await second.stepwell.stop();
    });

    test("a pause outlives its engine", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators });
      const id = await first.start({
        name: "held",
        steps: [
          { id: "nap", uses: "sleeps", with: { for: "10s" } },
          { id: "end", uses: "echo" },
        ],
      });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.pause(id);
      await first.event((event) => event.type === "run.suspended" && event.reason === "paused");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators });
      await second.stepwell.open();
      expect(await second.stepwell.get(id)).toMatchObject({ status: "SUSPENDED", reason: "paused" });
      await second.stepwell.resume(id);
      await second.stepwell.cancel(id);
      expect((await second.stepwell.result(id)).status).toBe("CANCELLED");
      await second.stepwell.stop();
    });
  });
}

import { describe, expect, test } from "vitest";
import { StepwellError } from "../../../model/errors.ts";
import type { Operator, OperatorContext, ResumableOperator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

const echo: Operator = (input) => input;
const asks: Operator<{ readonly name: string }> = ({ name }, context) => context.suspend({ kind: "signal", key: name });
const sleeps: Operator<{ readonly for: string }> = (input, context) => context.suspend({ kind: "timer", deadline: input.for });

/** Tells what its wake was; `work` comes between. */
function told(work: (context: OperatorContext) => unknown): ResumableOperator {
  return {
    execute: (_input, context) => context.suspend({ kind: "signal", key: "go", partial: "kept" }),
    resume: async (context, wake, partial) => {
      await work(context);
      return { wake: { ...wake }, partial };
    },
  };
}

const operators = { echo, asks, sleeps };
const GO = { wake: { kind: "signal", key: "go", payload: 7 }, partial: "kept" };

/** What the simulation found: races of waits with cancels, crashes, slots and a busy ledger. */
export function describePersisting(open: () => Promise<OpenLedger>): void {
  describe("persisting", () => {
    test("a cancel and a signal that are read together: the cancel comes first, and the waiting step is not woken", async () => {
      const reopen = await open();
      const calls: string[] = [];
      const hold = told(() => calls.push("resumed"));
      const first = new Harness(await reopen(), { operators: { ...operators, hold } });
      const id = await first.start({
        name: "both",
        steps: {
          hold: { uses: "hold" },
          ask: { uses: "asks", with: { name: "s" } },
        },
      });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const ledger = await reopen();
      const entry = { tenant: "default", publicId: id, payload: 7, actor: "test" } as const;
      await ledger.accept({ ...entry, kind: "signal", name: "go" });
      await ledger.accept({ ...entry, kind: "signal", name: "s" });
      await ledger.accept({ ...entry, kind: "cancel", payload: null });
      const second = new Harness(ledger, { operators: { ...operators, hold } });
      expect((await second.stepwell.result(id)).status).toBe("CANCELLED");
      expect(await second.statuses(id)).toEqual({ hold: "CANCELLED", ask: "CANCELLED" });
      expect(calls).toEqual([]);
      await second.stepwell.stop();
    });

    test("what woke an operator stays what it was while the operator waits for a slot", async () => {
      const gate = new Gate();
      const hold = told(() => undefined);
      const harness = await Harness.on(open, { operators: { ...operators, gate: gate.operator, hold }, concurrency: { steps: 1 } });
      const id = await harness.start({ name: "slot", steps: { hold: { uses: "hold" } }, output: "{{ steps.hold.output }}" });
      await harness.event((event) => event.type === "run.suspended");
      const other = await harness.start({
        name: "other",
        steps: { nap: { uses: "sleeps", with: { for: "60ms" } }, work: { uses: "gate" } },
      });
      await gate.arrivals(1);
      await harness.stepwell.signal(id, "go", 7);
      // what is due at once has been looked at when this is
      await harness.event((event) => event.type === "step.settled" && event.step === "nap");
      gate.open();
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: GO });
      await harness.stepwell.result(other);
      await harness.stepwell.stop();
    });

    test("an operator that failed when it was told of its wake is told again, also after a crash in between", async () => {
      const reopen = await open();
      const gate = new Gate();
      const ledger = await reopen();
      const failsOnce = (context: OperatorContext): unknown =>
        context.attempt === 1 ? Promise.reject(new Error("not yet")) : gate.operator({}, context);
      const first = new Harness(ledger, { operators: { hold: told(failsOnce) } });
      const retry = { strategy: "fixed", maxAttempts: 3, initialDelay: 1, maxDelay: 1 };
      const id = await first.start({ name: "again", steps: { hold: { uses: "hold", retry } }, output: "{{ steps.hold.output }}" });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.signal(id, "go", 7);
      await gate.arrivals(1);
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { hold: told(() => undefined) } });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: GO });
      await second.stepwell.stop();
    });

    test("a run whose next step waits for a slot is found after a crash", async () => {
      const reopen = await open();
      const gate = new Gate();
      const ledger = await reopen();
      const first = new Harness(ledger, { operators: { ...operators, gate: gate.operator }, concurrency: { steps: 1 } });
      const id = await first.start({
        name: "next",
        steps: [
          { id: "ask", uses: "asks", with: { name: "s" } },
          { id: "end", uses: "echo", with: { n: 1 } },
        ],
      });
      await first.event((event) => event.type === "run.suspended");
      await first.start({ name: "other", steps: { work: { uses: "gate" } } });
      await gate.arrivals(1);
      await first.stepwell.signal(id, "s");
      await first.event((event) => event.type === "step.settled" && event.step === "ask");
      await ledger.close();
      gate.open();
      const second = new Harness(await reopen(), { operators: { ...operators, gate: gate.operator } });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      await second.stepwell.stop();
    });

    test("a run that waited for something soon, and then for something late, is parked for the ledger as well", async () => {
      const reopen = await open();
      const ledger = await reopen();
      const harness = new Harness(ledger, { operators });
      const id = await harness.start({
        name: "soon",
        steps: { late: { uses: "sleeps", with: { for: "1h" } }, soon: { uses: "sleeps", with: { for: "1ms" } } },
      });
      await harness.event((event) => event.type === "step.settled" && event.step === "soon");
      await harness.event((event) => event.type === "run.suspended");
      await harness.stepwell.stop();
      const again = await reopen();
      expect(await again.getRun("default", id)).toMatchObject({ status: "SUSPENDED", ownerEpoch: null });
      expect(await again.waits.nextDue()).toBeGreaterThan(0);
      await again.close();
    });

    test("a ledger that is busy when a child is to be started is asked again, and the step does not fail of it", async () => {
      const reopen = await open();
      const ledger = await reopen();
      let refusals = 0;
      const harness = new Harness(
        interposed(ledger, {
          reserveRunIds: async (count) => {
            if (count === 1 || refusals++ > 0) return ledger.reserveRunIds(count);
            throw new StepwellError("LEDGER_BUSY", "not now");
          },
        }),
        { operators },
      );
      await harness.stepwell.open();
      await harness.stepwell.register({ name: "inner", steps: { x: { uses: "echo" } }, output: 3 });
      refusals = 1;
      const id = await harness.start({
        name: "outer",
        steps: { call: { uses: "workflow", with: { name: "inner" } } },
        output: "{{ steps.call.output }}",
      });
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: 3 });
      await harness.stepwell.stop();
    });
  });
}

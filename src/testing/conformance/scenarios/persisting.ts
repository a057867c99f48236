import { describe, expect, test } from "vitest";
import { systemClock } from "../../../engine/system-clock.ts";
import type { Ledger } from "../../../ledger/port.ts";
import type { Write } from "../../../ledger/writes.ts";
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
/** Where nobody reads what an operator is told. */
const NO_CONTEXT: OperatorContext = Object.create(null);

/** A ledger that holds up the first commit with a certain write until the gate opens. */
function holdingUp(ledger: Ledger, isMeant: (write: Write) => boolean): { readonly ledger: Ledger; readonly held: Gate } {
  const held = new Gate();
  let isOver = false;
  const commit: Ledger["commit"] = async (batch) => {
    if (!isOver && batch.units.some(({ writes }) => writes.some(isMeant))) {
      isOver = true;
      await held.operator(null, NO_CONTEXT);
    }
    return ledger.commit(batch);
  };
  return { held, ledger: interposed(ledger, { commit }) };
}
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

    test("a run stays in memory until the commit that parks it has come back", async () => {
      const { ledger, held } = holdingUp(await (await open())(), ({ write }) => write === "suspendRun");
      const harness = new Harness(ledger, { operators });
      const id = await harness.start({ name: "asking", steps: { ask: { uses: "asks", with: { name: "s" } } } });
      await held.arrivals(1);
      // with each the engine looks at every run, and for those that a dead one left
      for (const name of ["one", "other"]) {
        await harness.stepwell.register({ definition: { name, steps: { a: { uses: name } } }, operators: { [name]: echo } });
        await new Promise<void>((resolve) => systemClock.soon(resolve));
      }
      held.open();
      await harness.event((event) => event.type === "run.suspended");
      await harness.stepwell.signal(id, "s");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(harness.events.filter(({ type }) => type === "run.recovered")).toEqual([]);
      await harness.stepwell.stop();
    });

    test("a run that is let go just as it comes to rest is not parked while it has more to do", async () => {
      const reopen = await open();
      const real = await reopen();
      const crashed = Promise.withResolvers<void>();
      const [busy, near] = [new Gate(), new Gate()];
      const nap: Operator = async (_input, context) => {
        await near.operator(null, context);
        return context.suspend({ kind: "timer", deadline: "1h" });
      };
      const ledger = interposed(real, {
        commit: async (batch) => {
          const outcome = await real.commit(batch);
          if (!batch.units.some(({ writes }) => writes.some((write) => write.write === "pauseRun" && write.pausedBy === null)))
            return outcome;
          await real.close();
          crashed.resolve();
          return new Promise(() => undefined);
        },
      });
      const first = new Harness(ledger, { operators: { echo, nap, busy: busy.operator } });
      const steps = { nap: { uses: "nap" }, busy: { uses: "busy" }, next: { needs: ["busy"], uses: "echo" } };
      const id = await first.start({ name: "resting", steps });
      await Promise.all([busy.arrivals(1), near.arrivals(1)]);
      await first.stepwell.pause(id);
      busy.open();
      await first.event((event) => event.type === "step.settled" && event.step === "busy");
      await first.stepwell.resume(id);
      near.open();
      await crashed.promise;
      const second = new Harness(await reopen(), { operators: { echo, nap, busy: busy.operator } });
      await second.stepwell.open();
      await second.event((event) => event.type === "step.settled" && event.step === "next");
      expect(await second.statuses(id)).toEqual({ nap: "SUSPENDED", busy: "SUCCEEDED", next: "SUCCEEDED" });
      await second.stepwell.stop();
    });

    test("the delay before another attempt counts from the commit of the failure, also when the operator failed within its call", async () => {
      const delayMs = 20;
      const real = await (await open())();
      let hasFailed = false;
      const ledger = interposed(real, {
        commit: async (batch) => {
          if (hasFailed) await new Promise<void>((resolve) => void systemClock.setTimer(2 * delayMs, resolve));
          hasFailed = false;
          return real.commit(batch);
        },
      });
      const falls: ResumableOperator = {
        execute: (_input, context) => context.suspend({ kind: "signal", key: "go" }),
        resume: ({ attempt }) => {
          hasFailed = attempt === 1;
          if (hasFailed) throw new Error("not yet");
        },
      };
      const gate = new Gate();
      const harness = new Harness(ledger, { operators: { gate: gate.operator, falls } });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: delayMs, jitter: 0 };
      const id = await harness.start({
        name: "falling",
        steps: [
          { id: "before", uses: "gate" },
          { id: "falls", uses: "falls", retry },
        ],
      });
      await gate.arrivals(1);
      // it is there when the step comes to wait for it: suspension, wake and start are one commit
      await harness.stepwell.signal(id, "go");
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      const [failed] = await real.listAttempts("default", id);
      const step = (await real.listSteps("default", id)).at(-1);
      expect((step?.finishedAt ?? 0) - (failed?.finishedAt ?? 0)).toBeGreaterThanOrEqual(delayMs);
      await harness.stepwell.stop();
    });

    test("a step whose fallback is being evaluated is not taken for one that was held", async () => {
      const reopen = await open();
      const first = new Harness(await reopen());
      const id = await first.start({
        name: "standing-in",
        steps: { ask: { uses: "approval", with: { title: "Well?" }, fallback: "{{ $sum([1..100].($ * 2)) }}" } },
        output: "{{ steps.ask.output }}",
      });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const ledger = await reopen();
      const { tasks } = await ledger.tasks.list({ tenant: "default", runId: id, limit: 1 });
      for (const { publicId } of tasks)
        await ledger.tasks.decide({ tenant: "default", publicId, isApproved: false, actor: "ann", comment: null, form: null });
      const second = new Harness(ledger);
      expect(await second.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: 10_100 });
      expect(second.events.filter(({ type }) => type === "step.started")).toEqual([]);
      await second.stepwell.stop();
    });

    test("a cancelled run whose grace is over while it is being read back ends once", async () => {
      const real = await (await open())();
      const reading = new Gate();
      const ledger = interposed(real, {
        loadRun: async (runId) => {
          await reading.operator(null, NO_CONTEXT);
          return real.loadRun(runId);
        },
      });
      const stuck = new Gate();
      const harness = new Harness(ledger, { operators: { sleeps, stuck: stuck.operator }, cancelGraceMs: 150 });
      const id = await harness.start({ name: "stuck", steps: { a: { uses: "stuck" } } });
      await stuck.arrivals(1);
      await harness.stepwell.cancel(id);
      await real.accept({ tenant: "default", publicId: id, kind: "cancel", payload: null, actor: "somebody beside the engine" });
      await harness.stepwell.cancel(id);
      await reading.arrivals(1);
      // begun after the grace, and longer
      await harness.run({ name: "nap", steps: { nap: { uses: "sleeps", with: { for: "200ms" } } } });
      reading.open();
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      expect(await harness.statuses(id)).toEqual({ a: "CANCELLED" });
      await harness.stepwell.stop();
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

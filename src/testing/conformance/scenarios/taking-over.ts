import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../model/json.ts";
import type { Operator, ResumableOperator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

const TENANT = "default";
const NEVER = (): Promise<never> => new Promise(() => undefined);

/** A step that waits for a moment, and whose `resume` is what kills. */
function afterWaiting(work: Operator): ResumableOperator {
  return {
    execute: (_input, context) => context.suspend({ kind: "timer", deadline: 1 }),
    resume: (context) => work({}, context),
  };
}

/** Three engines die, one after the other, while steps of one run execute. */
async function dieThreeTimes(
  reopen: OpenLedger,
  steps: JsonObject,
  deadly: (work: Operator) => Operator | ResumableOperator = (work) => work,
): Promise<string> {
  let id = "";
  for (let death = 0; death < 3; death++) {
    const gate = new Gate();
    const ledger = await reopen();
    const operators = { deadly: deadly(gate.operator), fine: () => 1, late: () => 2 };
    const harness = new Harness(ledger, { operators, concurrency: { steps: 1 } });
    if (death === 0) id = await harness.start({ name: "deadly", steps });
    else await harness.stepwell.open();
    await gate.arrivals(1);
    await ledger.close();
  }
  return id;
}

/** What the next engine does with a run that the one before it left in the middle. */
export function describeTakingOver(open: () => Promise<OpenLedger>): void {
  describe("taking over", () => {
    test("S1-41 S0-14 a signal that comes before the first commit of the taking over does not make the run forget its lost steps", async () => {
      const reopen = await open();
      const gate = new Gate();
      const first = await reopen();
      const id = await new Harness(first, { operators: { act: gate.operator } }).start({ name: "left", steps: { a: { uses: "act" } } });
      await gate.arrivals(1);
      await first.close();
      const real = await reopen();
      let isFirst = true;
      const ledger = interposed(real, {
        commit: async (batch) => {
          if (isFirst) {
            isFirst = false;
            await real.accept({ tenant: TENANT, publicId: id, kind: "cancel", payload: null, actor: "ann" });
          }
          return real.commit(batch);
        },
      });
      const harness = new Harness(ledger, { operators: { act: NEVER } });
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      await harness.stepwell.stop();
    });

    test("S1-41 a run that waited succeeds also when nothing that is left of it has to start", async () => {
      const reopen = await open();
      const gate = new Gate();
      const harness = new Harness(await reopen(), { operators: { act: gate.operator } });
      const steps = { a: { uses: "act" }, b: { needs: ["a"], when: "{{ input.no }}", uses: "act" } };
      const id = await harness.start({ name: "rest", steps }, { no: false });
      await gate.arrivals(1);
      const stopped = harness.stepwell.stop();
      gate.open();
      await stopped;
      const next = new Harness(await reopen(), { operators: { act: NEVER } });
      expect((await next.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(await next.statuses(id)).toEqual({ a: "SUCCEEDED", b: "SKIPPED" });
      await next.stepwell.stop();
    });

    test("nothing of a run that is held starts, and all of it goes on once it is let go", async () => {
      const reopen = await open();
      const id = await dieThreeTimes(reopen, { a: { uses: "deadly" }, b: { uses: "fine" }, c: { needs: ["b"], uses: "late" } });
      const calls: string[] = [];
      const called = (name: string) => () => void calls.push(name);
      const harness = new Harness(await reopen(), { operators: { deadly: called("deadly"), fine: called("fine"), late: called("late") } });
      await harness.stepwell.open();
      await harness.event((event) => event.type === "run.suspended");
      expect(await harness.stepwell.get(id)).toMatchObject({ status: "SUSPENDED", reason: "quarantined" });
      expect(calls).toEqual([]);
      await harness.stepwell.resume(id, "ann");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls.toSorted()).toEqual(["deadly", "fine", "late"]);
      await harness.stepwell.stop();
    });

    test("S1-41 a step that must not start twice does not when its run is held and let go", async () => {
      const reopen = await open();
      const id = await dieThreeTimes(reopen, {
        a: { uses: "deadly", delivery: "at-most-once", onError: "continue" },
        b: { needs: ["a"], uses: "deadly" },
        c: { needs: ["a"], uses: "deadly", delivery: "at-most-once", onError: "continue" },
      });
      const calls: string[] = [];
      const harness = new Harness(await reopen(), {
        operators: {
          deadly: (_input: unknown, { stepId }: { readonly stepId: string }) => void calls.push(stepId),
          fine: () => 1,
          late: () => 2,
        },
      });
      await harness.stepwell.open();
      await harness.stepwell.resume(id, "ann");
      await harness.stepwell.result(id);
      const run = await harness.stepwell.get(id);
      for (const step of run?.steps ?? []) if (step.error?.code === "OUTCOME_UNKNOWN") expect(calls).not.toContain(step.id);
      expect(run?.steps[0]).toMatchObject({ status: "FAILED", reason: "outcome_unknown" });
      await harness.stepwell.stop();
    });

    test.each([
      ["a step", (work: Operator) => work],
      ["a step that had been woken", afterWaiting],
    ])(
      "%s of a run that is held and let go begins with its next attempt, also when the run is read back before a slot is free",
      async (_, deadly) => {
        const reopen = await open();
        const id = await dieThreeTimes(reopen, { a: { uses: "deadly" } }, deadly);
        const ledger = await reopen();
        const readTwice = Promise.withResolvers<void>();
        let reads = 0;
        const counted = interposed(ledger, {
          loadRun: async (runId) => {
            const stored = await ledger.loadRun(runId);
            reads += 1;
            if (reads === 2) readTwice.resolve();
            return stored;
          },
        });
        const gate = new Gate();
        const harness = new Harness(counted, {
          operators: { deadly: deadly(() => "alive"), gate: gate.operator },
          concurrency: { steps: 1 },
        });
        await harness.stepwell.open();
        await harness.event((event) => event.type === "run.suspended");
        await harness.start({ name: "busy", steps: { b: { uses: "gate" } } });
        await gate.arrivals(1);
        reads = 0;
        await harness.stepwell.resume(id, "ann");
        await readTwice.promise;
        gate.open();
        expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
        expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ attempt: 4, output: "alive" });
        await harness.stepwell.stop();
      },
    );

    test("S1-38 a run that is let go and cancelled before anybody looks starts nothing", async () => {
      const reopen = await open();
      const id = await dieThreeTimes(reopen, { a: { uses: "deadly" } });
      const held = new Harness(await reopen(), { operators: { deadly: NEVER } });
      await held.stepwell.open();
      await held.event((event) => event.type === "run.suspended");
      await held.stepwell.stop();
      const ledger = await reopen();
      for (const kind of ["resume", "cancel"] as const)
        await ledger.accept({ tenant: TENANT, publicId: id, kind, payload: null, actor: "ann" });
      const harness = new Harness(ledger, { operators: { deadly: NEVER } });
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ status: "CANCELLED", attempt: 3 });
      await harness.stepwell.stop();
    });
  });
}

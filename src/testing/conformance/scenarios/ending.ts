import { describe, expect, test } from "vitest";
import type { Ledger } from "../../../ledger/port.ts";
import type { Operator, ResumableOperator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

/** A ledger whose clock may stand still for whoever only asks for it. */
function stoppable(ledger: Ledger): { readonly ledger: Ledger; readonly asked: Gate; stopAt: number | null } {
  const { waits } = ledger;
  const asked = new Gate();
  asked.open();
  const now = async (): Promise<number> => {
    await asked.passed();
    return clock.stopAt ?? (await waits.now());
  };
  const stopped: Ledger["waits"] = {
    now,
    nextDue: () => waits.nextDue(),
    listWaits: (tenant, publicId) => waits.listWaits(tenant, publicId),
    turnOf: (tenant, publicId) => waits.turnOf(tenant, publicId),
    listSignals: (tenant, publicId) => waits.listSignals(tenant, publicId),
    listChildren: (tenant, publicId) => waits.listChildren(tenant, publicId),
  };
  const clock = { ledger: interposed(ledger, { waits: stopped }), asked, stopAt: null as number | null };
  return clock;
}

/** What ends a run from outside, when several things do. */
export function describeEnding(open: () => Promise<OpenLedger>): void {
  describe("ending", () => {
    test.each(["cancelled", "too slow"])("a run that was paused and is %s is undone, retries of the undoing included", async (why) => {
      const gate = new Gate();
      const fails = [true, false];
      const undo: Operator = () => {
        if (fails.shift() === true) throw new Error("not yet");
      };
      const operators = { act: () => 1, undo, gate: gate.operator };
      const harness = await Harness.on(open, { operators, cancelGraceMs: 1 });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 100 };
      const id = await harness.start({
        name: "held",
        ...(why === "cancelled" ? {} : { timeout: 1_000 }),
        compensation: { on: ["cancel", "failure"] },
        steps: [
          { id: "a", uses: "act", compensate: { uses: "undo", retry } },
          { id: "wait", uses: "gate" },
        ],
      });
      await gate.arrivals(1);
      await harness.stepwell.pause(id, "ann");
      if (why === "cancelled") await harness.stepwell.cancel(id, "ann");
      expect((await harness.stepwell.result(id)).status).toBe(why === "cancelled" ? "CANCELLED" : "FAILED");
      expect(fails).toEqual([]);
      await harness.stepwell.stop();
    });

    test("S3-45 only the ledger's clock says that a run has taken too long", async () => {
      const reopen = await open();
      const clock = stoppable(await reopen());
      const gate = new Gate();
      const harness = new Harness(clock.ledger, { operators: { gate: gate.operator }, cancelGraceMs: 1 });
      await harness.stepwell.open();
      clock.stopAt = await clock.ledger.waits.now();
      const id = await harness.start({ name: "slow", timeout: 30, steps: [{ id: "a", uses: "gate" }] });
      await clock.asked.arrivals(5);
      expect((await harness.stepwell.get(id))?.status).toBe("RUNNING");
      clock.stopAt = null;
      const outcome = await harness.stepwell.result(id);
      expect(outcome).toMatchObject({ status: "FAILED", reason: "timeout", error: { code: "RUN_TIMEOUT" } });
      expect((await harness.stepwell.get(id))?.steps[0]?.error?.code).toBe("RUN_TIMEOUT");
      await harness.stepwell.stop();
    });

    test("S0-21 a cancel that comes in the grace of a timeout wins", async () => {
      const [gate, told] = [new Gate(), new Gate()];
      told.open();
      const deaf: Operator = async (input, context) => {
        context.signal.addEventListener("abort", () => void told.passed());
        return gate.operator(input, context);
      };
      const harness = await Harness.on(open, { operators: { deaf } });
      const id = await harness.start({ name: "both", timeout: 50, steps: [{ id: "a", uses: "deaf" }] });
      await told.arrivals(1);
      await harness.stepwell.cancel(id, "ann");
      gate.open();
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "CANCELLED", reason: "cancelled" });
      await harness.stepwell.stop();
    });

    test("S3-45 a run that waited in the queue has its whole timeout from its start, and again when it is retried", async () => {
      const [first, second] = [new Gate(), new Gate()];
      const operators = { first: first.operator, second: second.operator };
      const reopen = await open();
      const ledger = await reopen();
      const harness = new Harness(ledger, { operators, concurrency: { runs: 1 }, cancelGraceMs: 1 });
      await harness.start({ name: "before", steps: [{ id: "a", uses: "first" }] });
      await first.arrivals(1);
      const id = await harness.start({ name: "behind", timeout: 1_500, steps: [{ id: "a", uses: "second" }] });
      expect(await ledger.getRun("default", id)).toMatchObject({ status: "QUEUED", deadlineAt: null });
      first.open();
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "FAILED", reason: "timeout" });
      const run = await ledger.getRun("default", id);
      expect((run?.deadlineAt ?? 0) - (run?.startedAt ?? 0)).toBe(1_500);
      second.open();
      await harness.stepwell.retry(id, "ann");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect((await ledger.getRun("default", id))?.deadlineAt).toBeGreaterThan(run?.deadlineAt ?? 0);
      await harness.stepwell.stop();
    });

    test("S3-46 a confirmed step whose operator a crash took while it was being told of its wake is told of it again", async () => {
      const reopen = await open();
      const ledger = await reopen();
      const gate = new Gate();
      const resumable = (resume: ResumableOperator["resume"]): ResumableOperator => ({
        execute: (_input, { suspend }) => suspend({ kind: "signal", key: "go" }),
        resume,
      });
      const first = new Harness(ledger, { operators: { hold: resumable((_context, { payload }) => gate.operator(payload, _context)) } });
      const id = await first.start({ name: "confirm", steps: [{ id: "hold", uses: "hold", delivery: "confirm" }] });
      await first.stepwell.signal(id, "go", { n: 7 });
      await gate.arrivals(1);
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { hold: resumable((_context, { payload }) => payload) } });
      await second.stepwell.open();
      const task = await second.openTask(id);
      await (await second.stepwell.tasks()).approve(task, { by: "ann" });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect((await second.stepwell.get(id))?.steps[0]).toMatchObject({ attempt: 2, output: { n: 7 } });
      await second.stepwell.stop();
    });
  });
}

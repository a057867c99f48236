import { describe, expect, test } from "vitest";
import { systemClock } from "../../../engine/system-clock.ts";
import { StepwellError } from "../../../model/errors.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

const broken: Operator = () => {
  throw new Error("broken");
};
const anHour = { strategy: "fixed", maxAttempts: 2, initialDelay: "1h" };

/** Notes every call and never comes back. */
function deaf(calls: string[]): Operator {
  return (_input, { idempotencyKey }) => {
    calls.push(idempotencyKey);
    return new Promise(() => undefined);
  };
}

/** Deadlines, cancels and stops over the life of several engines. */
export function describeEnduring(open: () => Promise<OpenLedger>): void {
  describe("enduring", () => {
    test("S3-45 a parked run ends at its deadline, although the step that it waits for is due much later", async () => {
      const harness = await Harness.on(open, { operators: { broken } });
      const id = await harness.start({ name: "parked", timeout: 300, steps: { a: { uses: "broken", retry: anHour } } });
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "FAILED", reason: "timeout" });
      expect(await harness.statuses(id)).toEqual({ a: "CANCELLED" });
      await harness.stepwell.stop();
    });

    test("S3-45 the deadline of a parked run holds over a restart", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators: { broken } });
      const id = await first.start({ name: "parked", timeout: 400, steps: { a: { uses: "broken", retry: anHour } } });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators: { broken } });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "FAILED", reason: "timeout" });
      await second.stepwell.stop();
    });

    test("S3-45 the deadline of a running run holds over a crash, counted from its first start", async () => {
      const reopen = await open();
      const calls: string[] = [];
      const ledger = await reopen();
      const first = new Harness(ledger, { operators: { deaf: deaf(calls) } });
      const id = await first.start({ name: "late", timeout: 250, steps: { a: { uses: "deaf" } } });
      await first.stepStarted("a");
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { deaf: deaf(calls) }, cancelGraceMs: 10 });
      const outcome = await second.stepwell.result(id);
      expect(outcome).toMatchObject({ status: "FAILED", reason: "timeout", error: { code: "RUN_TIMEOUT" } });
      const run = await second.stepwell.get(id);
      const [step] = run?.steps ?? [];
      const tookMs = Date.parse(step?.finishedAt ?? "") - Date.parse(step?.startedAt ?? "");
      expect(tookMs).toBeGreaterThanOrEqual(240);
      expect(tookMs).toBeLessThan(2_000);
      await second.stepwell.stop();
    });

    test("the deadline of a run that waits for an operator outlives the coming of other operators", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators: { absent: () => 1 } });
      await first.stepwell.register({ name: "waiting", timeout: 700, steps: { a: { uses: "absent" } } });
      await first.stepwell.stop();
      const second = new Harness(await reopen());
      await second.stepwell.open();
      const id = await second.stepwell.start("waiting");
      await second.event((event) => event.type === "run.suspended");
      await second.stepwell.register({ name: "other", steps: { a: { uses: "transform", with: {} } } });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "FAILED", reason: "timeout" });
      await second.stepwell.stop();
    });

    test("S0-21 a cancel that was accepted holds over a crash: the run is CANCELLED and its operator is not called again", async () => {
      const reopen = await open();
      const ledger = await reopen();
      const calls: string[] = [];
      const first = new Harness(ledger, { operators: { deaf: deaf(calls) } });
      const id = await first.start({
        name: "stubborn",
        steps: [
          { id: "a", uses: "deaf" },
          { id: "b", uses: "deaf" },
        ],
      });
      await first.stepStarted("a");
      await first.stepwell.cancel(id, "somebody");
      await first.event((event) => event.type === "step.settled" && event.step === "b");
      await ledger.close();
      const again = await reopen();
      const second = new Harness(again, { operators: { deaf: deaf(calls) } });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "CANCELLED", reason: "cancelled" });
      expect(calls).toEqual([`${id}:a`]);
      const history = await again.listHistory("default", id);
      expect(history.filter(({ event }) => event === "run.cancel_requested")).toHaveLength(1);
      await second.stepwell.stop();
    });

    test("a run that waits for long leaves memory: another takes its room, and nobody owns it", async () => {
      const ledger = await (await open())();
      const harness = new Harness(ledger, { operators: { broken }, concurrency: { runs: 1 } });
      const parked = await harness.start({ name: "parked", steps: { a: { uses: "broken", retry: anHour } } });
      await harness.event((event) => event.type === "run.suspended");
      expect((await harness.run({ name: "next", steps: { a: { uses: "transform", with: {} } } })).status).toBe("SUCCEEDED");
      expect(await ledger.getRun("default", parked)).toMatchObject({ status: "SUSPENDED", reason: "retry", ownerEpoch: null });
      await harness.stepwell.stop();
    });

    test("S1-30 a failure before a crash is still the run's error after it", async () => {
      const reopen = await open();
      const calls: string[] = [];
      const ledger = await reopen();
      const first = new Harness(ledger, { operators: { broken, other: deaf(calls) } });
      const id = await first.start({ name: "failed", steps: { a: { uses: "broken" }, b: { uses: "other" } } });
      await first.event((event) => event.type === "step.settled" && event.step === "a");
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { broken, other: () => 1 } });
      const outcome = await second.stepwell.result(id);
      expect(outcome).toMatchObject({ status: "FAILED", error: { code: "RUN_FAILED", data: { step: "a", code: "STEP_FAILED" } } });
      await second.stepwell.stop();
    });

    test("S0-32 stop does not wait for a deaf operator beyond its grace, and the next engine takes the run up", async () => {
      const reopen = await open();
      const calls: string[] = [];
      const first = new Harness(await reopen(), { operators: { deaf: deaf(calls) }, stopGraceMs: 20 });
      const id = await first.start({ name: "deaf", steps: { a: { uses: "deaf" } } });
      await first.stepStarted("a");
      const waiting = expect(first.stepwell.result(id)).rejects.toMatchObject({ code: "ENGINE_STOPPED" });
      const begun = systemClock.monotonic();
      await first.stepwell.stop();
      expect(systemClock.monotonic() - begun).toBeLessThan(1_000);
      await waiting;
      const second = new Harness(await reopen(), { operators: { deaf: () => "heard" } });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect((await second.stepwell.get(id))?.steps[0]).toMatchObject({ attempt: 2, output: "heard" });
      await second.stepwell.stop();
    });

    test("an engine that is stopped in an orderly way did not crash: a long step is not quarantined after three deployments", async () => {
      const reopen = await open();
      const calls: string[] = [];
      let id = "";
      for (let deployment = 0; deployment < 4; deployment++) {
        const harness = new Harness(await reopen(), { operators: { long: deaf(calls) }, stopGraceMs: 1 });
        if (deployment === 0) id = await harness.start({ name: "long", steps: { a: { uses: "long" } } });
        else await harness.stepwell.open();
        await harness.event((event) => event.type === "step.started" || event.type === "run.suspended");
        await harness.stepwell.stop();
      }
      const last = new Harness(await reopen(), { operators: { long: () => "done" } });
      await last.stepwell.open();
      expect((await last.stepwell.get(id))?.reason).not.toBe("quarantined");
      expect((await last.stepwell.result(id)).status).toBe("SUCCEEDED");
      await last.stepwell.stop();
    });

    test("stop hands back a run that only waits for a free slot, without waiting out the grace", async () => {
      const reopen = await open();
      const gate = new Gate();
      const first = new Harness(await reopen(), { operators: { gate: gate.operator }, concurrency: { steps: 1 }, stopGraceMs: 3_000 });
      const steps = { a: { uses: "gate" } };
      const holding = await first.start({ name: "slots", steps });
      const waiting = await first.stepwell.start("slots");
      await gate.arrivals(1);
      const begun = systemClock.monotonic();
      const stopped = first.stepwell.stop();
      gate.open();
      await stopped;
      expect(systemClock.monotonic() - begun).toBeLessThan(1_500);
      const ledger = await reopen();
      const rows = await Promise.all([holding, waiting].map((id) => ledger.getRun("default", id)));
      expect(rows.map((row) => [row?.status, row?.reason])).toEqual([
        ["SUCCEEDED", null],
        ["SUSPENDED", "shutdown"],
      ]);
      await ledger.close();
    });

    test("stop ends although the ledger cannot take what is left to write", async () => {
      const ledger = await (await open())();
      const gate = new Gate();
      let isFull = false;
      const full = interposed(ledger, {
        commit: async (batch) => {
          if (isFull) throw new StepwellError("LEDGER_FULL", "no space");
          return ledger.commit(batch);
        },
      });
      const harness = new Harness(full, { operators: { gate: gate.operator }, stopGraceMs: 50 });
      await harness.start({ name: "full", steps: { a: { uses: "gate" } } });
      await gate.arrivals(1);
      isFull = true;
      gate.open();
      await harness.event((event) => event.type === "ledger.stalled");
      const late = new Promise((resolve) => void systemClock.setTimer(2_000, () => resolve("stop still waits")));
      expect(await Promise.race([harness.stepwell.stop().then(() => "stopped"), late])).toBe("stopped");
    });

    test("two engines on one ledger: the second is refused, leaves the run to the first, or fences it, never both at work", async () => {
      const reopen = await open();
      const gate = new Gate();
      const ledger = await reopen();
      const first = new Harness(ledger, { operators: { gate: gate.operator } });
      const id = await first.start({
        name: "owned",
        steps: [
          { id: "a", uses: "gate" },
          { id: "b", uses: "gate" },
        ],
      });
      await gate.arrivals(1);
      const second = new Harness(await reopen(), { operators: { gate: () => "second" } });
      const refusal = await second.stepwell.open().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (ledger.isShared) {
        expect(refusal).toBeUndefined();
        gate.open();
        await gate.arrivals(2);
        expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
        await second.stepwell.stop();
      } else if (refusal === undefined) {
        const fenced = expect(first.stepwell.result(id)).rejects.toMatchObject({ code: "LEDGER_FENCED" });
        gate.open();
        await fenced;
        await expect(first.stepwell.start("owned")).rejects.toMatchObject({ code: "LEDGER_FENCED" });
        expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
        await second.stepwell.stop();
      } else {
        expect(refusal).toMatchObject({ code: "LEDGER_OWNED" });
        gate.open();
        expect((await first.stepwell.result(id)).status).toBe("SUCCEEDED");
      }
      await first.stepwell.stop();
    });
  });
}

import { describe, expect, test } from "vitest";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const two = {
  name: "two",
  steps: [
    { id: "a", uses: "first" },
    { id: "b", uses: "second", with: { a: "{{ steps.a.output }}" } },
  ],
};

/** Runs an engine until `b` is executing, then takes its ledger away, as a crash would. */
async function crashInSecondStep(open: OpenLedger, delivery = "at-least-once"): Promise<{ readonly id: string; readonly calls: string[] }> {
  const calls: string[] = [];
  const gate = new Gate();
  const first: Operator = (_input, { idempotencyKey }) => calls.push(`first ${idempotencyKey}`);
  const second: Operator = (input, context) => {
    calls.push(`second ${context.idempotencyKey}`);
    return gate.operator(input, context);
  };
  const ledger = await open();
  const harness = new Harness(ledger, { operators: { first, second } });
  const [a, b] = two.steps;
  const id = await harness.start({ ...two, steps: [{ ...a }, { ...b, delivery }] });
  await gate.arrivals(1);
  await ledger.close();
  return { id, calls };
}

/** What a new engine does with what another one left. */
export function describeRecovering(open: () => Promise<OpenLedger>): void {
  describe("recovering", () => {
    test("S1-40 S1-41 after a crash the run goes on from the ledger: no definition, no finished step again", async () => {
      const reopen = await open();
      const { id, calls } = await crashInSecondStep(reopen);
      const second: Operator = (input, { attempt, idempotencyKey }) => {
        calls.push(`second ${idempotencyKey}`);
        return { input, attempt };
      };
      const ledger = await reopen();
      const harness = new Harness(ledger, { operators: { first: () => calls.push("first again"), second } });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls).toEqual([`first ${id}:a`, `second ${id}:b`, `second ${id}:b`]);
      const run = await harness.stepwell.get(id);
      expect(run?.steps[1]).toMatchObject({ attempt: 2, output: { input: { a: 1 }, attempt: 2 } });
      expect((await ledger.listAttempts("default", id)).map(({ attempt, status }) => [attempt, status])).toEqual([[1, "LOST"]]);
      expect((await ledger.listHistory("default", id)).map(({ event }) => event)).toContain("run.recovered");
      await harness.stepwell.stop();
    });

    test("S3-46 `at-most-once` is never started twice: a crash leaves it FAILED with OUTCOME_UNKNOWN", async () => {
      const reopen = await open();
      const { id, calls } = await crashInSecondStep(reopen, "at-most-once");
      const harness = new Harness(await reopen(), { operators: { first: () => 0, second: () => calls.push("second again") } });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect((await harness.stepwell.get(id))?.steps[1]).toMatchObject({
        status: "FAILED",
        reason: "outcome_unknown",
        error: { code: "OUTCOME_UNKNOWN" },
      });
      expect(calls).toHaveLength(2);
      await harness.stepwell.stop();
    });

    test("a missing operator parks the run with its reason, and registering it lets the run go on", async () => {
      const reopen = await open();
      const { id } = await crashInSecondStep(reopen);
      const harness = new Harness(await reopen(), { operators: { first: () => 0 } });
      await harness.stepwell.open();
      await harness.event((event) => event.type === "run.suspended");
      expect(await harness.stepwell.get(id)).toMatchObject({ status: "SUSPENDED", reason: "no_worker" });
      const definition = { name: "other", steps: { a: { uses: "transform", with: {} } } };
      await harness.stepwell.register({ definition, operators: { second: () => "at last" } });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S0-32 stop lets attempts end, hands the run back, and the next engine goes on", async () => {
      const reopen = await open();
      const gate = new Gate();
      const calls: string[] = [];
      const first = new Harness(await reopen(), { operators: { first: gate.operator, second: () => calls.push("old") } });
      const id = await first.start(two);
      await gate.arrivals(1);
      const stopped = first.stepwell.stop();
      await expect(first.stepwell.start("two", {})).rejects.toMatchObject({ code: "ENGINE_STOPPED" });
      gate.open();
      await stopped;
      const second = new Harness(await reopen(), {
        operators: { first: () => calls.push("first again"), second: () => calls.push("new") },
      });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls).toEqual(["new"]);
      await second.stepwell.stop();
    });

    test("a retry that was waiting when the engine died happens after its delay, not before", async () => {
      const reopen = await open();
      const ledger = await reopen();
      const fail: Operator = () => {
        throw new Error("not yet");
      };
      const definition = {
        name: "patient",
        steps: { a: { uses: "flaky", retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 400 } } },
      };
      const first = new Harness(ledger, { operators: { flaky: fail } });
      const id = await first.start(definition);
      await first.event((event) => event.type === "run.suspended");
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { flaky: () => "fine" } });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      const history = await second.stepwell.get(id);
      const step = history?.steps[0];
      expect(Date.parse(step?.finishedAt ?? "") - Date.parse(step?.startedAt ?? "")).toBeGreaterThanOrEqual(400);
      await second.stepwell.stop();
    });

    test("a run that kills its worker three times without progress is held instead of driven on", async () => {
      const reopen = await open();
      const { id } = await crashInSecondStep(reopen);
      for (let crash = 1; crash < 3; crash++) {
        const ledger = await reopen();
        const gate = new Gate();
        const harness = new Harness(ledger, { operators: { first: () => 0, second: gate.operator } });
        await harness.stepwell.open();
        await gate.arrivals(1);
        await ledger.close();
      }
      const calls: string[] = [];
      const harness = new Harness(await reopen(), { operators: { first: () => 0, second: () => calls.push("again") } });
      await harness.stepwell.open();
      await harness.event((event) => event.type === "run.suspended");
      expect(await harness.stepwell.get(id)).toMatchObject({ status: "SUSPENDED", reason: "quarantined" });
      expect(calls).toEqual([]);
      await harness.stepwell.resume(id, "ann");
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls).toEqual(["again"]);
      expect((await harness.stepwell.get(id))?.steps[1]?.attempt).toBe(4);
      await harness.stepwell.stop();
    });

    test("a run whose resumption was accepted before its engine came back is not held, and its crashes count anew", async () => {
      const reopen = await open();
      const { id } = await crashInSecondStep(reopen);
      for (let crash = 1; crash < 5; crash++) {
        const ledger = await reopen();
        await ledger.accept({ tenant: "default", publicId: id, kind: "resume", payload: null, actor: "ann" });
        const gate = new Gate();
        const harness = new Harness(ledger, { operators: { first: () => 0, second: gate.operator } });
        await harness.stepwell.open();
        await gate.arrivals(1);
        await ledger.close();
      }
      const harness = new Harness(await reopen(), { operators: { first: () => 0, second: () => "fine" } });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });
  });
}

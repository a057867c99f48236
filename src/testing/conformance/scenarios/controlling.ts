import { describe, expect, test } from "vitest";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

/** Ends when it is aborted, by throwing the reason. */
const obedient: Operator = (_input, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error(String(signal.reason))));
  });

/** Cancel, run timeout, stop, limits, keys. */
export function describeControlling(open: () => Promise<OpenLedger>): void {
  describe("controlling", () => {
    test("S0-21 S0-28 S0-29 a cancelled run aborts what runs, skips what has not begun and is CANCELLED", async () => {
      const harness = new Harness(await (await open())(), { operators: { obedient } });
      const id = await harness.start({
        name: "cancel",
        steps: [
          { id: "a", uses: "obedient" },
          { id: "b", uses: "obedient" },
        ],
      });
      await harness.stepStarted("a");
      await harness.stepwell.cancel(id, "somebody");
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "CANCELLED", reason: "cancelled" });
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ status, reason }) => [status, reason])).toEqual([
        ["CANCELLED", "run_cancelled"],
        ["SKIPPED", "run_cancelled"],
      ]);
      await expect(harness.stepwell.cancel(id)).rejects.toMatchObject({ code: "RUN_FINISHED" });
      await expect(harness.stepwell.cancel("nobody")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
      await harness.stepwell.stop();
    });

    test("a result that arrives within the grace of a cancel is recorded", async () => {
      const gate = new Gate();
      const harness = new Harness(await (await open())(), { operators: { gate: gate.operator } });
      const id = await harness.start({
        name: "kept",
        steps: [
          { id: "a", uses: "gate", with: { n: 1 } },
          { id: "b", uses: "gate" },
        ],
      });
      await gate.arrivals(1);
      await harness.stepwell.cancel(id);
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ status: "SUCCEEDED", output: { n: 1 } });
      await harness.stepwell.stop();
    });

    test("an operator that ignores the cancel is left behind after the grace, and its late result is discarded", async () => {
      const gate = new Gate();
      const harness = new Harness(await (await open())(), { operators: { gate: gate.operator }, cancelGraceMs: 10 });
      const id = await harness.start({ name: "deaf", steps: { a: { uses: "gate" } } });
      await gate.arrivals(1);
      await harness.stepwell.cancel(id);
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      gate.open();
      await harness.event((event) => event.type === "step.discarded");
      expect(await harness.statuses(id)).toEqual({ a: "CANCELLED" });
      await harness.stepwell.stop();
    });

    test("a commit decided before a cancel is left out: the step it would have started never starts", async () => {
      const started: string[] = [];
      const gate = new Gate();
      const ledger = await (await open())();
      const harness = new Harness(ledger, {
        operators: {
          gate: gate.operator,
          next: () => {
            started.push("next");
          },
        },
      });
      const id = await harness.start({
        name: "race",
        steps: [
          { id: "a", uses: "gate", with: { n: 1 } },
          { id: "b", uses: "next" },
        ],
      });
      await gate.arrivals(1);
      await ledger.accept({ tenant: "default", publicId: id, kind: "cancel", payload: null, actor: "another process" });
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      expect(started).toEqual([]);
      expect(await harness.statuses(id)).toEqual({ a: "SUCCEEDED", b: "SKIPPED" });
      await harness.stepwell.stop();
    });

    test("S3-45 a run that takes longer than its timeout FAILS with that reason and aborts its operators", async () => {
      const harness = new Harness(await (await open())(), { operators: { obedient } });
      const id = await harness.start({
        name: "late",
        timeout: 30,
        steps: [
          { id: "a", uses: "obedient" },
          { id: "b", uses: "obedient" },
        ],
      });
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "FAILED", reason: "timeout", error: { code: "RUN_TIMEOUT" } });
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ status, reason }) => [status, reason])).toEqual([
        ["CANCELLED", "run_timeout"],
        ["CANCELLED", "run_timeout"],
      ]);
      await harness.stepwell.stop();
    });

    test("S1-20 attempts beyond the limit over all runs wait as PENDING and start as others end", async () => {
      const gate = new Gate();
      let executing = 0;
      let most = 0;
      const counted: Operator = async (input, context) => {
        executing += 1;
        most = Math.max(most, executing);
        await gate.operator(input, context);
        executing -= 1;
      };
      const harness = new Harness(await (await open())(), { operators: { counted }, concurrency: { steps: 3 } });
      const steps = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`s${index}`, { uses: "counted" }]));
      const first = await harness.start({ name: "wide", steps });
      const second = await harness.start({ name: "wide", steps });
      await gate.arrivals(3);
      expect(Object.values(await harness.statuses(first)).toSorted()).toEqual(["PENDING", "PENDING", "RUNNING", "RUNNING", "RUNNING"]);
      gate.open();
      expect((await harness.stepwell.result(first)).status).toBe("SUCCEEDED");
      expect((await harness.stepwell.result(second)).status).toBe("SUCCEEDED");
      expect(most).toBe(3);
      await harness.stepwell.stop();
    });

    test("S0-19 runs beyond the limit are QUEUED with every step PENDING, and run when there is room", async () => {
      const gate = new Gate();
      const harness = new Harness(await (await open())(), { operators: { gate: gate.operator }, concurrency: { runs: 1 } });
      const definition = {
        name: "queued",
        steps: [
          { id: "a", uses: "gate" },
          { id: "b", uses: "gate" },
        ],
      };
      const first = await harness.start(definition);
      const second = await harness.start(definition);
      expect((await harness.stepwell.get(second))?.status).toBe("QUEUED");
      expect(await harness.statuses(second)).toEqual({ a: "PENDING", b: "PENDING" });
      gate.open();
      expect((await harness.stepwell.result(first)).status).toBe("SUCCEEDED");
      expect((await harness.stepwell.result(second)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("a QUEUED run can be cancelled before it ever starts", async () => {
      const gate = new Gate();
      const harness = new Harness(await (await open())(), { operators: { gate: gate.operator }, concurrency: { runs: 1 } });
      const definition = { name: "queued", steps: [{ id: "a", uses: "gate" }] };
      const first = await harness.start(definition);
      const second = await harness.start(definition);
      await harness.stepwell.cancel(second);
      expect((await harness.stepwell.result(second)).status).toBe("CANCELLED");
      expect(await harness.statuses(second)).toEqual({ a: "SKIPPED" });
      gate.open();
      expect((await harness.stepwell.result(first)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S0+17 two starts with one idempotency key are one run, also at the same moment; another input is refused", async () => {
      const harness = new Harness(await (await open())(), {});
      await harness.stepwell.register({ name: "once", steps: { a: { uses: "transform", with: {} } } });
      const start = (input: unknown): Promise<string> => harness.stepwell.start("once", input, { idempotencyKey: "order-7" });
      const ids = await Promise.all([start({ n: 1 }), start({ n: 1 }), start({ n: 1 })]);
      expect(new Set(ids).size).toBe(1);
      expect(await start({ n: 1 })).toBe(ids[0]);
      await expect(start({ n: 2 })).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
      expect((await harness.stepwell.list()).runs).toHaveLength(1);
      await harness.stepwell.stop();
    });

    test("input that does not match the schema, and a workflow that does not exist, are refused and write nothing", async () => {
      const harness = new Harness(await (await open())(), {});
      const input = { type: "object", required: ["orderId"], properties: { orderId: { type: "string" } } };
      await harness.stepwell.register({ name: "checked", input, steps: { a: { uses: "transform", with: {} } } });
      await expect(harness.stepwell.start("checked", { orderId: 7 })).rejects.toMatchObject({ code: "INPUT_INVALID" });
      await expect(harness.stepwell.start("unheard-of", {})).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      await expect(harness.stepwell.start("checked", { orderId: 1n })).rejects.toMatchObject({ code: "VALUE_NOT_JSON" });
      await expect(harness.stepwell.register({ name: "bad", steps: { a: { uses: "nothing-like-it" } } })).rejects.toMatchObject({
        code: "DEFINITION_INVALID",
      });
      expect((await harness.stepwell.list()).runs).toEqual([]);
      await harness.stepwell.stop();
    });
  });
}

import { describe, expect, test } from "vitest";
import { StepwellError } from "../../../model/errors.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const fail: Operator = () => {
  throw new Error("broken");
};

/** Fails the first `times` calls. */
function flaky(times: number): Operator {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls <= times) throw new Error(`call ${calls}`);
    return calls;
  };
}

/** Retry, then fallback, then `onError`, then `onFailure`. */
export function describeFailing(open: () => Promise<OpenLedger>): void {
  describe("failing", () => {
    test("S0-23 S0-33 in a list the first failure stops the run: no later step runs", async () => {
      const harness = new Harness(await (await open())(), { operators: { fail } });
      const id = await harness.start({
        name: "list",
        steps: [
          { id: "a", uses: "fail" },
          { id: "b", uses: "log", with: { message: "never" } },
        ],
      });
      const outcome = await harness.stepwell.result(id);
      expect(outcome).toMatchObject({
        status: "FAILED",
        reason: "step_failed",
        error: { code: "RUN_FAILED", data: { step: "a", code: "STEP_FAILED" } },
      });
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ status, reason }) => [status, reason])).toEqual([
        ["FAILED", null],
        ["CANCELLED", "run_failed"],
      ]);
      await harness.stepwell.stop();
    });

    test("S1-25 S1-29 in a map a failure cancels what depends on it and nothing else", async () => {
      const harness = new Harness(await (await open())(), { operators: { fail, fine: () => 1 } });
      const id = await harness.start({
        name: "map",
        steps: {
          a: { uses: "fail" },
          below: { needs: ["a"], uses: "fine" },
          beside: { uses: "fine" },
          after: { needs: ["beside"], uses: "fine" },
        },
      });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect(await harness.statuses(id)).toEqual({ a: "FAILED", below: "CANCELLED", beside: "SUCCEEDED", after: "SUCCEEDED" });
      await harness.stepwell.stop();
    });

    test("S1-28 S1-30 an error that escapes fails the step, and its detail is on the step", async () => {
      const harness = new Harness(await (await open())(), {
        operators: {
          coded: () => {
            throw new StepwellError("HTTP_STATUS", "no such order", { data: { status: 404 } });
          },
        },
      });
      const id = await harness.start({ name: "coded", steps: { a: { uses: "coded" } } });
      await harness.stepwell.result(id);
      const run = await harness.stepwell.get(id);
      expect(run?.steps[0]).toMatchObject({
        status: "FAILED",
        error: { code: "HTTP_STATUS", message: "no such order", data: { status: 404 } },
      });
      await harness.stepwell.stop();
    });

    test("S1-27 a retry that succeeds makes the step succeed, and each attempt was told", async () => {
      const harness = new Harness(await (await open())(), { operators: { flaky: flaky(2) } });
      const id = await harness.start({
        name: "retry",
        steps: { a: { uses: "flaky", retry: { strategy: "exponential", maxAttempts: 3, initialDelay: 2, factor: 3 } } },
      });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      const retries = harness.events.flatMap((event) => (event.type === "step.retrying" ? [[event.attempt, event.delayMs]] : []));
      expect(retries).toEqual([
        [1, 2],
        [2, 6],
      ]);
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ attempt: 3, output: 3 });
      await harness.stepwell.stop();
    });

    test("S3-18 when the tries are used up the last error stands", async () => {
      const harness = new Harness(await (await open())(), { operators: { flaky: flaky(9) } });
      const id = await harness.start({
        name: "up",
        steps: { a: { uses: "flaky", retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 1 } } },
      });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ attempt: 2, error: { message: "call 2" } });
      await harness.stepwell.stop();
    });

    test("an error that cannot pass is not tried again, nor one that `notOn` names", async () => {
      let calls = 0;
      const operators: Record<string, Operator> = {
        final: () => {
          calls += 1;
          throw new StepwellError("HTTP_STATUS", "gone");
        },
      };
      const harness = new Harness(await (await open())(), { operators: { ...operators, fail } });
      const retry = { strategy: "fixed", maxAttempts: 5, initialDelay: 1 };
      await harness.run({ name: "final", steps: { a: { uses: "final", retry } } });
      expect(calls).toBe(1);
      const id = await harness.start({ name: "named", steps: { a: { uses: "fail", retry: { ...retry, notOn: ["STEP_FAILED"] } } } });
      await harness.stepwell.result(id);
      expect((await harness.stepwell.get(id))?.steps[0]?.attempt).toBe(1);
      await harness.stepwell.stop();
    });

    test("S1-21 a timeout ends the attempt, aborts its signal and is retried; a late result is discarded", async () => {
      const gate = new Gate();
      const reasons: unknown[] = [];
      let calls = 0;
      const slowOnce: Operator = async (_input, { signal }) => {
        calls += 1;
        if (calls > 1) return "second";
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        await gate.opened;
        return "late";
      };
      const harness = new Harness(await (await open())(), { operators: { slowOnce } });
      const id = await harness.start({
        name: "timeout",
        steps: { a: { uses: "slowOnce", timeout: 20, retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 1 } } },
      });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      gate.open();
      await harness.event((event) => event.type === "step.discarded");
      expect((await harness.stepwell.get(id))?.steps[0]?.output).toBe("second");
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toMatchObject({ code: "STEP_TIMEOUT" });
      await harness.stepwell.stop();
    });

    test("S1-21 an operator that blocks the thread beyond its timeout has timed out, although its timer could not fire", async () => {
      const block: Operator = () => {
        const until = performance.now() + 60;
        while (performance.now() < until);
        return "late";
      };
      const harness = await Harness.on(open, { operators: { block } });
      const id = await harness.start({ name: "blocked", steps: { a: { uses: "block", timeout: 20 } } });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ status: "FAILED", reason: "timeout", output: null });
      await harness.stepwell.stop();
    });

    test("S1-27 a fallback stands in when retries are over, and the error stays visible", async () => {
      const harness = new Harness(await (await open())(), { operators: { fail } });
      const id = await harness.start(
        { name: "fallback", steps: { a: { uses: "fail", fallback: { rate: "{{ input.rate }}" } } }, output: "{{ steps.a.output.rate }}" },
        { rate: 1.1 },
      );
      expect((await harness.stepwell.result(id)).output).toBe(1.1);
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({
        status: "SUCCEEDED",
        reason: "fallback",
        error: { message: "broken" },
      });
      await harness.stepwell.stop();
    });

    test("`onError: skip` skips the step, `continue` lets its dependants run with null and the error", async () => {
      const harness = new Harness(await (await open())(), { operators: { fail } });
      const id = await harness.start({
        name: "tolerant",
        steps: {
          skipped: { uses: "fail", onError: "skip" },
          below: { uses: "transform", with: { x: "{{ steps.skipped.output }}" } },
          continued: { uses: "fail", onError: "continue" },
          after: { uses: "transform", with: { x: "{{ steps.continued.output }}", why: "{{ steps.continued.error.message }}" } },
        },
        output: "{{ steps.after.output }}",
      });
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: { x: null, why: "broken" } });
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ id: step, status, reason }) => [step, status, reason])).toEqual([
        ["skipped", "SKIPPED", "on_error"],
        ["below", "SKIPPED", "needs_skipped"],
        ["continued", "FAILED", null],
        ["after", "SUCCEEDED", null],
      ]);
      await harness.stepwell.stop();
    });

    test("S1-12 after a failure in a list running steps finish and clean-up runs once", async () => {
      const gate = new Gate();
      let cleaned = 0;
      const operators = {
        fail,
        gate: gate.operator,
        clean: () => {
          cleaned += 1;
        },
      };
      const harness = new Harness(await (await open())(), { operators });
      const id = await harness.start({
        name: "cleanup",
        onFailure: "stop",
        steps: {
          slow: { uses: "gate", with: { kept: true } },
          bad: { uses: "fail" },
          next: { needs: ["slow"], uses: "clean" },
          clean: { needs: ["slow", "bad"], join: "settled", uses: "clean" },
        },
      });
      await harness.event((event) => event.type === "step.settled" && event.step === "bad");
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect(await harness.statuses(id)).toEqual({ slow: "SUCCEEDED", bad: "FAILED", next: "CANCELLED", clean: "SUCCEEDED" });
      expect(cleaned).toBe(1);
      await harness.stepwell.stop();
    });

    test("an operator that returns undefined gives null; a cycle, a BigInt and 50 MB are coded errors and the process lives", async () => {
      const cycle: Record<string, unknown> = {};
      cycle["self"] = cycle;
      const harness = new Harness(await (await open())(), {
        operators: { nothing: () => undefined, cycle: () => cycle, bigint: () => ({ n: 1n }), huge: () => "x".repeat(50 * 1024 * 1024) },
      });
      const id = await harness.start({
        name: "bad-outputs",
        steps: {
          nothing: { uses: "nothing", onError: "continue" },
          cycle: { uses: "cycle", onError: "continue" },
          bigint: { uses: "bigint", onError: "continue" },
          huge: { uses: "huge", onError: "continue" },
        },
      });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ id: step, status, error }) => [step, status, error?.code ?? null])).toEqual([
        ["nothing", "SUCCEEDED", null],
        ["cycle", "FAILED", "VALUE_NOT_JSON"],
        ["bigint", "FAILED", "VALUE_NOT_JSON"],
        ["huge", "FAILED", "VALUE_TOO_LARGE"],
      ]);
      await harness.stepwell.stop();
    });

    test("an expression that cannot be evaluated fails its step with the code that says why", async () => {
      const harness = new Harness(await (await open())(), {});
      const id = await harness.start({ name: "unresolved", steps: { a: { uses: "transform", with: { x: "{{ input.missing }}" } } } });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ status: "FAILED", error: { code: "EXPRESSION_UNRESOLVED" } });
      await harness.stepwell.stop();
    });

    test("an output that does not match the step's schema fails the step; `extract` keeps what the schema names", async () => {
      const harness = new Harness(await (await open())(), {
        operators: { order: () => ({ id: 7, internal: "x", lines: [{ sku: "a", cost: 3 }] }) },
      });
      const schema = {
        type: "object",
        required: ["id"],
        properties: { id: { type: "integer" }, lines: { items: { properties: { sku: {} } } } },
      };
      const outcome = await harness.run({
        name: "extract",
        steps: { a: { uses: "order", extract: true, schema } },
        output: "{{ steps.a.output }}",
      });
      expect(outcome.output).toEqual({ id: 7, lines: [{ sku: "a" }] });
      const id = await harness.start({ name: "mismatch", steps: { a: { uses: "order", schema: { required: ["total"] } } } });
      await harness.stepwell.result(id);
      expect((await harness.stepwell.get(id))?.steps[0]?.error).toMatchObject({ code: "OUTPUT_INVALID" });
      await harness.stepwell.stop();
    });
  });
}

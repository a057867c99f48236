import { describe, expect, test } from "vitest";
import type { Operator } from "../../../operators/operator.ts";
import type { OpenLedger } from "../../harness.ts";
import { Gate, Harness } from "../../harness.ts";

const record =
  (log: string[], name: string): Operator =>
  (input) => {
    log.push(name);
    return input;
  };

/** Steps run in their order, in parallel where nothing orders them, and everything about them is recorded. */
export function describeRunning(open: () => Promise<OpenLedger>): void {
  describe("running", () => {
    test("S0-1 S0-20 S0-31 a list runs in its order, one step at a time", async () => {
      const log: string[] = [];
      const operators = { one: record(log, "one"), two: record(log, "two"), three: record(log, "three") };
      const harness = new Harness(await (await open())(), { operators });
      const outcome = await harness.run({ name: "list", steps: [{ uses: "one" }, { uses: "two" }, { uses: "three" }] });
      expect(outcome.status).toBe("SUCCEEDED");
      expect(log).toEqual(["one", "two", "three"]);
      const transitions = harness.events.flatMap((event) =>
        event.type === "step.started" || event.type === "step.settled" ? [`${event.type} ${event.step}`] : [],
      );
      expect(transitions).toEqual(["one_1", "two_2", "three_3"].flatMap((id) => [`step.started ${id}`, `step.settled ${id}`]));
      await harness.stepwell.stop();
    });

    test("S0-3 start returns when the run is durable, before its steps have run", async () => {
      const gate = new Gate();
      const ledger = await (await open())();
      const harness = new Harness(ledger, { operators: { gate: gate.operator } });
      const id = await harness.start({ name: "slow", steps: { a: { uses: "gate" } } });
      expect((await ledger.getRun("default", id))?.status).toBe("RUNNING");
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S1-2 S1-8 S1-14 steps without an edge between them execute at the same time", async () => {
      const gate = new Gate();
      const harness = new Harness(await (await open())(), { operators: { gate: gate.operator } });
      const id = await harness.start({ name: "wide", steps: { a: { uses: "gate" }, b: { uses: "gate" }, c: { uses: "gate" } } });
      await gate.arrivals(3);
      gate.open();
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S1-9 S1-26 an output reaches the steps that refer to it, and S1-15 only then do they start", async () => {
      const harness = new Harness(await (await open())(), {
        operators: { two: () => 2, three: () => 3, multiply: (input: { left: number; right: number }) => input.left * input.right },
      });
      const outcome = await harness.run({
        name: "product",
        steps: {
          left: { uses: "two" },
          right: { uses: "three" },
          product: { uses: "multiply", with: { left: "{{ steps.left.output }}", right: "{{ steps.right.output }}" } },
        },
        output: "{{ steps.product.output }}",
      });
      expect(outcome.output).toBe(6);
      await harness.stepwell.stop();
    });

    test("S1-16 S1-31 a branch that was not taken is SKIPPED and stays visible", async () => {
      const harness = new Harness(await (await open())(), {});
      const id = await harness.start(
        {
          name: "branch",
          steps: {
            route: { switch: [{ when: "{{ input.amount > 100 }}", then: ["review"] }, { otherwise: ["auto"] }] },
            review: { uses: "transform", with: { by: "a person" } },
            auto: { uses: "transform", with: { by: "nobody" } },
            ship: { needs: ["review", "auto"], uses: "transform", with: { by: "{{ steps.review.output.by ?? steps.auto.output.by }}" } },
          },
          output: "{{ steps.ship.output.by }}",
        },
        { amount: 7 },
      );
      expect((await harness.stepwell.result(id)).output).toBe("nobody");
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ id: step, status, reason }) => [step, status, reason])).toEqual([
        ["route", "SUCCEEDED", null],
        ["review", "SKIPPED", "branch"],
        ["auto", "SUCCEEDED", null],
        ["ship", "SUCCEEDED", null],
      ]);
      expect(run?.steps[0]?.output).toEqual({ selected: ["auto"] });
      await harness.stepwell.stop();
    });

    test("a step whose `when` is false is SKIPPED, and what needs it too", async () => {
      const harness = new Harness(await (await open())(), {});
      const id = await harness.start({
        name: "conditional",
        steps: {
          a: { uses: "transform", when: "{{ input.wanted ?? false }}", with: {} },
          b: { uses: "transform", with: { a: "{{ steps.a.output }}" } },
        },
      });
      await harness.stepwell.result(id);
      expect(await harness.statuses(id)).toEqual({ a: "SKIPPED", b: "SKIPPED" });
      await harness.stepwell.stop();
    });

    test("S0-4 S0-15 S1-36 everything about a run is in the ledger: who started it, each attempt, each transition in order", async () => {
      const ledger = await (await open())();
      let calls = 0;
      const harness = new Harness(ledger, {
        environment: "staging",
        operators: {
          flaky: () => {
            calls += 1;
            if (calls === 1) throw new Error("not yet");
            return { calls };
          },
        },
      });
      await harness.stepwell.register({
        name: "recorded",
        version: "3",
        steps: [{ id: "flaky", uses: "flaky", retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 1 } }],
      });
      const id = await harness.stepwell.start("recorded", { order: 7 }, { initiator: "mail-gateway", labels: { shop: "north" } });
      await harness.stepwell.result(id);
      const row = await ledger.getRun("default", id);
      expect(row).toMatchObject({
        initiator: "mail-gateway",
        environment: "staging",
        workflow: "recorded",
        version: "3",
        status: "SUCCEEDED",
      });
      expect(row?.input).toBe('{"order":7}');
      expect(row?.labels).toBe('{"shop":"north"}');
      const attempts = await ledger.listAttempts("default", id);
      expect(attempts.map(({ attempt, status }) => [attempt, status])).toEqual([[1, "FAILED"]]);
      expect(attempts[0]?.error).toContain("not yet");
      const history = await ledger.listHistory("default", id);
      expect(history.map(({ event }) => event)).toEqual([
        "run.created",
        "run.started",
        "step.started",
        "attempt.failed",
        "step.started",
        "step.succeeded",
        "run.succeeded",
      ]);
      await harness.stepwell.stop();
    });
  });
}

import { describe, expect, test } from "vitest";
import type { Ledger } from "../../../ledger/port.ts";
import { StepwellError } from "../../../model/errors.ts";
import type { Json } from "../../../model/json.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

/** Starts the workflow that its input names and waits for its end. */
const calls: Operator<{ readonly name: string; readonly input?: Json; readonly close?: "cancel" | "abandon" }> = (request, context) =>
  context.suspend({
    kind: "child",
    workflow: request.name,
    input: request.input ?? {},
    close: request.close ?? "cancel",
  });

const operators = { calls, echo: ((input) => input) satisfies Operator, fails: (() => Promise.reject(new Error("no"))) satisfies Operator };

const ECHO = { name: "child", steps: [{ id: "say", uses: "echo", with: { got: "{{ input.n }}" } }], output: "{{ steps.say.output }}" };

async function childOf(harness: Harness, workflow: string): Promise<string> {
  const { runs } = await harness.stepwell.list({ workflow });
  return runs[0]?.id ?? "";
}

/** Runs that steps of other runs start. */
export function describeChildren(open: () => Promise<OpenLedger>): void {
  describe("children", () => {
    test("a step that starts a workflow waits for it, and the child's output is its output", async () => {
      const harness = await Harness.on(open, { operators });
      await harness.stepwell.register(ECHO);
      const outcome = await harness.run({
        name: "parent",
        steps: [{ id: "call", uses: "calls", with: { name: "child", input: { n: 5 } } }],
        output: "{{ steps.call.output }}",
      });
      expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { got: 5 } });
      await harness.stepwell.stop();
    });

    test("a child for which the ledger has no room is tried again by the next engine, when this one stops meanwhile", async () => {
      const reopen = await open();
      const ledger = await reopen();
      const full = (): never => {
        throw new StepwellError("LEDGER_FULL", "no room");
      };
      const isFull = { now: false };
      const latestVersion: Ledger["latestVersion"] = async (...asked) => (isFull.now ? full() : ledger.latestVersion(...asked));
      const gate = new Gate();
      const labelled: Operator = async (_input, { suspend }) => {
        await gate.passed();
        return suspend({ kind: "child", workflow: "child", version: "1", input: { n: 5 } });
      };
      const first = new Harness(interposed(ledger, { latestVersion }), { operators: { ...operators, labelled }, stopGraceMs: 400 });
      await first.stepwell.register({ ...ECHO, version: "1" });
      await first.stepwell.register({ name: "parent", steps: [{ id: "call", uses: "labelled" }], output: "{{ steps.call.output }}" });
      const id = await first.stepwell.start("parent");
      await gate.arrivals(1);
      isFull.now = true;
      gate.open();
      await first.event(({ type }) => type === "ledger.stalled");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators: { ...operators, labelled } });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: { got: 5 } });
      await second.stepwell.stop();
    });

    test("a child that fails fails its step with CHILD_FAILED, and onError has its say", async () => {
      const harness = await Harness.on(open, { operators });
      await harness.stepwell.register({ name: "child", steps: [{ id: "x", uses: "fails" }] });
      const outcome = await harness.run({
        name: "parent",
        steps: [
          { id: "call", uses: "calls", with: { name: "child" }, onError: "continue" },
          { id: "after", uses: "echo", with: { code: "{{ steps.call.error.code }}" } },
        ],
        output: "{{ steps.after.output }}",
      });
      expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { code: "CHILD_FAILED" } });
      await harness.stepwell.stop();
    });

    test("a retry of a step whose child failed starts another child", async () => {
      let runs = 0;
      const flaky: Operator = () => {
        runs += 1;
        if (runs === 1) throw new Error("once");
        return runs;
      };
      const harness = await Harness.on(open, { operators: { ...operators, flaky } });
      await harness.stepwell.register({ name: "child", steps: [{ id: "x", uses: "flaky" }], output: "{{ steps.x.output }}" });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 1 };
      const outcome = await harness.run({
        name: "parent",
        steps: [{ id: "call", uses: "calls", with: { name: "child" }, retry }],
        output: "{{ steps.call.output }}",
      });
      expect(outcome).toMatchObject({ status: "SUCCEEDED", output: 2 });
      expect((await harness.stepwell.list({ workflow: "child" })).runs).toHaveLength(2);
      await harness.stepwell.stop();
    });

    test("a cancel of the parent cancels its child, and leaves one alone that is to be abandoned", async () => {
      const gate = new Gate();
      const harness = await Harness.on(open, { operators: { ...operators, gate: gate.operator }, cancelGraceMs: 1 });
      await harness.stepwell.register({ name: "kept", steps: [{ id: "x", uses: "gate" }] });
      await harness.stepwell.register({ name: "closed", steps: [{ id: "x", uses: "gate" }] });
      const id = await harness.start({
        name: "parent",
        steps: {
          keep: { uses: "calls", with: { name: "kept", close: "abandon" } },
          close: { uses: "calls", with: { name: "closed" } },
        },
      });
      await gate.arrivals(2);
      await harness.stepwell.cancel(id);
      expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
      expect((await harness.stepwell.result(await childOf(harness, "closed"))).status).toBe("CANCELLED");
      gate.open();
      expect((await harness.stepwell.result(await childOf(harness, "kept"))).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("a child outlives its parent's engine, and the parent wakes when it has ended", async () => {
      const reopen = await open();
      const gate = new Gate();
      const ledger = await reopen();
      const first = new Harness(ledger, { operators: { ...operators, gate: gate.operator } });
      await first.stepwell.register({
        name: "child",
        steps: [{ id: "x", uses: "gate", with: { n: 1 } }],
        output: "{{ steps.x.output.n }}",
      });
      const id = await first.start({
        name: "parent",
        steps: [{ id: "call", uses: "calls", with: { name: "child" } }],
        output: "{{ steps.call.output }}",
      });
      await gate.arrivals(1);
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { ...operators, gate: (input: Json) => input } });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: 1 });
      await second.stepwell.stop();
    });

    test("a child that does not exist, refuses its input or would go on for ever is a coded error of its step", async () => {
      const harness = await Harness.on(open, { operators });
      const call = (name: string, input: Json) => ({ id: "call", uses: "calls", with: { name, input } });
      const codeOf = async (definition: Parameters<Harness["run"]>[0]): Promise<unknown> =>
        (await harness.run(definition)).error?.data?.["code"];
      expect(await codeOf({ name: "lost", steps: [call("nobody", {})] })).toBe("WORKFLOW_NOT_FOUND");
      await harness.stepwell.register({ ...ECHO, input: { type: "object", required: ["n"] } });
      expect(await codeOf({ name: "wrong", steps: [call("child", {})] })).toBe("INPUT_INVALID");
      expect(await codeOf({ name: "own", steps: [call("own", {})] })).toBe("CHILD_RECURSION");
      await harness.stepwell.register({ name: "ping", steps: [call("pong", {})] });
      expect(await codeOf({ name: "pong", steps: [call("ping", {})] })).toBe("CHILD_FAILED");
      const { runs } = await harness.stepwell.list({ limit: 100 });
      expect(runs.filter(({ workflow }) => workflow === "ping" || workflow === "pong")).toHaveLength(33);
      await harness.stepwell.stop();
    });
  });
}

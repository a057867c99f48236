import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../model/json.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

/** Notes what is done and undone, in order. */
class Books {
  readonly lines: string[] = [];
  readonly operators: Readonly<Record<string, Operator<never>>>;

  constructor(more: Readonly<Record<string, Operator<never>>> = {}) {
    const act: Operator<{ readonly what: string }> = ({ what }) => {
      this.lines.push(what);
      return { receipt: `R-${what}` };
    };
    const fails: Operator = () => Promise.reject(new Error("no stock"));
    this.operators = { act, fails, ...more };
  }
}

const step = (what: string, undo: JsonObject = {}): JsonObject => ({
  id: what,
  uses: "act",
  with: { what },
  compensate: { uses: "act", with: { what: `undo {{ steps.${what}.output.receipt }}` }, ...undo },
});

/** Compensation (saga): what undoes steps after their run failed or was cancelled. */
export function describeUndoing(open: () => Promise<OpenLedger>): void {
  describe("undoing", () => {
    test("S1+6 what succeeded is undone backwards after a failure, once, and the run FAILS with what became of each", async () => {
      const books = new Books();
      const harness = await Harness.on(open, books);
      const outcome = await harness.run({
        name: "saga",
        steps: [step("reserve"), step("charge"), { id: "ship", uses: "fails" }, step("never")],
      });
      expect(books.lines).toEqual(["reserve", "charge", "undo R-charge", "undo R-reserve"]);
      expect(outcome).toMatchObject({
        status: "FAILED",
        reason: "step_failed",
        error: { data: { step: "ship", compensation: { charge: "SUCCEEDED", reserve: "SUCCEEDED" } } },
      });
      expect(await harness.statuses(outcome.id)).toMatchObject({ "compensate.charge": "SUCCEEDED", "compensate.reserve": "SUCCEEDED" });
      await expect(harness.stepwell.retry(outcome.id)).rejects.toMatchObject({ code: "RUN_NOT_FAILED" });
      await harness.stepwell.stop();
    });

    test("S1+6 forwards when the workflow says so, and on a cancel only when it says so", async () => {
      for (const on of [["failure"], ["failure", "cancel"]]) {
        const gate = new Gate();
        const books = new Books({ gate: gate.operator });
        const harness = await Harness.on(open, { operators: books.operators, cancelGraceMs: 1 });
        const id = await harness.start({
          name: "cancel",
          compensation: { order: "forward", on },
          steps: [step("a"), step("b"), { id: "wait", uses: "gate" }],
        });
        await gate.arrivals(1);
        await harness.stepwell.cancel(id);
        expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
        expect(books.lines).toEqual(on.includes("cancel") ? ["a", "b", "undo R-a", "undo R-b"] : ["a", "b"]);
        await harness.stepwell.stop();
      }
    });

    test.each([
      ["that cannot be evaluated", "{{ steps.a.output.missing }}", "EXPRESSION_UNRESOLVED"],
      ["that turns out to be impossible only after a while", "{{ $sum([1..200].$string($)) }}", "EXPRESSION_FAILED"],
    ])("S1+6 an output %s fails the run, and what its steps did is undone", async (_, output, code) => {
      for (const on of [["failure"], ["cancel"]]) {
        const books = new Books();
        const harness = await Harness.on(open, books);
        const outcome = await harness.run({ name: "summary", compensation: { on }, steps: [step("a"), step("b")], output });
        const isUndone = on.includes("failure");
        expect(books.lines).toEqual(isUndone ? ["a", "b", "undo R-b", "undo R-a"] : ["a", "b"]);
        expect(outcome).toMatchObject({ status: "FAILED", reason: "output_failed", output: null, error: { code } });
        expect(outcome.error?.data?.["compensation"]).toEqual(isUndone ? { b: "SUCCEEDED", a: "SUCCEEDED" } : undefined);
        await harness.stepwell.stop();
      }
    });

    test("S0-30 without compensation nothing is undone", async () => {
      const books = new Books();
      const harness = await Harness.on(open, books);
      await harness.run({
        name: "plain",
        steps: [
          { id: "a", uses: "act", with: { what: "a" } },
          { id: "b", uses: "fails" },
        ],
      });
      expect(books.lines).toEqual(["a"]);
      await harness.stepwell.stop();
    });

    test("a compensation that fails is tried as its retry says, and does not keep the others from being tried", async () => {
      let tries = 0;
      const flaky: Operator = () => {
        tries += 1;
        throw new Error("still down");
      };
      const books = new Books({ flaky });
      const harness = await Harness.on(open, books);
      const retry = { strategy: "fixed", maxAttempts: 3, initialDelay: 1 };
      const outcome = await harness.run({
        name: "stubborn",
        steps: [step("a"), { ...step("b"), compensate: { uses: "flaky", retry } }, { id: "c", uses: "fails" }],
      });
      expect(tries).toBe(3);
      expect(books.lines).toEqual(["a", "b", "undo R-a"]);
      expect(outcome.error?.data?.["compensation"]).toEqual({ b: "FAILED", a: "SUCCEEDED" });
      await harness.stepwell.stop();
    });

    test.each([
      { why: "cancelled", more: { compensation: { on: ["cancel"] } }, status: "CANCELLED" },
      { why: "too slow", more: { timeout: 1_000 }, status: "FAILED" },
    ])("S1-41 a crash in the middle of undoing a run that was $why goes on there", async ({ more, status }) => {
      const reopen = await open();
      const ledger = await reopen();
      const [waiting, undoing] = [new Gate(), new Gate()];
      const before = new Books({ gate: waiting.operator, slow: undoing.operator });
      const steps = [step("a"), { ...step("b"), compensate: { uses: "slow" } }, { id: "wait", uses: "gate" }];
      const first = new Harness(ledger, { operators: before.operators, cancelGraceMs: 1 });
      const id = await first.start({ name: "crash", steps, ...more });
      await waiting.arrivals(1);
      if (status === "CANCELLED") await first.stepwell.cancel(id);
      await undoing.arrivals(1);
      await ledger.close();
      const after = new Books({ gate: () => "late", slow: () => "undone" });
      const second = new Harness(await reopen(), after);
      expect((await second.stepwell.result(id)).status).toBe(status);
      expect(after.lines).toEqual(["undo R-a"]);
      await second.stepwell.stop();
    });

    test.each([
      ["for a step", [{ id: "d", uses: "fails" }], null],
      ["for its output", [], "{{ steps.a.output.missing }}"],
    ])("S1-41 a crash in the middle of undoing a run that failed %s goes on there", async (_, last, output) => {
      const reopen = await open();
      const gate = new Gate();
      const ledger = await reopen();
      const steps = [step("a"), { ...step("b"), compensate: { uses: "slow" } }, step("c"), ...last];
      const before = new Books({ slow: gate.operator });
      const first = new Harness(ledger, before);
      const id = await first.start({ name: "crash", steps, output });
      await gate.arrivals(1);
      expect(await first.stepwell.get(id)).toMatchObject({ status: "RUNNING", reason: "compensating" });
      await ledger.close();
      const after = new Books({ slow: () => "undone" });
      const second = new Harness(await reopen(), after);
      expect((await second.stepwell.result(id)).error?.data?.["compensation"]).toEqual({ c: "SUCCEEDED", b: "SUCCEEDED", a: "SUCCEEDED" });
      expect(before.lines).toEqual(["a", "b", "c", "undo R-c"]);
      expect(after.lines).toEqual(["undo R-a"]);
      await second.stepwell.stop();
    });
  });
}

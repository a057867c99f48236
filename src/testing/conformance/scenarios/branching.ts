import { describe, expect, test } from "vitest";
import type { Json } from "../../../model/json.ts";
import type { Definition } from "../../../workflow/graph.ts";
import { Harness, type OpenLedger } from "../../harness.ts";

const noop = { uses: "transform", with: {} };

function routed(mode: string): Definition {
  return {
    name: `routed-${mode}`,
    steps: {
      route: {
        mode,
        switch: [
          { when: "{{ input.n > 10 }}", then: ["large"] },
          { when: "{{ input.n % 2 = 0 }}", then: ["even"] },
          { otherwise: ["plain"] },
        ],
      },
      large: noop,
      even: noop,
      plain: noop,
      joined: { needs: ["large", "even", "plain"], ...noop },
      ...(mode === "inclusive" ? { strict: { needs: ["large", "even"], join: "all", ...noop } } : {}),
    },
  };
}

/** Which steps of which mode run for which input; the others are SKIPPED. */
const ROUTES: readonly (readonly [string, number, readonly string[]])[] = [
  ["exclusive", 12, ["large", "joined"]],
  ["exclusive", 4, ["even", "joined"]],
  ["exclusive", 3, ["plain", "joined"]],
  ["inclusive", 12, ["large", "even", "joined", "strict"]],
  ["inclusive", 11, ["large", "joined"]],
  ["inclusive", 3, ["plain", "joined"]],
];

/** Switches, conditions, expressions and outputs from end to end. */
export function describeBranching(open: () => Promise<OpenLedger>): void {
  describe("branching", () => {
    test("a switch selects its first case or every case that holds, else `otherwise`; joins follow what was taken", async () => {
      const harness = await Harness.on(open);
      for (const [mode, n, taken] of ROUTES) {
        const id = await harness.start(routed(mode), { n });
        expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
        const ran = Object.entries(await harness.statuses(id)).flatMap(([step, status]) => (status === "SUCCEEDED" ? [step] : []));
        expect([mode, n, ran]).toEqual([mode, n, ["route", ...taken]]);
      }
      await harness.stepwell.stop();
    });

    test("a switch without `otherwise` that selects nothing skips its targets, and the run succeeds", async () => {
      const harness = await Harness.on(open);
      const steps = { route: { switch: [{ when: "{{ input.go }}", then: ["a"] }] }, a: noop, b: { needs: ["a"], ...noop } };
      const id = await harness.start({ name: "nothing", steps }, { go: false });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(await harness.statuses(id)).toEqual({ route: "SUCCEEDED", a: "SKIPPED", b: "SKIPPED" });
      await harness.stepwell.stop();
    });

    test("a condition that is not a boolean fails its step with EXPRESSION_TYPE, in `when` and in a case", async () => {
      const harness = await Harness.on(open);
      const steps = {
        a: { when: "{{ input.n }}", ...noop },
        route: { switch: [{ when: "{{ input.n }}", then: ["b"] }] },
        b: noop,
      };
      const id = await harness.start({ name: "typed", steps }, { n: 1 });
      expect((await harness.stepwell.result(id)).status).toBe("FAILED");
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ status, error }) => [status, error?.code ?? null])).toEqual([
        ["FAILED", "EXPRESSION_TYPE"],
        ["FAILED", "EXPRESSION_TYPE"],
        ["CANCELLED", null],
      ]);
      await harness.stepwell.stop();
    });

    test("JSONata works in `with` and in `output`, a JSONPath picks from a result, and the run has an output of its own", async () => {
      const orders = [
        { id: 1, total: 30, paid: true },
        { id: 2, total: 12, paid: false },
        { id: 3, total: 8, paid: true },
      ];
      const harness = await Harness.on(open, { operators: { load: () => ({ orders }) } });
      const outcome = await harness.run(
        {
          name: "computed",
          vars: { tax: 1.5 },
          steps: {
            load: { uses: "load", output: "{{ result.orders[paid] }}" },
            ids: { uses: "load", output: "jsonpath:$.orders[?@.paid == true].id" },
            sum: {
              uses: "transform",
              with: { gross: "{{ $sum(steps.load.output.total) * vars.tax }}", text: "{{ input.name }}: {{ $count(steps.load.output) }}" },
            },
          },
          output: { ids: "{{ steps.ids.output }}", sum: "{{ steps.sum.output }}", who: "{{ $uppercase(input.name) }}" },
        },
        { name: "north" },
      );
      expect(outcome.output).toEqual({ ids: [1, 3], sum: { gross: 57, text: "north: 2" }, who: "NORTH" });
      await harness.stepwell.stop();
    });

    test("a run whose output cannot be evaluated FAILS with that reason, although every step succeeded", async () => {
      const harness = await Harness.on(open);
      const id = await harness.start({ name: "unspoken", steps: { a: noop }, output: "{{ steps.a.output.missing }}" });
      expect(await harness.stepwell.result(id)).toMatchObject({
        status: "FAILED",
        reason: "output_failed",
        output: null,
        error: { code: "EXPRESSION_UNRESOLVED" },
      });
      expect(await harness.statuses(id)).toEqual({ a: "SUCCEEDED" });
      await harness.stepwell.stop();
    });

    test("retry, timeout and fallback together: two timed-out attempts, then the fallback stands in and its error stays visible", async () => {
      const harness = await Harness.on(open, { operators: { hang: () => new Promise(() => undefined) } });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 1, on: ["STEP_TIMEOUT"] };
      const steps = {
        rate: { uses: "hang", timeout: 10, retry, fallback: { rate: "{{ vars.usual }}" }, schema: { required: ["rate"] } },
        use: { uses: "transform", with: { rate: "{{ steps.rate.output.rate }}", why: "{{ steps.rate.error.code }}" } },
      };
      const id = await harness.start({ name: "patched", vars: { usual: 7 }, steps, output: "{{ steps.use.output }}" });
      expect((await harness.stepwell.result(id)).output).toEqual({ rate: 7, why: "STEP_TIMEOUT" });
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ status: "SUCCEEDED", reason: "fallback", attempt: 2 });
      await harness.stepwell.stop();
    });

    test("a fallback that does not match the schema fails the step, and `onError` still has its say", async () => {
      const harness = await Harness.on(open, {
        operators: {
          broken: () => {
            throw new Error("broken");
          },
        },
      });
      const step = { uses: "broken", fallback: { wrong: 1 }, schema: { required: ["rate"] }, onError: "continue" };
      const after = { uses: "transform", with: { code: "{{ steps.rate.error.code }}", rate: "{{ steps.rate.output }}" } };
      const outcome = await harness.run({ name: "mismatch", steps: { rate: step, after }, output: "{{ steps.after.output }}" });
      expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { code: "OUTPUT_INVALID", rate: null } });
      await harness.stepwell.stop();
    });

    test("S4-22 S4-28 a list of 1,000 steps runs each once, in order, every output reaching the next", async () => {
      const calls: string[] = [];
      const harness = await Harness.on(open, {
        operators: {
          next: (input: { n: number }, { stepId }: { stepId: string }) => {
            calls.push(stepId);
            return { n: input.n + 1 };
          },
        },
      });
      const steps: Json[] = Array.from({ length: 1_000 }, (_, index) => ({
        id: `s${index}`,
        uses: "next",
        with: { n: index === 0 ? 0 : `{{ steps.s${index - 1}.output.n }}` },
      }));
      const outcome = await harness.run({ name: "long", steps, output: "{{ steps.s999.output.n }}" });
      expect(outcome.output).toBe(1_000);
      expect(calls).toEqual(steps.map((_, index) => `s${index}`));
      await harness.stepwell.stop();
    });

    test("S4-23 S4-27 1,000 steps side by side are all ready at once, each runs once, and a join sees them all", async () => {
      const calls = new Map<string, number>();
      const harness = await Harness.on(open, {
        operators: {
          count: (input: { n: number }, { stepId }: { stepId: string }) => {
            calls.set(stepId, (calls.get(stepId) ?? 0) + 1);
            return input.n;
          },
        },
      });
      const ids = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
      const wide: Record<string, Json> = Object.fromEntries(ids.map((id, n) => [id, { uses: "count", with: { n } }]));
      const id = await harness.start({ name: "wide", steps: { ...wide, join: { needs: ids, uses: "count", with: { n: 1_000 } } } });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(calls.size).toBe(1_001);
      expect(Math.max(...calls.values())).toBe(1);
      const settled = harness.events.flatMap((event) => (event.type === "step.settled" ? [event.step] : []));
      expect(settled.at(-1)).toBe("join");
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ output }) => output)).toEqual([...ids, "join"].map((_, n) => n));
      await harness.stepwell.stop();
    });
  });
}

import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../model/json.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

const echo: Operator = (input) => input;
const refuses: Operator<{ readonly n: number; readonly bad: readonly number[] }> = ({ n, bad }) => {
  if (bad.includes(n)) throw new Error(`${n} is bad`);
  return n * 10;
};
const asks: Operator<{ readonly name: string }> = ({ name }, context) => context.suspend({ kind: "signal", key: name });
const operators = { echo, refuses, asks };

const each = (more: JsonObject, body: readonly JsonObject[]): JsonObject => ({ foreach: "{{ input.list }}", steps: [...body], ...more });

/** Counts what is at work at the same time. */
class Crowd {
  most = 0;
  #now = 0;

  readonly operator: Operator = async (input) => {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await Promise.resolve();
    this.#now -= 1;
    return input;
  };
}

/** Blocks: `foreach` and `loop`. */
export function describeRepeating(open: () => Promise<OpenLedger>): void {
  describe("repeating", () => {
    test("a foreach runs its body once for each item and gives the results in order", async () => {
      const harness = await Harness.on(open, { operators });
      const outcome = await harness.run(
        {
          name: "lines",
          vars: { rate: 2 },
          steps: {
            before: { uses: "echo", with: { add: 1 } },
            lines: each({ output: "{{ steps.price.output.total + index }}" }, [
              { id: "price", uses: "echo", with: { total: "{{ item.n * vars.rate + steps.before.output.add }}" } },
            ]),
          },
          output: "{{ steps.lines.output }}",
        },
        { list: [{ n: 1 }, { n: 2 }, { n: 3 }] },
      );
      expect(outcome).toMatchObject({ status: "SUCCEEDED", output: [3, 6, 9] });
      const run = await harness.stepwell.get(outcome.id);
      expect(run?.steps.map(({ id, status }) => [id, status])).toEqual([
        ["before", "SUCCEEDED"],
        ["lines", "SUCCEEDED"],
        ["lines[0].price", "SUCCEEDED"],
        ["lines[1].price", "SUCCEEDED"],
        ["lines[2].price", "SUCCEEDED"],
      ]);
      await harness.stepwell.stop();
    });

    test("an empty list is an empty result, and something that is no list fails the step", async () => {
      const harness = await Harness.on(open, { operators });
      const definition = { name: "lists", steps: { lines: each({}, [{ id: "x", uses: "echo" }]) }, output: "{{ steps.lines.output }}" };
      expect(await harness.run(definition, { list: [] })).toMatchObject({ status: "SUCCEEDED", output: [] });
      const wrong = await harness.run(definition, { list: { a: 1 } });
      expect(wrong).toMatchObject({ status: "FAILED", error: { data: { code: "FOREACH_NOT_A_LIST" } } });
      await harness.stepwell.stop();
    });

    test("no more items are at work than maxConcurrency allows, and one at a time when sequential", async () => {
      const [three, one] = [new Crowd(), new Crowd()];
      const harness = await Harness.on(open, { operators: { three: three.operator, one: one.operator } });
      const list = Array.from({ length: 20 }, (_, index) => index);
      await harness.run(
        {
          name: "crowd",
          steps: {
            a: each({ maxConcurrency: 3 }, [{ id: "x", uses: "three" }]),
            b: each({ sequential: true }, [{ id: "x", uses: "one" }]),
          },
        },
        { list },
      );
      expect([three.most, one.most]).toEqual([3, 1]);
      await harness.stepwell.stop();
    });

    test("a failed item fails the block, unless as many are tolerated: then its result is null and its error beside it", async () => {
      const harness = await Harness.on(open, { operators });
      const body = [{ id: "x", uses: "refuses", with: { n: "{{ item }}", bad: "{{ input.bad }}" } }];
      const definition = (name: string, tolerate: number | string): JsonObject => ({
        name,
        steps: {
          lines: each({ tolerate, sequential: true }, body),
          after: { uses: "echo", with: { errors: "{{ steps.lines.items[1].error.code ?? 'none' }}" } },
        },
        output: { lines: "{{ steps.lines.output ?? null }}", errors: "{{ steps.after.output.errors }}" },
      });
      const input = { list: [1, 2, 3, 4], bad: [2] };
      const strict = await harness.run(definition("strict", 0), input);
      expect(strict).toMatchObject({ status: "FAILED", error: { data: { step: "lines", code: "ITEMS_FAILED" } } });
      expect(await harness.statuses(strict.id)).toMatchObject({ lines: "FAILED", "lines[0].x": "SUCCEEDED", "lines[1].x": "FAILED" });
      expect((await harness.stepwell.get(strict.id))?.steps.some(({ id }) => id === "lines[2].x")).toBe(false);
      const lenient = await harness.run(definition("lenient", "25%"), input);
      expect(lenient).toMatchObject({ status: "SUCCEEDED", output: { lines: [10, null, 30, 40], errors: "STEP_FAILED" } });
      await harness.stepwell.stop();
    });

    test("items that wait are woken in any order, nested and over a restart", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators });
      const inner = { id: "inner", foreach: "{{ item.names }}", steps: [{ id: "ask", uses: "asks", with: { name: "{{ item }}" } }] };
      const definition = { name: "nested", steps: { outer: each({}, [inner]) }, output: "{{ steps.outer.output }}" };
      const id = await first.start(definition, { list: [{ names: ["a", "b"] }, { names: ["c"] }] });
      await first.event((event) => event.type === "run.suspended");
      expect(await first.stepwell.get(id)).toMatchObject({ status: "SUSPENDED", reason: "signal" });
      await first.stepwell.signal(id, "b", "B");
      await first.event((event) => event.type === "step.settled" && event.step === "outer[0].inner[1].ask");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators });
      await second.stepwell.signal(id, "c", "C");
      await second.stepwell.signal(id, "a", "A");
      expect(await second.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: [["A", "B"], ["C"]] });
      await second.stepwell.stop();
    });

    test("a block of a running run is RUNNING to readers, and SUSPENDED when the run is", async () => {
      const gate = new Gate();
      const harness = await Harness.on(open, { operators: { ...operators, gate: gate.operator } });
      const body = [
        { id: "work", uses: "gate" },
        { id: "ask", uses: "asks", with: { name: "go" } },
      ];
      const id = await harness.start({ name: "shown", steps: { lines: each({}, body) } }, { list: [1] });
      await gate.arrivals(1);
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ id: "lines", status: "RUNNING" });
      gate.open();
      await harness.event((event) => event.type === "run.suspended");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ id: "lines", status: "SUSPENDED", reason: "steps" });
      await harness.stepwell.cancel(id);
      await harness.stepwell.result(id);
      expect(await harness.statuses(id)).toEqual({ lines: "CANCELLED", "lines[0].work": "SUCCEEDED", "lines[0].ask": "CANCELLED" });
      await harness.stepwell.stop();
    });

    test("a crash in the middle of a foreach repeats no finished item", async () => {
      const reopen = await open();
      const calls: Json[] = [];
      const gate = new Gate();
      const ledger = await reopen();
      const counted: Operator = (input, context) => {
        calls.push(input);
        return input === 3 ? gate.operator(input, context) : input;
      };
      const definition = {
        name: "crash",
        steps: { lines: each({ sequential: true }, [{ id: "x", uses: "counted", with: "{{ item }}" }]) },
        output: "{{ steps.lines.output }}",
      };
      const first = new Harness(ledger, { operators: { counted } });
      const id = await first.start(definition, { list: [1, 2, 3, 4] });
      await gate.arrivals(1);
      await ledger.close();
      gate.open();
      const second = new Harness(await reopen(), { operators: { counted } });
      expect((await second.stepwell.result(id)).output).toEqual([1, 2, 3, 4]);
      expect(calls).toEqual([1, 2, 3, 3, 4]);
      await second.stepwell.stop();
    });

    test("an item that was begun and had no row yet keeps its place beside those that begin after a restart", async () => {
      const reopen = await open();
      const gate = new Gate();
      const ledger = await reopen();
      const body = [
        { id: "x", uses: "gate", with: { n: "{{ item }}" } },
        { id: "y", uses: "echo", with: { n: "{{ steps.x.output.n }}" } },
      ];
      const definition = { name: "places", steps: { lines: each({ maxConcurrency: 2 }, body) }, output: "{{ steps.lines.output }}" };
      const first = new Harness(ledger, { operators: { ...operators, gate: gate.operator }, concurrency: { steps: 1 } });
      const id = await first.start(definition, { list: [1, 2, 3] });
      await gate.arrivals(1);
      await ledger.close();
      const second = new Harness(await reopen(), { operators: { ...operators, gate: echo } });
      expect((await second.stepwell.result(id)).output).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      await second.stepwell.stop();
    });

    test("a loop repeats its body until its condition holds, and carries from round to round", async () => {
      const harness = await Harness.on(open, { operators });
      const outcome = await harness.run({
        name: "count",
        steps: {
          count: {
            with: { n: 1 },
            loop: { until: "{{ steps.add.output.n >= 8 }}", carry: { n: "{{ steps.add.output.n }}" }, maxIterations: 10 },
            steps: [{ id: "add", uses: "echo", with: { n: "{{ carry.n * 2 }}", round: "{{ round }}" } }],
            output: "{{ steps.add.output }}",
          },
        },
        output: "{{ steps.count.output }}",
      });
      expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { n: 8, round: 2 } });
      await harness.stepwell.stop();
    });

    test("a loop may be asked before each round, and ends undecided after maxIterations", async () => {
      const harness = await Harness.on(open, { operators });
      const loop = (name: string, rule: JsonObject): JsonObject => ({
        name,
        steps: { l: { loop: rule, steps: [{ id: "x", uses: "echo", with: { n: "{{ round + 1 }}" } }], output: "{{ steps.x.output.n }}" } },
        output: "{{ steps.l.output }}",
      });
      expect(await harness.run(loop("asked", { while: "{{ round < 3 }}", maxIterations: 9 }))).toMatchObject({
        status: "SUCCEEDED",
        output: 3,
      });
      const undecided = await harness.run(loop("undecided", { until: "{{ false }}", maxIterations: 2 }));
      expect(undecided).toMatchObject({ status: "FAILED", error: { data: { code: "LOOP_EXHAUSTED" } } });
      const lenient = await harness.run(loop("lenient", { until: "{{ false }}", maxIterations: 2, exhausted: "succeed" }));
      expect(lenient).toMatchObject({ status: "SUCCEEDED", output: 2 });
      expect((await harness.stepwell.get(lenient.id))?.steps[0]).toMatchObject({ reason: "exhausted", error: { code: "LOOP_EXHAUSTED" } });
      await harness.stepwell.stop();
    });

    test("thousands of rounds and items that have nothing to do are done in commits of a bounded size", async () => {
      const sizes: number[] = [];
      const ledger = await (await open())();
      const harness = new Harness(
        interposed(ledger, {
          commit: (batch) => {
            sizes.push(...batch.units.map(({ writes }) => writes.length));
            return ledger.commit(batch);
          },
        }),
        { operators },
      );
      const idle = { id: "x", uses: "echo", when: "{{ index < 0 }}" };
      const steps = {
        l: {
          loop: { while: "{{ true }}", maxIterations: 2_000, exhausted: "succeed" },
          steps: [{ id: "y", uses: "echo", when: "{{ round < 0 }}" }],
        },
        f: { foreach: "{{ input.list }}", maxConcurrency: 2_000, steps: [idle] },
      };
      const outcome = await harness.run({ name: "idle", steps }, { list: Array.from({ length: 2_000 }, () => 0) });
      expect(outcome.status).toBe("SUCCEEDED");
      expect(Math.max(...sizes)).toBeLessThan(6_000);
      await harness.stepwell.stop();
    });

    test("the delay between two rounds outlives the engine, and the carry with it", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), { operators });
      const definition = {
        name: "poll",
        steps: {
          poll: {
            with: { n: 0 },
            loop: { until: "{{ carry.n >= 2 }}", carry: { n: "{{ carry.n + 1 }}" }, maxIterations: 9, delay: "20ms" },
            steps: [{ id: "check", uses: "echo", with: { seen: "{{ carry.n }}" } }],
            output: "{{ steps.check.output.seen }}",
          },
        },
        output: "{{ steps.poll.output }}",
      };
      const id = await first.start(definition);
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const second = new Harness(await reopen(), { operators });
      expect(await second.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: 2 });
      await second.stepwell.stop();
    });
  });
}

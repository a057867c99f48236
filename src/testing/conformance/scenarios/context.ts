import { describe, expect, test } from "vitest";
import { currentRun } from "../../../engine/run-context.ts";
import { systemClock } from "../../../engine/system-clock.ts";
import type { Json } from "../../../model/json.ts";
import type { Operator, OperatorContext, RunContext } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const timerFired = (): Promise<void> => new Promise((resolve) => void systemClock.setTimer(1, resolve));

/** The run as code sees it that was handed nothing. */
async function deepInside(): Promise<readonly (string | undefined)[]> {
  const seen = [currentRun()?.runId];
  await Promise.resolve();
  seen.push(currentRun()?.runId);
  await nextTurn();
  seen.push(currentRun()?.runId);
  await timerFired();
  seen.push(currentRun()?.runId);
  const nested = await Promise.all([1, 2, 3].map(async () => nextTurn().then(() => currentRun()?.runId)));
  return [...seen, ...nested];
}

/** What an operator knows of the run that it works for, and what it is told. */
export function describeContext(open: () => Promise<OpenLedger>): void {
  describe("context", () => {
    test("S1-7 the run is bound for everything that an operator calls: awaits, timers, nested promises", async () => {
      const harness = await Harness.on(open, { operators: { deep: () => deepInside() } });
      const id = await harness.start({ name: "bound", steps: { a: { uses: "deep" } }, output: "{{ steps.a.output }}" });
      const { output } = await harness.stepwell.result(id);
      expect(output).toEqual(Array.from({ length: 7 }, () => id));
      expect(currentRun()).toBeUndefined();
      await harness.stepwell.stop();
    });

    test("S1-23 in 200 interleaved runs no step ever sees another run", async () => {
      const strangers: unknown[] = [];
      const watch: Operator = async (_input, { runId }) => {
        const seen = await deepInside();
        strangers.push(...seen.filter((other) => other !== runId));
        return runId;
      };
      const harness = await Harness.on(open, { operators: { watch } });
      const steps = { a: { uses: "watch" }, b: { uses: "watch" }, c: { needs: ["a", "b"], uses: "watch" } };
      await harness.stepwell.register({ name: "many", steps, output: "{{ steps.c.output }}" });
      const ids = await Promise.all(Array.from({ length: 200 }, () => harness.stepwell.start("many")));
      const outcomes = await Promise.all(ids.map((id) => harness.stepwell.result(id)));
      expect(outcomes.map(({ output }) => output)).toEqual(ids);
      expect(strangers).toEqual([]);
      await harness.stepwell.stop();
    });

    test("S1-23 listeners and callers are outside: no run is bound there", async () => {
      const bound = new Set<string>();
      const harness = await Harness.on(open, {
        operators: {
          slow: async (_input, { log }) => {
            await nextTurn();
            log.info("inside");
          },
        },
      });
      harness.stepwell.listen((event) => {
        if (currentRun() !== undefined) bound.add(event.type);
      });
      const steps = [{ uses: "slow" }, { uses: "slow" }];
      await harness.stepwell.register({ name: "heard", steps });
      const ids = await Promise.all(Array.from({ length: 20 }, () => harness.stepwell.start("heard")));
      for (const id of ids) await harness.stepwell.result(id);
      expect(currentRun()).toBeUndefined();
      expect([...bound]).toEqual([]);
      await harness.stepwell.stop();
    });

    test("S1-23 the context is immutable, and is the same object for every step of the run", async () => {
      const contexts: RunContext[] = [];
      const vandal: Operator = (_input, { run }) => {
        contexts.push(run);
        for (const target of [run, run.labels, run.input]) expect(() => Object.assign(Object(target), { vandal: true })).toThrow(TypeError);
      };
      const harness = await Harness.on(open, { operators: { vandal } });
      const [input, labels] = [{ order: { id: 7 } }, { shop: "north" }];
      await harness.stepwell.register({ name: "frozen", steps: [{ uses: "vandal" }, { uses: "vandal" }], output: "{{ input.order }}" });
      const id = await harness.stepwell.start("frozen", input, { labels });
      expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: { id: 7 } });
      expect([Object.isFrozen(input), Object.isFrozen(labels)]).toEqual([false, false]);
      expect(contexts).toHaveLength(2);
      expect(contexts[0]).toBe(contexts[1]);
      expect(Object.isFrozen(contexts[0])).toBe(true);
      await harness.stepwell.stop();
    });

    test("S1-24 an operator is told its step, workflow, run, attempt, key, signal and log", async () => {
      const told: OperatorContext[] = [];
      const listen: Operator = (_input, context) => {
        told.push(context);
        if (context.attempt === 1) throw new Error("once more");
        return "done";
      };
      const harness = await Harness.on(open, { operators: { listen } });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 1 };
      await harness.stepwell.register({ name: "told", version: "2", steps: { only: { uses: "listen", retry } } });
      const runId = await harness.stepwell.start("told", { n: 1 }, { initiator: "a shop", labels: { shop: "north" } });
      expect((await harness.stepwell.result(runId)).status).toBe("SUCCEEDED");
      const run = {
        runId,
        workflow: "told",
        version: "2",
        tenant: "default",
        initiator: "a shop",
        labels: { shop: "north" },
        input: { n: 1 },
      };
      expect(told.map(({ attempt }) => attempt)).toEqual([1, 2]);
      for (const context of told) {
        expect(context.run).toEqual(run);
        const { stepId, workflow, idempotencyKey, signal } = context;
        expect([stepId, workflow, context.runId, idempotencyKey]).toEqual(["only", "told", runId, `${runId}:only`]);
        expect(signal.aborted).toBe(false);
      }
      await harness.stepwell.stop();
    });

    test("an operator that changes its input changes neither its own retry nor what others read", async () => {
      const seen: Json[] = [];
      const spoil: Operator = (input, { attempt, stepId }) => {
        seen.push(structuredClone(input));
        try {
          Object.assign(Object(input), { spoiled: true });
          const { lines } = Object(input);
          if (Array.isArray(lines)) lines.push("spoiled");
        } catch {
          // refused because it is frozen, which is as good
        }
        if (stepId === "b" && attempt === 1) throw new Error("once more");
        return "spoiled";
      };
      const harness = await Harness.on(open, { operators: { spoil } });
      const shared = { lines: "{{ steps.a.output.lines }}", order: "{{ input.order }}" };
      const definition = {
        name: "spoiled",
        steps: [
          { id: "a", uses: "transform", with: { lines: [1, 2] } },
          { id: "b", uses: "spoil", with: shared, retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 1 } },
          { id: "c", uses: "spoil", with: shared },
        ],
      };
      const outcome = await harness.run(definition, { order: { id: 7 } });
      expect(outcome.status).toBe("SUCCEEDED");
      expect(seen).toEqual(Array.from({ length: 3 }, () => ({ lines: [1, 2], order: { id: 7 } })));
      await harness.stepwell.stop();
    });

    test("what an operator logs reaches listeners with the run, step and attempt that said it", async () => {
      const gate = new Gate();
      const talk: Operator = async (input, context) => {
        context.log.debug("before", { n: 1 });
        await gate.operator(input, context);
        context.log.info("after");
        context.log.warn("careful");
        context.log.error("broken", { why: "no reason" });
      };
      const harness = await Harness.on(open, { operators: { talk } });
      const id = await harness.start({ name: "talk", steps: { a: { uses: "talk" } } });
      await gate.arrivals(1);
      gate.open();
      await harness.stepwell.result(id);
      const lines = harness.events.flatMap((event) => (event.type === "log" ? [event] : []));
      expect(lines.map(({ level, message, fields }) => [level, message, fields])).toEqual([
        ["debug", "before", { n: 1 }],
        ["info", "after", {}],
        ["warn", "careful", {}],
        ["error", "broken", { why: "no reason" }],
      ]);
      expect(lines.every(({ run, step, attempt }) => run.id === id && step === "a" && attempt === 1)).toBe(true);
      await harness.stepwell.stop();
    });
  });
}

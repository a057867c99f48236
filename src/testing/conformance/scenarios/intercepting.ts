import { describe, expect, test } from "vitest";
import type { Interceptor } from "../../../engine/api.ts";
import { currentRun } from "../../../engine/run-context.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const one = { name: "one", steps: { a: { uses: "work" } }, output: "{{ steps.a.output }}" };

/** What stands around attempts and beside runs must not disturb them. */
export function describeIntercepting(open: () => Promise<OpenLedger>): void {
  describe("intercepting", () => {
    test("interceptors wrap every attempt, the first one outermost, inside the run's context", async () => {
      const log: string[] = [];
      const around =
        (name: string): Interceptor =>
        async (attempt, next) => {
          log.push(`${name} before ${attempt.stepId} ${attempt.attempt} ${currentRun()?.runId === attempt.runId}`);
          const result = await next();
          log.push(`${name} after`);
          return { [name]: result };
        };
      const work: Operator = () => {
        log.push("work");
        return 1;
      };
      const harness = await Harness.on(open, { operators: { work }, interceptors: [around("outer"), around("inner")] });
      expect((await harness.run(one)).output).toEqual({ outer: { inner: 1 } });
      expect(log).toEqual(["outer before a 1 true", "inner before a 1 true", "work", "inner after", "outer after"]);
      await harness.stepwell.stop();
    });

    test("an interceptor that throws fails the attempt as the operator would; one that sees a failure may stand in for it", async () => {
      let attempts = 0;
      const refuseOnce: Interceptor = async (_attempt, next) => {
        attempts += 1;
        if (attempts === 1) throw new Error("not now");
        return next();
      };
      const rescue: Interceptor = async ({ stepId }, next) => (stepId === "b" ? next().catch(() => "rescued") : next());
      const work: Operator = () => "worked";
      const fail: Operator = () => {
        throw new Error("broken");
      };
      const harness = await Harness.on(open, { operators: { work, fail }, interceptors: [rescue, refuseOnce] });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 1 };
      const id = await harness.start({
        name: "thrown",
        steps: [
          { id: "a", uses: "work", retry },
          { id: "b", uses: "fail" },
        ],
      });
      expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      const run = await harness.stepwell.get(id);
      expect(run?.steps.map(({ attempt, output }) => [attempt, output])).toEqual([
        [2, "worked"],
        [1, "rescued"],
      ]);
      await harness.stepwell.stop();
    });

    test("an interceptor that never calls `next` does not pass its own answer off as the operator's", async () => {
      let worked = 0;
      const work: Operator = () => {
        worked += 1;
      };
      const harness = await Harness.on(open, { operators: { work }, interceptors: [async () => "forged"] });
      expect(await harness.run(one)).toMatchObject({ status: "FAILED" });
      expect(worked).toBe(0);
      await harness.stepwell.stop();
    });

    test("an interceptor that calls `next` twice does not run the operator twice", async () => {
      let worked = 0;
      const work: Operator = () => ++worked;
      const twice: Interceptor = async (_attempt, next) => {
        await next();
        return next();
      };
      const harness = await Harness.on(open, { operators: { work }, interceptors: [twice] });
      await harness.run(one);
      expect(worked).toBe(1);
      await harness.stepwell.stop();
    });

    test("a listener that fails later is reported and disturbs nobody", async () => {
      const harness = await Harness.on(open, { operators: { fine: () => 1 } });
      const warned = new Promise<string>((resolve) => {
        process.once("warning", ({ message }) => {
          resolve(message);
        });
      });
      const careless: () => unknown = () => Promise.reject(new Error("too late"));
      const forget = harness.stepwell.listen(careless);
      expect((await harness.run({ name: "heard", steps: { a: { uses: "fine" } } })).status).toBe("SUCCEEDED");
      expect(await warned).toContain("too late");
      forget();
      await harness.stepwell.stop();
    });

    test("a listener that throws, whatever it throws, disturbs neither the run nor other listeners", async () => {
      const harness = await Harness.on(open, { operators: { work: () => "fine" } });
      const heard: string[] = [];
      const thrown = [new Error("a listener broke"), null, Object.create(null)];
      for (const value of thrown) {
        harness.stepwell.listen(() => {
          throw value;
        });
      }
      harness.stepwell.listen((event) => heard.push(event.type));
      expect((await harness.run(one)).output).toBe("fine");
      expect(heard).toEqual(["run.started", "step.started", "step.settled", "run.ended"]);
      await harness.stepwell.stop();
    });

    test("S0-34 listeners hear of a start and an end only when a reader of the ledger can see it", async () => {
      const gates = { a: new Gate(), b: new Gate() };
      const ledger = await (await open())();
      const harness = new Harness(ledger, { operators: { first: gates.a.operator, second: gates.b.operator } });
      const seen: Promise<string>[] = [];
      harness.stepwell.listen((event) => {
        if (event.type !== "step.started" && event.type !== "step.settled") return;
        const told = `${event.step} ${event.type === "step.started" ? "RUNNING" : event.status}`;
        seen.push(
          ledger.listSteps("default", event.run.id).then((steps) => {
            const row = steps.find(({ path }) => path === event.step);
            return `${told} is ${row?.path} ${row?.status}`;
          }),
        );
      });
      const id = await harness.start({
        name: "told",
        steps: [
          { id: "a", uses: "first" },
          { id: "b", uses: "second" },
        ],
      });
      for (const gate of [gates.a, gates.b]) {
        await gate.arrivals(1);
        await Promise.all(seen);
        gate.open();
      }
      await harness.stepwell.result(id);
      expect(await Promise.all(seen)).toEqual([
        "a RUNNING is a RUNNING",
        "a SUCCEEDED is a SUCCEEDED",
        "b RUNNING is b RUNNING",
        "b SUCCEEDED is b SUCCEEDED",
      ]);
      await harness.stepwell.stop();
    });

    test("a listener is told nothing more after it was taken off", async () => {
      const harness = await Harness.on(open, { operators: { work: () => 1 } });
      const heard: string[] = [];
      const stop = harness.stepwell.listen((event) => heard.push(event.type));
      await harness.run(one);
      stop();
      const before = heard.length;
      await harness.run(one);
      expect(before).toBeGreaterThan(0);
      expect(heard).toHaveLength(before);
      await harness.stepwell.stop();
    });
  });
}

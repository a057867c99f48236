import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../engine/system-clock.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const threaded = new URL("../../../../test/fixtures/operators/threaded.ts", import.meta.url);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Many runs on one event loop: what waits, what blocks, who comes next. */
export function describeSharing(open: () => Promise<OpenLedger>): void {
  describe("sharing", () => {
    test("S1-4 S1-18 hundreds of steps wait at once on one event loop, and none of them holds up another", async () => {
      const gate = new Gate();
      const harness = await Harness.on(open, { operators: { wait: gate.operator, quick: () => "quick" } });
      const steps = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`s${index}`, { uses: "wait" }]));
      const waiting = await harness.start({ name: "waiting", steps });
      await gate.arrivals(300);
      const quick = await harness.run({ name: "quick", steps: [{ uses: "quick" }, { uses: "quick" }, { uses: "quick" }] });
      expect(quick.status).toBe("SUCCEEDED");
      expect(new Set(Object.values(await harness.statuses(waiting)))).toEqual(new Set(["RUNNING"]));
      gate.open();
      expect((await harness.stepwell.result(waiting)).status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S1-19 a step that blocks for two seconds in a thread delays no other run", async () => {
      const { block } = await import(fileURLToPath(threaded));
      const harness = await Harness.on(open, { operators: { block }, operatorModule: threaded.href });
      const blocking = { a: { uses: "block", isolation: "thread", with: { ms: 2_000 } } };
      const id = await harness.start({ name: "blocking", steps: blocking, output: "{{ steps.a.output }}" });
      await harness.stepStarted("a");
      await harness.stepwell.register({
        name: "quick",
        steps: [
          { uses: "transform", with: {} },
          { uses: "transform", with: {} },
        ],
      });
      let longestMs = 0;
      for (let run = 0; run < 20; run++) {
        const begun = systemClock.monotonic();
        expect((await harness.stepwell.result(await harness.stepwell.start("quick"))).status).toBe("SUCCEEDED");
        longestMs = Math.max(longestMs, systemClock.monotonic() - begun);
      }
      expect(harness.events.filter(({ type }) => type === "run.ended")).toHaveLength(20);
      expect(longestMs).toBeLessThan(1_000);
      expect((await harness.stepwell.result(id)).output).toBe("blocked 2000 ms");
      await harness.stepwell.stop();
    });

    test("S1-21 a step that blocks its thread for good ends at its timeout and is tried again like any other", async () => {
      const { blockForever } = await import(fileURLToPath(threaded));
      const harness = await Harness.on(open, { operators: { blockForever }, operatorModule: threaded.href });
      const retry = { strategy: "fixed", maxAttempts: 2, initialDelay: 1 };
      const steps = { a: { uses: "blockForever", isolation: "thread", timeout: 150, retry, fallback: "gave up" } };
      const id = await harness.start({ name: "stuck", steps, output: "{{ steps.a.output }}" });
      expect((await harness.stepwell.result(id)).output).toBe("gave up");
      expect((await harness.stepwell.get(id))?.steps[0]).toMatchObject({ attempt: 2, reason: "fallback", error: { code: "STEP_TIMEOUT" } });
      await harness.stepwell.stop();
    });

    test("S1-13 S1-20 with few slots every run gets its turn: who asked first is served first, lane by lane", async () => {
      const order: string[] = [];
      const note: Operator = async (_input, { run }) => {
        order.push(String(run.labels["n"]));
        await nextTurn();
      };
      const ledger = await (await open())();
      const harness = new Harness(ledger, { operators: { note }, concurrency: { steps: 2 } });
      await harness.stepwell.register({ name: "fair", steps: { a: { uses: "note" } } });
      const starts = Array.from({ length: 40 }, (_, n) => harness.stepwell.start("fair", {}, { labels: { n: String(n) } }));
      const ids = await Promise.all(starts);
      for (const id of ids) await harness.stepwell.result(id);
      // connections that commit side by side answer in any order
      const lanes = Map.groupBy(order, (n) => Number(n) % ledger.lanes);
      expect([...lanes.values()].flat()).toHaveLength(40);
      for (const served of lanes.values()) expect(served).toEqual(served.toSorted((a, b) => Number(a) - Number(b)));
      await harness.stepwell.stop();
    });

    test("S1-20 QUEUED runs start in the order in which they were asked for", async () => {
      const order: string[] = [];
      const gate = new Gate();
      const note: Operator = async (input, context) => {
        order.push(String(context.run.labels["n"]));
        await gate.operator(input, context);
      };
      const harness = await Harness.on(open, { operators: { note }, concurrency: { runs: 1 } });
      await harness.stepwell.register({ name: "queued", steps: { a: { uses: "note" } } });
      const ids: string[] = [];
      for (let n = 0; n < 12; n++) ids.push(await harness.stepwell.start("queued", {}, { labels: { n: String(n) } }));
      gate.open();
      for (const id of ids) expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(order).toEqual(Array.from({ length: 12 }, (_, n) => String(n)));
      await harness.stepwell.stop();
    });

    test("S1-13 S1-20 hundreds of runs pass through room for a few, each once, however they are started", async () => {
      const calls = new Map<string, number>();
      const count: Operator = async (_input, { idempotencyKey }) => {
        await nextTurn();
        calls.set(idempotencyKey, (calls.get(idempotencyKey) ?? 0) + 1);
      };
      const harness = await Harness.on(open, { operators: { count }, concurrency: { runs: 7, steps: 5 } });
      await harness.stepwell.register({
        name: "many",
        steps: { a: { uses: "count" }, b: { uses: "count" }, c: { needs: ["a"], uses: "count" } },
      });
      const starts = Array.from({ length: 300 }, () => harness.stepwell.start("many").then((id) => harness.stepwell.result(id)));
      const outcomes = await Promise.all(starts);
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["SUCCEEDED"]));
      expect(calls.size).toBe(900);
      expect(new Set(calls.values())).toEqual(new Set([1]));
      await harness.stepwell.stop();
    });

    test("S1-21 a timeout longer than any timer of the platform does not fire at once", async () => {
      const harness = await Harness.on(open, { operators: { wait: () => nextTurn() } });
      const outcome = await harness.run({ name: "patient", timeout: "90d", steps: { a: { uses: "wait", timeout: "60d" } } });
      expect(outcome.status).toBe("SUCCEEDED");
      await harness.stepwell.stop();
    });

    test("S0-2 S0-10 S0-17 a run passes trigger, preflight, execution and completion, and every stage can be watched", async () => {
      const ledger = await (await open())();
      const seen: (readonly string[])[] = [];
      const look: Operator = async (_input, { runId, stepId }) => {
        const run = await ledger.getRun("default", runId);
        const steps = await ledger.listSteps("default", runId);
        seen.push([stepId, run?.status ?? "", ...steps.map(({ status }) => status)]);
        return { by: stepId };
      };
      const { stepwell } = new Harness(ledger, { operators: { look } });
      const told: string[] = [];
      stepwell.listen((event) => told.push("step" in event ? `${event.type} ${event.step}` : event.type));
      await stepwell.register({
        name: "stages",
        steps: [
          { id: "fetch", uses: "look" },
          { id: "store", uses: "look" },
        ],
      });
      const id = await stepwell.start("stages", {}, { trigger: "schedule" });
      await stepwell.result(id);
      expect(seen).toEqual([
        ["fetch", "RUNNING", "RUNNING", "PENDING"],
        ["store", "RUNNING", "SUCCEEDED", "RUNNING"],
      ]);
      const steps = ["fetch", "store"].flatMap((step) => [`step.started ${step}`, `step.settled ${step}`]);
      expect(told).toEqual(["run.started", ...steps, "run.ended"]);
      const row = await ledger.getRun("default", id);
      expect([row?.trigger, row?.status]).toEqual(["schedule", "SUCCEEDED"]);
      const rows = await ledger.listSteps("default", id);
      expect(rows.map(({ output }) => output)).toEqual(['{"by":"fetch"}', '{"by":"store"}']);
      await stepwell.stop();
    });

    test("S0-22 S4-24 a step is RUNNING in the ledger before its operator is called, and so is every further attempt", async () => {
      const ledger = await (await open())();
      const seen: unknown[] = [];
      const look: Operator = async (_input, { runId, attempt }) => {
        const [step] = await ledger.listSteps("default", runId);
        seen.push([step?.status, step?.attempt, attempt]);
        if (attempt < 3) throw new Error("once more");
      };
      const harness = new Harness(ledger, { operators: { look } });
      const retry = { strategy: "fixed", maxAttempts: 3, initialDelay: 1 };
      await harness.run({ name: "watched", steps: { a: { uses: "look", retry } } });
      expect(seen).toEqual([1, 2, 3].map((attempt) => ["RUNNING", attempt, attempt]));
      await harness.stepwell.stop();
    });

    test("S0-8 S1-10 the run is in the ledger before anything executes, and its steps pass through the statuses that they may have", async () => {
      const ledger = await (await open())();
      const executed: (string | undefined)[] = [];
      const broken: Operator = async (_input, { runId }) => {
        executed.push((await ledger.getRun("default", runId))?.publicId);
        throw new Error("broken");
      };
      const harness = new Harness(ledger, { operators: { broken } });
      const steps = {
        failed: { uses: "broken", retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 1 } },
        cancelled: { needs: ["failed"], uses: "broken" },
        skipped: { when: "{{ input.wanted ?? false }}", uses: "broken" },
        succeeded: { uses: "transform", with: {} },
      };
      const id = await harness.start({ name: "statuses", steps });
      await harness.stepwell.result(id);
      expect(executed).toEqual([id, id]);
      expect(await harness.statuses(id)).toEqual({ failed: "FAILED", cancelled: "CANCELLED", skipped: "SKIPPED", succeeded: "SUCCEEDED" });
      const suspended = harness.events.find(({ type }) => type === "step.retrying");
      expect(suspended).toMatchObject({ step: "failed", attempt: 1 });
      await harness.stepwell.stop();
    });
  });
}

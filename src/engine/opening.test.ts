import { describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import { StepwellError } from "../model/errors.ts";
import type { Operator } from "../operators/operator.ts";
import { Gate, Harness, interposed } from "../testing/harness.ts";

const turns = async (count: number): Promise<void> => {
  for (let passed = 0; passed < count; passed++) await new Promise((resolve) => setImmediate(resolve));
};

describe("an engine that cannot be opened to its end", () => {
  test("P5 does nothing any more with what it had taken up by then: one engine follows it, and not another one when it hears that it is fenced", async () => {
    const memory = openMemoryLedger();
    let owned = 0;
    let mustFail = false;
    let lose: ((error: StepwellError) => void) | undefined;
    const [taken, gate] = [Promise.withResolvers<void>(), new Gate()];
    const ledger = interposed(memory, {
      isShared: true,
      own: (worker, events) => {
        owned += 1;
        lose = (error) => events?.lost(error);
        return memory.own(worker, events);
      },
      claims: {
        admit: (epoch, limit) => memory.claims.admit(epoch, limit),
        runs: (pickup, afterId, limit) => memory.claims.runs(pickup, afterId, limit),
        due: (after, limit) => memory.claims.due(after, limit),
        one: (runId) => memory.claims.one(runId),
        sent: async (afterId, limit) => {
          if (!mustFail) return memory.claims.sent(afterId, limit);
          mustFail = false;
          await taken.promise;
          throw new StepwellError("LEDGER_UNREACHABLE", "nobody answers");
        },
      },
    });
    let calls = 0;
    const work: Operator = async () => {
      calls += 1;
      taken.resolve();
      await gate.passed();
    };
    const harness = new Harness(ledger, { operators: { work } });
    const id = await harness.start({ name: "endures", steps: { a: { uses: "work" }, b: { uses: "work" } } });
    const result = harness.stepwell.result(id);
    await gate.arrivals(1);
    mustFail = true;
    lose?.(new StepwellError("LEDGER_FENCED", "the lease has run out"));
    await harness.event(({ type }) => type === "ledger.owned");
    gate.open();
    expect(await result.catch(() => harness.stepwell.result(id))).toMatchObject({ status: "SUCCEEDED" });
    await turns(50);
    expect(owned).toBe(3);
    expect(harness.events.filter(({ type }) => type === "ledger.failed")).toHaveLength(1);
    expect(calls).toBeLessThanOrEqual(5);
    await harness.stepwell.stop();
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import { Gate, Harness, interposed } from "../testing/harness.ts";
import { systemClock } from "./system-clock.ts";

const turns = async (count: number): Promise<void> => {
  for (let passed = 0; passed < count; passed++) await new Promise((resolve) => setImmediate(resolve));
};

/** A memory ledger whose next commit is written at once and told only when the gate opens. */
function slowToTell(): { readonly ledger: Ledger; hold: Gate | undefined; readonly held: () => boolean } {
  const memory = openMemoryLedger();
  let isHeld = false;
  const state: { readonly ledger: Ledger; hold: Gate | undefined; readonly held: () => boolean } = {
    hold: undefined,
    held: () => isHeld,
    ledger: interposed(memory, {
      lanes: 1,
      commit: async (batch) => {
        const { hold } = state;
        state.hold = undefined;
        const outcome = await memory.commit(batch);
        if (hold !== undefined) {
          isHeld = true;
          await hold.opened;
        }
        return outcome;
      },
    }),
  };
  return state;
}

describe("races", () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    unhandled.length = 0;
    process.on("unhandledRejection", note);
  });

  afterEach(() => {
    process.off("unhandledRejection", note);
  });

  test("S0-21 a cancel that is accepted while the run's output is being evaluated wins", async () => {
    const state = slowToTell();
    const [first, last] = [new Gate(), new Gate()];
    const harness = new Harness(state.ledger, { operators: { first: first.operator, last: last.operator } });
    const id = await harness.start({
      name: "ending",
      steps: { a: { uses: "first" }, b: { uses: "last" } },
      output: "{{ $sum([1..2000].($ * 2)) }}",
    });
    await Promise.all([first.arrivals(1), last.arrivals(1)]);
    const telling = new Gate();
    state.hold = telling;
    first.open();
    while (!state.held()) await turns(1);
    await harness.stepwell.cancel(id);
    last.open();
    telling.open();
    expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
    await turns(3);
    expect(harness.events.filter(({ type }) => type === "run.broken")).toEqual([]);
    expect((await harness.stepwell.get(id))?.status).toBe("CANCELLED");
    expect(unhandled).toEqual([]);
    await harness.stepwell.stop();
  });

  test("an output that is still being checked when the grace of a cancel is over is not an accident", async () => {
    const state = slowToTell();
    const gate = new Gate();
    const harness = new Harness(state.ledger, { operators: { work: gate.operator }, cancelGraceMs: 0 });
    const id = await harness.start({
      name: "checked",
      steps: { a: { uses: "work", with: { n: [1] }, output: "jsonpath:$.n[0]", schema: { type: "array" } } },
    });
    await gate.arrivals(1);
    const telling = new Gate();
    const cancelled = harness.stepwell.cancel(id);
    state.hold = telling;
    gate.open();
    await cancelled;
    await turns(1);
    // the grace passes before the check can go on, because timers come before what is loaded
    for (const until = systemClock.monotonic() + 5; systemClock.monotonic() < until; );
    while (!state.held()) await turns(1);
    await import("json-p3");
    await import("ajv/dist/2020.js");
    await turns(20);
    telling.open();
    expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
    // which of the two comes first is open; that the other one then counts for nothing is not
    expect(["SUCCEEDED", "CANCELLED"]).toContain((await harness.statuses(id))["a"]);
    await turns(3);
    expect(unhandled).toEqual([]);
    await harness.stepwell.stop();
  });

  test("whoever asks for a result at the moment of the end gets it", async () => {
    const harness = new Harness(openMemoryLedger(), { operators: { work: () => 1 } });
    await harness.stepwell.register({ name: "short", steps: { a: { uses: "work" } }, output: "{{ steps.a.output }}" });
    const outcomes: Promise<unknown>[] = [];
    harness.stepwell.listen((event) => {
      if (event.type === "run.ended" || event.type === "step.settled") outcomes.push(harness.stepwell.result(event.run.id));
    });
    for (let run = 0; run < 20; run++) await harness.stepwell.result(await harness.stepwell.start("short"));
    const ends = await Promise.all(outcomes);
    expect(ends).toHaveLength(40);
    for (const end of ends) expect(end).toMatchObject({ status: "SUCCEEDED", output: 1 });
    await harness.stepwell.stop();
  });
});

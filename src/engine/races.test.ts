import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import { Gate, Harness, interposed } from "../testing/harness.ts";
import { systemClock } from "./system-clock.ts";

/** What checks an output against its schema loads when this opens. */
const checking = vi.hoisted(() => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
});
vi.mock("ajv-formats", async () => {
  await checking.opened;
  return { default: { default: () => undefined } };
});

/** Long after a grace of no time, and after what has been opened is loaded. */
const graceIsOver = (): Promise<void> => new Promise((resolve) => void systemClock.setTimer(20, resolve));

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

  test("who asks for a result just before the engine stops hears that it did, and nobody else does", async () => {
    const memory = openMemoryLedger();
    const looking = new Gate();
    const getRun: Ledger["getRun"] = async (tenant, publicId) => {
      await looking.operator(null, Object.create(null));
      return memory.getRun(tenant, publicId);
    };
    const harness = new Harness(interposed(memory, { getRun }));
    await harness.stepwell.open();
    const result = harness.stepwell.result("no-such-run");
    await looking.arrivals(1);
    await harness.stepwell.stop();
    await expect(result).rejects.toMatchObject({ code: "ENGINE_STOPPED" });
    looking.open();
    await turns(2);
    expect(unhandled).toEqual([]);
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
      steps: { a: { uses: "work", with: { n: [1] }, schema: { type: "object" } } },
    });
    await gate.arrivals(1);
    const telling = new Gate();
    state.hold = telling;
    gate.open();
    await harness.stepwell.cancel(id);
    while (!state.held()) await turns(1);
    await graceIsOver();
    checking.open();
    await graceIsOver();
    telling.open();
    expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
    expect(await harness.statuses(id)).toEqual({ a: "CANCELLED" });
    await turns(3);
    expect(unhandled).toEqual([]);
    await harness.stepwell.stop();
  });

  test("a step that did not stop in time ends although a signal keeps its end from being written the first time", async () => {
    const memory = openMemoryLedger();
    const gate = new Gate();
    let id = "";
    let isSent = false;
    const ledger = interposed(memory, {
      commit: async (batch) => {
        if (!isSent && batch.units.some(({ writes }) => writes.some(({ write }) => write === "endRun"))) {
          isSent = true;
          await memory.accept({ tenant: "default", publicId: id, kind: "signal", name: "late", payload: null, actor: "elsewhere" });
        }
        return memory.commit(batch);
      },
    });
    const harness = new Harness(ledger, { operators: { work: gate.operator }, cancelGraceMs: 0 });
    id = await harness.start({ name: "deaf", steps: { a: { uses: "work" } } });
    await gate.arrivals(1);
    await harness.stepwell.cancel(id);
    expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
    expect(await harness.statuses(id)).toEqual({ a: "CANCELLED" });
    expect(isSent).toBe(true);
    await harness.stepwell.stop();
  });

  test("S3-45 a step whose start is on its way to the disk when the run's time is up is not called any more", async () => {
    const state = slowToTell();
    const gate = new Gate();
    let called = 0;
    const harness = new Harness(state.ledger, { operators: { first: gate.operator, second: () => void (called += 1) } });
    const steps = [
      { id: "a", uses: "first" },
      { id: "b", uses: "second" },
    ];
    const id = await harness.start({ name: "late", timeout: 100, steps });
    await gate.arrivals(1);
    const telling = new Gate();
    state.hold = telling;
    gate.open();
    while (!state.held()) await turns(1);
    await new Promise<void>((resolve) => void systemClock.setTimer(150, resolve));
    telling.open();
    expect(await harness.stepwell.result(id)).toMatchObject({ status: "FAILED", reason: "timeout" });
    expect(await harness.statuses(id)).toEqual({ a: "SUCCEEDED", b: "CANCELLED" });
    expect(called).toBe(0);
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

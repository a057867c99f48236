import { describe, expect, test } from "vitest";
import { Committer, type Committing } from "../ledger/committer.ts";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import type { Batch, CommitOutcome, Unit } from "../ledger/writes.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { ErrorCode } from "../model/error-codes.ts";
import { StepwellError } from "../model/errors.ts";
import { interposed } from "../testing/harness.ts";
import { systemClock } from "./system-clock.ts";

type Answer = (batch: Batch) => CommitOutcome | Promise<CommitOutcome>;

const committed = (now = 1, missed: readonly number[] = []): CommitOutcome => ({ outcome: "committed", now, missed, accepted: [] });
const refuse = (code: ErrorCode): never => {
  throw new StepwellError(code, `the fake ledger says ${code}`);
};

/** A ledger that only takes commits and answers them as told; it keeps what it was asked to write. */
function fakeLedger(answer: Answer, lanes = 1): { readonly ledger: Ledger; readonly batches: number[][] } {
  const batches: number[][] = [];
  const commit = async (batch: Batch): Promise<CommitOutcome> => {
    batches.push(batch.units.map(({ runId }) => runId));
    return answer(batch);
  };
  return { ledger: interposed(openMemoryLedger(), { lanes, commit }), batches };
}

/** A clock whose timers fire when the test says so; `soon` is the real one. */
class HandClock implements Clock {
  readonly delays: number[] = [];
  readonly #callbacks: (() => void)[] = [];
  readonly #set: (() => void)[] = [];

  now(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.delays.push(delayMs);
    this.#callbacks.push(callback);
    for (const set of this.#set.splice(0)) set();
    return { cancel: () => undefined };
  }

  soon(callback: () => void): void {
    systemClock.soon(callback);
  }

  async timerSet(): Promise<void> {
    while (this.#callbacks.length === 0) await new Promise<void>((resolve) => this.#set.push(resolve));
  }

  /** Fires the next timer as soon as it has been set. */
  async fire(): Promise<void> {
    await this.timerSet();
    this.#callbacks.shift()?.();
  }
}

/** One run that has one unit at a time to commit, and notes what it was told. */
class FakeRun implements Committing {
  readonly told: string[] = [];
  readonly runId: number;
  readonly givesUp: boolean;

  constructor(runId: number, givesUp = false) {
    this.runId = runId;
    this.givesUp = givesUp;
  }

  form(): Unit {
    this.told.push("formed");
    return { runId: this.runId, inboxSeq: 0, writes: [] };
  }

  committed(now: number): void {
    this.told.push(`committed at ${now}`);
  }

  missed(): void {
    this.told.push("missed");
  }

  refused({ code }: StepwellError): void {
    this.told.push(`refused ${code}`);
  }

  /** What it was told after it formed its unit. */
  get end(): string | undefined {
    return this.told.at(-1);
  }
}

function setUp(answer: Answer, lanes = 1) {
  const { ledger, batches } = fakeLedger(answer, lanes);
  const clock = new HandClock();
  const events: string[] = [];
  const committer = new Committer(ledger, 7, clock, {
    fatal: ({ code }) => events.push(`fatal ${code}`),
    stalled: ({ code }, retryInMs) => events.push(`stalled ${code} ${retryInMs}`),
    accepted: (rows) => events.push(`accepted ${rows.length}`),
    told: () => undefined,
  });
  const add = (runs: readonly FakeRun[]): void => {
    for (const run of runs) committer.add(run);
  };
  return { committer, batches, clock, events, add };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const runsOf = (count: number): readonly FakeRun[] => Array.from({ length: count }, (_, index) => new FakeRun(index));

describe("the committer", () => {
  test("S0-16 everything that is decided while a commit is in flight gathers into the next one, and nothing is told before", async () => {
    const gates: (() => void)[] = [];
    const { committer, batches, add } = setUp(async () => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return committed(5);
    });
    const [first, ...others] = runsOf(4);
    add(first === undefined ? [] : [first]);
    while (gates.length === 0) await nextTurn();
    add(others);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(batches).toEqual([[0]]);
    expect([first?.told, others[0]?.told]).toEqual([["formed"], []]);
    gates.shift()?.();
    while (gates.length === 0) await nextTurn();
    expect(first?.end).toBe("committed at 5");
    expect(others.map(({ end }) => end)).toEqual(["formed", "formed", "formed"]);
    gates.shift()?.();
    await committer.idle();
    expect(batches).toEqual([[0], [1, 2, 3]]);
    expect(others.map(({ end }) => end)).toEqual(["committed at 5", "committed at 5", "committed at 5"]);
  });

  test("one refused unit among many fails only its run", async () => {
    const { committer, batches, events, add } = setUp(({ units }) =>
      units.some(({ runId }) => runId === 11) ? refuse("LEDGER_CONFLICT") : committed(),
    );
    const runs = runsOf(16);
    add(runs);
    await committer.idle();
    expect(runs.map(({ told }) => told.filter((word) => word !== "formed"))).toEqual(
      runs.map(({ runId }) => [runId === 11 ? "refused LEDGER_CONFLICT" : "committed at 1"]),
    );
    expect(batches.length).toBeLessThanOrEqual(2 * Math.log2(16) + 1);
    expect(events).toEqual([]);
  });

  test("a unit whose inbox moved on is told apart from those that were written", async () => {
    const { committer, add } = setUp(() => committed(3, [1]));
    const runs = runsOf(3);
    add(runs);
    await committer.idle();
    expect(runs.map(({ end }) => end)).toEqual(["committed at 3", "missed", "committed at 3"]);
  });

  test.each(["LEDGER_BUSY", "LEDGER_FULL", "LEDGER_UNREACHABLE"] as const)(
    "%s stalls: who waits for an answer is told, the others go on when it has passed",
    async (code) => {
      let failures = 3;
      const { committer, batches, clock, events, add } = setUp(() => (failures-- > 0 ? refuse(code) : committed()));
      const patient = new FakeRun(1);
      const caller = new FakeRun(2, true);
      add([patient, caller]);
      for (let retry = 0; retry < 3; retry++) await clock.fire();
      await committer.idle();
      expect(caller.end).toBe(`refused ${code}`);
      expect(patient.told).toEqual(["formed", "committed at 1"]);
      expect(batches).toEqual([[1, 2], [1], [1], [1]]);
      expect(events).toEqual([`stalled ${code} 50`, `stalled ${code} 100`, `stalled ${code} 200`]);
    },
  );

  test("a caller that comes during a stall is refused with its code, not left waiting until it has passed", async () => {
    let isFull = true;
    const { committer, clock, add } = setUp(() => (isFull ? refuse("LEDGER_FULL") : committed()));
    const [patient, caller] = [new FakeRun(1), new FakeRun(2, true)];
    add([patient]);
    await clock.timerSet();
    add([caller]);
    for (let retry = 0; retry < 3; retry++) {
      await clock.fire();
      await nextTurn();
    }
    expect(caller.end).toBe("refused LEDGER_FULL");
    isFull = false;
    await clock.fire();
    await committer.idle();
    expect(patient.end).toBe("committed at 1");
  });

  test("a caller that came while the commit that stalls was in flight is refused too", async () => {
    const answer = Promise.withResolvers<CommitOutcome>();
    const { committer, clock, add } = setUp(() => (clock.delays.length === 0 ? answer.promise : committed()));
    const [patient, caller] = [new FakeRun(1), new FakeRun(2, true)];
    add([patient]);
    await nextTurn();
    add([caller]);
    answer.reject(new StepwellError("LEDGER_UNREACHABLE", "away"));
    await clock.fire();
    await committer.idle();
    expect([patient.end, caller.end]).toEqual(["committed at 1", "refused LEDGER_UNREACHABLE"]);
  });

  test("a caller that waits behind a commit whose outcome is not known is refused when the ledger tells so; the commit is waited for", async () => {
    const answer = Promise.withResolvers<CommitOutcome>();
    const { committer, batches, add } = setUp(() => answer.promise);
    const [first, patient, caller] = [new FakeRun(1, true), new FakeRun(2), new FakeRun(3, true)];
    add([first]);
    await nextTurn();
    add([patient, caller]);
    committer.stalled(new StepwellError("LEDGER_UNREACHABLE", "away"));
    expect(caller.end).toBe("refused LEDGER_UNREACHABLE");
    answer.resolve({ outcome: "committed", now: 1, missed: [], accepted: [] });
    await committer.idle();
    expect([first.end, patient.end]).toEqual(["committed at 1", "committed at 1"]);
    expect(batches).toEqual([[1], [2]]);
  });

  test("the pause of a stall grows to two seconds and begins again after a commit", async () => {
    let failures = 8;
    const { committer, clock, add } = setUp(() => (failures-- > 0 ? refuse("LEDGER_BUSY") : committed()));
    add([new FakeRun(1)]);
    for (let retry = 0; retry < 8; retry++) await clock.fire();
    await committer.idle();
    failures = 1;
    add([new FakeRun(2)]);
    await clock.fire();
    await committer.idle();
    expect(clock.delays).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 50]);
  });

  test("fenced: the engine is told once, no run is told anything, nothing more is written", async () => {
    const { committer, batches, events, add } = setUp(() => ({ outcome: "fenced" }));
    const runs = runsOf(2);
    add(runs);
    await committer.idle();
    add(runs);
    await committer.idle();
    expect(events).toEqual(["fatal LEDGER_FENCED"]);
    expect(runs.map(({ told }) => told)).toEqual([["formed"], ["formed"]]);
    expect(batches).toEqual([[0, 1]]);
  });

  test("an unknown outcome is fatal: nobody is told that anything was written or refused", async () => {
    const { committer, events, add } = setUp(() => refuse("LEDGER_IO"));
    const runs = runsOf(3);
    add(runs);
    await committer.idle();
    expect(events).toEqual(["fatal LEDGER_IO"]);
    expect(runs.map(({ told }) => told)).toEqual([["formed"], ["formed"], ["formed"]]);
  });

  test("after a fatal error in one half of a divided batch the other half is not written", async () => {
    const { committer, batches, events, add } = setUp(({ units }) => refuse(units.length > 2 ? "LEDGER_CONFLICT" : "LEDGER_IO"));
    add(runsOf(4));
    await committer.idle();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(events).toEqual(["fatal LEDGER_IO"]);
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [0, 1],
    ]);
  });

  test("stopped in a stall: nothing more is written and nobody waits for ever", async () => {
    const { committer, batches, clock, add } = setUp(() => refuse("LEDGER_FULL"));
    const run = new FakeRun(1);
    add([run]);
    await clock.timerSet();
    const idle = committer.idle();
    committer.stop();
    await idle;
    await clock.fire();
    await nextTurn();
    expect(batches).toEqual([[1]]);
    expect(run.told).toEqual(["formed"]);
  });

  test("lanes are independent: a stalled one does not hold up the others, and a run keeps its lane", async () => {
    const { committer, batches, clock, add } = setUp(
      ({ units }) => (units[0]?.runId === 0 && clock.delays.length === 0 ? refuse("LEDGER_BUSY") : committed()),
      2,
    );
    const [zero, one] = runsOf(2);
    add([zero, one].flatMap((run) => (run === undefined ? [] : [run])));
    while (one?.end !== "committed at 1") await nextTurn();
    expect(zero?.end).toBe("formed");
    await clock.fire();
    await committer.idle();
    expect(zero?.end).toBe("committed at 1");
    expect(batches).toEqual([[0], [1], [0]]);
  });
});

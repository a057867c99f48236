// Transactions are counted and measured in rows, not timed: the clock here moves with the rows that they touch.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger, PrunableRun, Retention } from "../ledger/port.ts";
import type { Unit } from "../ledger/writes.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { StepwellError } from "../model/errors.ts";
import { retentionPolicy } from "../model/retention.ts";
import { sqliteLedgers } from "../testing/conformance/ledger/backends.ts";
import { aVersion, endRun, insertRun, insertStep, TENANT, unit } from "../testing/conformance/ledger/builders.ts";
import { type LedgerHarness, ManualTime, WORKER } from "../testing/conformance/ledger/kit.ts";
import { Pace } from "./pace.ts";
import { prunableRuns, pruneRuns } from "./prune-runs.ts";
import { Pruner } from "./pruner.ts";

const ALL = { tenant: TENANT, policy: retentionPolicy({ runs: 0 }) };
const PLAIN = { query: ALL, limit: Number.POSITIVE_INFINITY, archive: undefined };

/** Rests end at once and are noted; the time of work is what the test says. */
class WorkClock implements Clock {
  time = 0;
  readonly rests: number[] = [];

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.rests.push(delayMs);
    setImmediate(callback);
    return { cancel: () => undefined };
  }
}

/** How many runs and rows each transaction has deleted, a millisecond for ten of them. */
class Measured implements Retention {
  readonly deleted: number[] = [];
  readonly #retention: Retention;
  readonly #clock: WorkClock;

  constructor(retention: Retention, clock: WorkClock) {
    this.#retention = retention;
    this.#clock = clock;
  }

  find: Retention["find"] = (...asked) => this.#retention.find(...asked);
  removeFamilies: Retention["removeFamilies"] = (...asked) => this.#noted(this.#retention.removeFamilies(...asked), ({ runs }) => runs);
  removeLeaves: Retention["removeLeaves"] = (...asked) => this.#noted(this.#retention.removeLeaves(...asked), ({ runs }) => runs);
  clear: Retention["clear"] = (limit) => this.#noted(this.#retention.clear(limit), ({ rows }) => rows);

  async #noted<T>(work: Promise<T>, rowsOf: (result: T) => number): Promise<T> {
    const result = await work;
    this.deleted.push(rowsOf(result));
    this.#clock.time += rowsOf(result) / 10;
    return result;
  }
}

async function total(batches: AsyncIterable<{ readonly runs: number; readonly roots: readonly PrunableRun[] }>) {
  const sum = { runs: 0, roots: 0 };
  for await (const { runs, roots } of batches) {
    sum.runs += runs;
    sum.roots += roots.length;
  }
  return sum;
}

let harness: LedgerHarness;
beforeEach(async () => {
  harness = await sqliteLedgers(new ManualTime());
});
afterEach(() => harness.dispose());

/** Ended runs, all but the first one children of it when `isFamily`. */
async function endedRuns(ledger: Ledger, count: number, { steps = 1, isFamily = false } = {}): Promise<number> {
  const { epoch } = await ledger.own(WORKER);
  const { id: versionId } = await ledger.putVersion(aVersion());
  const first = await ledger.reserveRunIds(count);
  const units: Unit[] = [];
  for (let runId = first; runId < first + count; runId++) {
    const parent = isFamily && runId > first ? { runId: first, step: "first", ordinal: 0, depth: 1, rootRunId: first } : null;
    const rows = Array.from({ length: steps }, (_, ordinal) => insertStep(runId, ordinal, { status: "SUCCEEDED" }));
    units.push(unit(runId, [insertRun(versionId, runId, { parent }), ...rows, endRun(runId)], null));
  }
  await ledger.commit({ epoch, units });
  return first;
}

describe("pruning", () => {
  test("a run of 20,000 steps goes in transactions of a thousand rows at most", async () => {
    const { ledger } = harness;
    const clock = new WorkClock();
    await endedRuns(ledger, 1, { steps: 20_000 });
    const retention = new Measured(ledger.retention, clock);
    await expect(total(pruneRuns({ ...PLAIN, retention, pace: new Pace(clock, true) }))).resolves.toEqual({ runs: 1, roots: 1 });
    expect(retention.deleted.reduce((sum, rows) => sum + rows, 0)).toBe(1 + 20_000);
    // 20 ms are 200 rows here
    expect(Math.max(...retention.deleted)).toBeLessThanOrEqual(200);
    await expect(ledger.retention.clear(10)).resolves.toEqual({ rows: 0, isDone: true });
  });

  test("a run with 3,000 runs below it goes a part at a time, and is counted once", async () => {
    const { ledger } = harness;
    const clock = new WorkClock();
    const root = await endedRuns(ledger, 3_001, { isFamily: true });
    const retention = new Measured(ledger.retention, clock);
    const pace = new Pace(clock, true);
    const found: (readonly [number, number])[] = [];
    for await (const page of prunableRuns(retention, ALL, pace)) found.push(...page.map(({ id, runs }) => [id, runs] as const));
    expect(found).toEqual([[root, 3_001]]);
    await expect(total(pruneRuns({ ...PLAIN, retention, pace, limit: 1 }))).resolves.toEqual({ runs: 3_001, roots: 1 });
    expect(Math.max(...retention.deleted)).toBeLessThanOrEqual(1_000);
    await expect(ledger.listRuns({ tenant: TENANT, limit: 9 })).resolves.toMatchObject({ runs: [] });
  });

  test("no more runs go than were asked for, the oldest first, and nothing that they had stays", async () => {
    const { ledger } = harness;
    const clock = new WorkClock();
    const first = await endedRuns(ledger, 5);
    await expect(total(pruneRuns({ ...PLAIN, retention: ledger.retention, pace: new Pace(clock, true), limit: 3 }))).resolves.toEqual({
      runs: 3,
      roots: 3,
    });
    const { runs } = await ledger.listRuns({ tenant: TENANT, limit: 9 });
    expect(runs.map(({ id }) => id)).toEqual([first + 4, first + 3]);
    await expect(ledger.retention.clear(10)).resolves.toEqual({ rows: 0, isDone: true });
  });

  test("without a policy only what was left before is cleared away", async () => {
    const { ledger } = harness;
    const [first] = [await endedRuns(ledger, 2)];
    await ledger.retention.removeFamilies(ALL, [first], 9);
    const none = { tenant: TENANT, policy: retentionPolicy({}) };
    const retention: Retention = { ...ledger.retention, find: () => Promise.reject(new Error("nothing is looked for")) };
    await expect(total(pruneRuns({ ...PLAIN, retention, query: none, pace: new Pace(new WorkClock(), true) }))).resolves.toEqual({
      runs: 0,
      roots: 0,
    });
    await expect(ledger.retention.clear(10)).resolves.toEqual({ rows: 0, isDone: true });
    await expect(ledger.listRuns({ tenant: TENANT, limit: 9 })).resolves.toMatchObject({ runs: [{ id: first + 1 }] });
  });

  test("a walk ends after twenty pages in which everything is young, however many there are", async () => {
    let pages = 0;
    const endless: Retention = {
      ...openMemoryLedger().retention,
      find: async (_query, afterId, limit) => ({ runs: [], next: afterId + limit, isOld: ++pages === 7 }),
    };
    await expect(total(pruneRuns({ ...PLAIN, retention: endless, pace: new Pace(new WorkClock(), true) }))).resolves.toEqual({
      runs: 0,
      roots: 0,
    });
    expect(pages).toBe(27);
  });

  test("work grows to what fits into 20 ms and shrinks again to a hundred rows at least, with three times as long to rest", async () => {
    const clock = new WorkClock();
    const pace = new Pace(clock, true);
    const sizes: number[] = [];
    const work = (costMs: number, share = 1): Promise<number> =>
      pace.working(
        async (size) => {
          sizes.push(size);
          clock.time += size * costMs;
          return size * share;
        },
        (rows) => rows,
      );
    await work(1 / 1024, 0.5);
    for (let step = 0; step < 6; step++) await work(1 / 1024);
    for (let step = 0; step < 9; step++) await work(1);
    expect(sizes).toEqual([100, 100, 200, 400, 800, 1_000, 1_000, 1_000, 500, 250, 125, 100, 100, 100, 100, 100]);
    expect(clock.rests.slice(0, 1)).toEqual([5]);
    expect(clock.rests.slice(7, 9)).toEqual([3_000, 1_500]);
  });
});

describe("a pruner", () => {
  /** Timers go off by hand. */
  class HandClock extends WorkClock {
    readonly #due: (() => void)[] = [];

    override setTimer(delayMs: number, callback: () => void): Timer {
      if (delayMs < 1_000) return super.setTimer(delayMs, callback);
      this.rests.push(delayMs);
      this.#due.push(callback);
      return { cancel: () => void this.#due.splice(0) };
    }

    goOff(): number {
      const due = this.#due.splice(0);
      for (const callback of due) callback();
      return due.length;
    }
  }

  function prunerOn(retention: Retention) {
    const clock = new HandClock();
    const told: (string | number)[] = [];
    const pruner = new Pruner({
      retention,
      query: ALL,
      archive: undefined,
      clock,
      random: () => 0.5,
      damaged: ({ root }) => told.push(`${root.publicId} stays`),
      pruned: (runs) => told.push(runs),
      failed: ({ code }, retryInMs) => told.push(`${code} ${retryInMs}`),
    });
    return { pruner, clock, told };
  }

  const passed = async (clock: HandClock, told: readonly unknown[], count: number): Promise<void> => {
    while (told.length < count || clock.rests.filter((ms) => ms === 600_000).length < count)
      await new Promise((resolve) => setImmediate(resolve));
  };

  test("comes within seconds and then every ten minutes, until it is stopped", async () => {
    const { ledger } = harness;
    const { pruner, clock, told } = prunerOn(ledger.retention);
    expect(clock.rests).toEqual([5_000]);
    await endedRuns(ledger, 3);
    clock.goOff();
    await passed(clock, told, 1);
    await endedRuns(ledger, 2);
    clock.goOff();
    await passed(clock, told, 2);
    expect(told).toEqual([3, 2]);
    await pruner.stop();
    expect(clock.goOff()).toBe(0);
  });

  test("ends between two transactions when it is stopped at work", async () => {
    const { ledger } = harness;
    const { pruner, clock, told } = prunerOn(ledger.retention);
    await endedRuns(ledger, 150);
    clock.goOff();
    await pruner.stop();
    expect(told).toEqual([]);
    expect((await ledger.listRuns({ tenant: TENANT, limit: 200 })).runs).toHaveLength(150);
    expect(clock.goOff()).toBe(0);
  });

  test("comes again after an error", async () => {
    const { ledger } = harness;
    let isBusy = true;
    const { pruner, clock, told } = prunerOn({
      ...ledger.retention,
      clear: (limit) => (isBusy ? Promise.reject(new StepwellError("LEDGER_BUSY", "later")) : ledger.retention.clear(limit)),
    });
    await endedRuns(ledger, 2);
    clock.goOff();
    await passed(clock, told, 1);
    isBusy = false;
    clock.goOff();
    await passed(clock, told, 2);
    expect(told).toEqual(["LEDGER_BUSY 600000", 2]);
    await pruner.stop();
  });
});

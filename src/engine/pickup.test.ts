import { expect, test } from "vitest";
import type { Claims } from "../ledger/claims.ts";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger, WaitReads } from "../ledger/port.ts";
import type { Clock } from "../model/clock.ts";
import { LEDGER_QUEUE } from "../queue/ledger/ledger-queue.ts";
import { interposed } from "../testing/harness.ts";
import { Pickup, type PickupHost } from "./pickup.ts";

const turns = async (count: number): Promise<void> => {
  for (let passed = 0; passed < count; passed++) await new Promise((resolve) => setImmediate(resolve));
};

/** A clock that only ticks by hand. */
class Ticks implements Clock {
  readonly #due: (() => void)[] = [];

  now(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  setTimer(_delayMs: number, callback: () => void) {
    this.#due.push(callback);
    return { cancel: () => undefined };
  }

  async tick(): Promise<void> {
    for (const callback of this.#due.splice(0)) callback();
    await turns(4);
  }
}

/** A ledger in which there is nothing to do. */
const NOTHING: Claims = {
  admit: async () => ({ runs: [], accepted: [], isMore: false, nextAt: null }),
  runs: async () => [],
  due: async () => [],
  one: async () => true,
  sent: async () => [],
};

/** For an engine with room that only the given parts of are looked at. */
function pickupOn(ledger: Ledger, clock: Clock, host: Pick<PickupHost, "failed"> & Partial<PickupHost>): Pickup {
  return new Pickup(ledger, LEDGER_QUEUE, { serves: () => true }, clock, {
    epoch: () => 1,
    freeRuns: () => 10,
    isNeeded: () => true,
    offers: () => [],
    ledgerNow: () => 0,
    takeUp: async () => undefined,
    deliver: async () => undefined,
    lookAround: async () => undefined,
    told: () => undefined,
    ...host,
  });
}

test("S1-32 a run that parks while the ledger is asked for the next due time is not forgotten, also when the ledger cannot answer", async () => {
  const memory = openMemoryLedger();
  const answers: { readonly resolve: (dueAt: number | null) => void; readonly reject: (cause: unknown) => void }[] = [];
  const looks: number[] = [];
  const waits: WaitReads = {
    now: () => memory.waits.now(),
    nextDue: () => new Promise((resolve, reject) => answers.push({ resolve, reject })),
    listWaits: (tenant, publicId) => memory.waits.listWaits(tenant, publicId),
    turnOf: (tenant, publicId) => memory.waits.turnOf(tenant, publicId),
    listSignals: (tenant, publicId) => memory.waits.listSignals(tenant, publicId),
    listChildren: (tenant, publicId) => memory.waits.listChildren(tenant, publicId),
  };
  const claims: Claims = {
    ...NOTHING,
    due: async (_after, limit) => {
      looks.push(limit);
      return [];
    },
  };
  const clock = new Ticks();
  let now = 0;
  const failures: unknown[] = [];
  const pickup = pickupOn(interposed(memory, { waits, claims }), clock, {
    ledgerNow: () => now,
    failed: (cause) => failures.push(cause),
  });
  const started = pickup.start();
  await turns(4);
  // what the ledger answers was read before the run parked
  pickup.parked(100);
  answers.shift()?.resolve(null);
  await started;
  await clock.tick();
  expect(looks).toEqual([]);
  now = 100;
  await clock.tick();
  expect(looks).toHaveLength(1);
  answers.shift()?.reject(new Error("busy"));
  await turns(4);
  expect(failures).toHaveLength(1);
  await clock.tick();
  expect(looks).toHaveLength(2);
  pickup.stop();
});

test("P2 of what other engines left behind and of the queue as much is claimed as there is room for, the queue by one walk at a time", async () => {
  const memory = openMemoryLedger();
  const left = Array.from({ length: 9 }, (_, index) => index + 1);
  const queued = [101, 102, 103];
  const held: number[] = [];
  const claims: Claims = {
    ...NOTHING,
    admit: async (_epoch, limit) => {
      await turns(1);
      return { runs: queued.splice(0, limit), accepted: [], isMore: false, nextAt: null };
    },
    runs: async (pickup, _after, limit) => {
      await turns(1);
      return pickup === "no_worker" ? [] : left.splice(0, limit);
    },
  };
  const room = { runs: 4 };
  const pickup = pickupOn(interposed(memory, { claims, isShared: true }), new Ticks(), {
    freeRuns: () => room.runs - held.length,
    takeUp: async (runId) => void held.push(runId),
    failed: (cause) => {
      throw cause;
    },
  });
  await pickup.start();
  expect(held).toEqual([1, 2, 3, 4]);
  room.runs = 5;
  const run = { publicId: "a", tenant: "default", versionId: 1, workerGroup: "default" };
  pickup.queued([run], true);
  pickup.queued([run], true);
  await turns(6);
  expect(held).toEqual([1, 2, 3, 4, 101]);
  pickup.stop();
});

test("P2 runs are admitted while those before them are still being read, and never more than fit", async () => {
  const memory = openMemoryLedger();
  const queued = Array.from({ length: 9 }, (_, index) => index + 1);
  const read = new Map<number, () => void>();
  const held: number[] = [];
  const asked: number[] = [];
  const claims: Claims = {
    ...NOTHING,
    admit: async (_epoch, limit) => {
      asked.push(limit);
      const runs = queued.splice(0, Math.min(limit, 2));
      return { runs, accepted: [], isMore: queued.length > 0, nextAt: null };
    },
  };
  const room = { runs: 5 };
  const pickup = pickupOn(interposed(memory, { claims, isShared: true }), new Ticks(), {
    freeRuns: () => room.runs - held.length,
    takeUp: (runId) =>
      new Promise((resolve) => {
        read.set(runId, () => {
          held.push(runId);
          resolve();
        });
      }),
    failed: (cause) => {
      throw cause;
    },
  });
  const started = pickup.start();
  await turns(2);
  expect(asked).toEqual([5, 3, 1]);
  expect([...read.keys()]).toEqual([1, 2, 3, 4, 5]);
  for (const arrive of read.values()) arrive();
  await started;
  expect(held).toEqual([1, 2, 3, 4, 5]);
  room.runs = 6;
  pickup.roomMade();
  await turns(2);
  expect(asked).toEqual([5, 3, 1, 1]);
  expect([...read.keys()].slice(5)).toEqual([6]);
  pickup.stop();
});

test("P2 as long as what was admitted cannot be read, no more is admitted than fits", async () => {
  const memory = openMemoryLedger();
  const asked: number[] = [];
  const claims: Claims = {
    ...NOTHING,
    admit: async (_epoch, limit) => {
      asked.push(limit);
      await turns(1);
      return { runs: [asked.length], accepted: [], isMore: asked.length < 100, nextAt: null };
    },
  };
  const pickup = pickupOn(interposed(memory, { claims, isShared: true }), new Ticks(), {
    freeRuns: () => 3,
    takeUp: () => Promise.reject(new Error("unreadable")),
    failed: () => undefined,
  });
  await expect(pickup.start()).rejects.toThrow("unreadable");
  expect(asked).toEqual([3, 2, 1]);
  pickup.stop();
});

test("P17 what others wrote is not forgotten when the ledger is busy while it is looked at", async () => {
  const memory = openMemoryLedger();
  let news = false;
  let isBusy = false;
  let read = 0;
  const claims: Claims = {
    ...NOTHING,
    admit: async () => {
      if (isBusy) throw new Error("busy");
      return { runs: [], accepted: [], isMore: false, nextAt: null };
    },
    sent: async () => {
      read += 1;
      return [];
    },
  };
  const clock = new Ticks();
  const changedElsewhere = async (): Promise<boolean> => {
    const had = news;
    news = false;
    return had;
  };
  const failures: unknown[] = [];
  const pickup = pickupOn(interposed(memory, { claims, changedElsewhere }), clock, {
    failed: (cause) => failures.push(cause),
  });
  await pickup.start();
  [news, isBusy, read] = [true, true, 0];
  await clock.tick();
  expect([failures.length, read]).toEqual([1, 0]);
  isBusy = false;
  await clock.tick();
  expect([failures.length, read]).toEqual([1, 1]);
  await clock.tick();
  expect(read).toBe(1);
  pickup.stop();
});

test("P17 an admission that a busy ledger refused is tried again, though nothing new is heard of", async () => {
  const memory = openMemoryLedger();
  let isBusy = false;
  let asked = 0;
  const claims: Claims = {
    ...NOTHING,
    admit: async () => {
      asked += 1;
      if (isBusy) throw new Error("busy");
      return { runs: [], accepted: [], isMore: false, nextAt: null };
    },
  };
  const clock = new Ticks();
  const failures: unknown[] = [];
  const pickup = pickupOn(interposed(memory, { claims, changedElsewhere: async () => false }), clock, {
    failed: (cause) => failures.push(cause),
  });
  await pickup.start();
  [isBusy, asked] = [true, 0];
  pickup.queued([{ publicId: "a", tenant: "default", versionId: 1, workerGroup: "default" }], true);
  await turns(4);
  expect([failures.length, asked]).toEqual([1, 1]);
  isBusy = false;
  await clock.tick();
  expect([failures.length, asked]).toEqual([1, 2]);
  await clock.tick();
  expect(asked).toBe(2);
  pickup.stop();
});

import { expect, test } from "vitest";
import type { Clock } from "../model/clock.ts";
import { LedgerTime } from "./ledger-time.ts";

/** A process whose clock runs as the test says; timers fire when they are due. */
class HandClock implements Clock {
  time = 0;
  readonly timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { at: this.time + delayMs, callback };
    this.timers.push(timer);
    return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) };
  }

  soon(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Lets time pass and what is due happen. */
  async pass(ms: number): Promise<void> {
    this.time += ms;
    for (const timer of this.timers.filter(({ at }) => at <= this.time)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.callback();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function alarmOn(ledgerClock: () => number): {
  readonly clock: HandClock;
  readonly time: LedgerTime;
  readonly rung: number[];
  readonly failed: unknown[];
} {
  const clock = new HandClock();
  const failed: unknown[] = [];
  const time = new LedgerTime(
    clock,
    async () => ledgerClock(),
    (cause) => failed.push(cause),
  );
  return { clock, time, rung: [], failed };
}

test("an alarm rings once the ledger's clock has come to it, not when the process thinks so", async () => {
  let ledger = 1_000;
  const { clock, time, rung } = alarmOn(() => ledger);
  time.told(ledger);
  time.alarm(1_100, () => rung.push(ledger));
  ledger = 1_040;
  await clock.pass(100);
  expect(rung).toEqual([]);
  ledger = 1_099;
  await clock.pass(60);
  expect(rung).toEqual([]);
  ledger = 1_101;
  await clock.pass(1);
  expect(rung).toEqual([1_101]);
  expect(clock.timers).toEqual([]);
});

test("a cancelled alarm does not ring, also when it was just asking", async () => {
  const { clock, time, rung } = alarmOn(() => 10_000);
  time.told(1_000);
  const first = time.alarm(1_100, () => rung.push(1));
  first.cancel();
  const second = time.alarm(1_100, () => rung.push(2));
  clock.time = 200;
  clock.timers[0]?.callback();
  second.cancel();
  await clock.pass(0);
  expect(rung).toEqual([]);
});

test("an alarm rings late, and does ring, when the ledger could not tell its time", async () => {
  let isAway = true;
  const { clock, time, rung, failed } = alarmOn(() => {
    if (isAway) throw new Error("away");
    return 1_300;
  });
  time.told(1_000);
  time.alarm(1_001, () => rung.push(1));
  await clock.pass(5);
  isAway = false;
  await clock.pass(200);
  expect(failed).toHaveLength(1);
  expect(rung).toEqual([1]);
  expect(clock.timers).toEqual([]);
});

test("a ledger that does not tell its time any more is reported, and nothing rings", async () => {
  const { clock, time, rung, failed } = alarmOn(() => {
    throw new Error("closed");
  });
  time.told(1_000);
  time.alarm(1_001, () => rung.push(1));
  await clock.pass(5);
  expect(rung).toEqual([]);
  expect(failed).toHaveLength(1);
});

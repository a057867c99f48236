import type { Timer } from "../../../src/model/clock.ts";
import type { Prng } from "./prng.ts";

/** Whose work a task is; nothing of an owner that is dead ever runs. */
export interface Owner {
  readonly isAlive: boolean;
}

interface Task {
  readonly owner: Owner | null;
  readonly run: () => Promise<void> | undefined | void;
}

interface Alarm extends Task {
  dueMs: number;
  isCancelled: boolean;
}

/** Where virtual time begins: some day, so that a zero stands out. */
const FIRST_MS = 1_700_000_000_000;
/** A watch that looks again this often is stretched while nothing happens, or an idle hour would cost 180,000 looks. */
const WATCH_MS = 25;
const QUIET_JUMPS = 10;
/** As it was with the first vocabulary, whose worlds are kept. */
const QUIET_JUMPS_ONCE = 60;
const LONGEST_STRETCH = 12;

/**
 * Virtual time: one list of what is ready, from which the generator picks, and alarms. When nothing is ready, time jumps to the
 * next alarm. Promises are drained between two picks at a macrotask boundary: a chain of them takes any number of microtasks.
 */
export class Kernel {
  nowMs = FIRST_MS;
  readonly #prng: Prng;
  readonly #quietAfter: number;
  #ready: Task[] = [];
  #alarms: Alarm[] = [];
  #quietJumps = 0;

  constructor(prng: Prng, vocabulary: number) {
    this.#prng = prng;
    this.#quietAfter = vocabulary === 1 ? QUIET_JUMPS_ONCE : QUIET_JUMPS;
  }

  /** Something is to run, in no particular order among what is ready. */
  soon(owner: Owner | null, run: Task["run"]): void {
    this.#ready.push({ owner, run });
  }

  after(delayMs: number, owner: Owner | null, run: Task["run"]): Timer {
    const alarm: Alarm = { owner, run, dueMs: this.nowMs, isCancelled: false };
    const cancel = (): void => {
      alarm.isCancelled = true;
    };
    if (delayMs <= 0) {
      this.soon(owner, () => (alarm.isCancelled ? undefined : run()));
      return { cancel };
    }
    const isWatch = delayMs <= WATCH_MS;
    const stretch = isWatch ? 2 ** Math.min(LONGEST_STRETCH, Math.max(0, this.#quietJumps - this.#quietAfter)) : 1;
    alarm.dueMs += delayMs * stretch;
    this.#alarms.push(alarm);
    return { cancel };
  }

  /** Resolves after that much virtual time. */
  sleep(delayMs: number, owner: Owner | null = null): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, owner, resolve));
  }

  /** Something happened in the world: watches look at their own pace again. */
  stirred(): void {
    this.#quietJumps = 0;
  }

  /** Runs until `isDone`, at most `limit` picks; false when that was not enough or nothing is left to run. */
  run(limit: number, isDone: () => boolean): Promise<boolean> {
    let left = limit;
    return new Promise((resolve, reject) => {
      // a callback for each pick costs less than a promise for it
      const pick = (): void => {
        if (isDone()) return resolve(true);
        const task = left-- > 0 ? this.#next() : undefined;
        if (task === undefined) return resolve(false);
        const ended = task.run();
        if (ended === undefined) setImmediate(guarded);
        else ended.then(() => setImmediate(guarded), reject);
      };
      const guarded = (): void => {
        try {
          pick();
        } catch (error) {
          reject(error);
        }
      };
      setImmediate(guarded);
    });
  }

  #next(): Task | undefined {
    for (;;) {
      while (this.#ready.length > 0) {
        const index = this.#ready.length === 1 ? 0 : this.#prng.int(this.#ready.length);
        const task = this.#ready[index];
        const last = this.#ready.pop();
        if (last !== undefined && last !== task) this.#ready[index] = last;
        if (task !== undefined && isLive(task)) return task;
      }
      if (!this.#jump()) return undefined;
    }
  }

  /** To the next alarm; everything that is due then becomes ready at once. */
  #jump(): boolean {
    this.#alarms = this.#alarms.filter((alarm) => !alarm.isCancelled && isLive(alarm));
    if (this.#alarms.length === 0) return false;
    const next = this.#alarms.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Number.POSITIVE_INFINITY);
    if (next > this.nowMs) this.#quietJumps += 1;
    this.nowMs = Math.max(this.nowMs, next);
    const waiting: Alarm[] = [];
    for (const alarm of this.#alarms) {
      if (alarm.dueMs > this.nowMs) waiting.push(alarm);
      else this.#ready.push({ owner: alarm.owner, run: () => (alarm.isCancelled ? undefined : alarm.run()) });
    }
    this.#alarms = waiting;
    return true;
  }
}

/** Every promise that can go on has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isLive({ owner }: Task): boolean {
  return owner === null || owner.isAlive;
}

import type { Clock, Timer } from "../model/clock.ts";

/** The longest delay that Node's timers take; longer ones are set again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The process's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback, background = false) => new SystemTimer(delayMs, callback, background),
  soon: (callback) => void setImmediate(callback),
};

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void, background: boolean) {
    this.#handle = this.#set(delayMs, callback, background);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #set(delayMs: number, callback: () => void, background: boolean): NodeJS.Timeout {
    const handle =
      delayMs <= LONGEST_TIMER_MS
        ? setTimeout(callback, delayMs)
        : setTimeout(() => {
            this.#handle = this.#set(delayMs - LONGEST_TIMER_MS, callback, background);
          }, LONGEST_TIMER_MS);
    if (background) handle.unref();
    return handle;
  }
}

import type { Clock, Timer } from "../model/clock.ts";

/** The run's own two timers: its deadline, and the grace that its operators get once it is to end. */
export class RunTimers {
  readonly #clock: Clock;
  #deadlineMs: number | undefined;
  #deadline: Timer | undefined;
  #grace: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whole milliseconds to the deadline, 0 when it has passed; undefined without one. */
  get remainingMs(): number | undefined {
    return this.#deadlineMs === undefined ? undefined : Math.max(0, Math.ceil(this.#deadlineMs - this.#clock.monotonic()));
  }

  /** The earlier of the deadline and another moment, both on the ledger's clock; null: time ends neither. */
  earliest(other: number | null, ledgerNow: number): number | null {
    const { remainingMs } = this;
    if (remainingMs === undefined) return other;
    return Math.min(ledgerNow + remainingMs, other ?? Number.POSITIVE_INFINITY);
  }

  setDeadline(delayMs: number, callback: () => void): void {
    this.#deadlineMs = this.#clock.monotonic() + delayMs;
    this.#deadline = this.#clock.setTimer(Math.max(0, delayMs), callback, true);
  }

  /** The deadline has no say any more. */
  setGrace(delayMs: number, callback: () => void): void {
    this.#deadline?.cancel();
    this.#grace?.cancel();
    this.#grace = this.#clock.setTimer(delayMs, callback, true);
  }

  cancel(): void {
    this.#deadline?.cancel();
    this.#grace?.cancel();
  }
}

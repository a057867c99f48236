import type { Clock, Timer } from "../model/clock.ts";

/** What an alarm must know of the ledger's time. */
export interface AlarmClock {
  readonly clock: Clock;
  /** The ledger's clock as this process knows it. */
  ledgerNow(): number;
  /** Asks the ledger; undefined when it cannot answer any more. */
  readLedgerTime(): Promise<number | undefined>;
}

/**
 * Calls back once the ledger's clock has reached a moment. A timer of the process only says when to ask: two clocks drift apart, and
 * a wait must not end early (P10).
 */
export class LedgerAlarm implements Timer {
  readonly #host: AlarmClock;
  readonly #dueAt: number;
  readonly #callback: () => void;
  #timer: Timer | undefined;
  #isCancelled = false;

  constructor(host: AlarmClock, dueAt: number, callback: () => void) {
    this.#host = host;
    this.#dueAt = dueAt;
    this.#callback = callback;
    this.#set(dueAt - host.ledgerNow());
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#timer?.cancel();
  }

  #set(delayMs: number): void {
    this.#timer = this.#host.clock.setTimer(Math.max(0, Math.ceil(delayMs)), () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const now = await this.#host.readLedgerTime();
    if (this.#isCancelled || now === undefined) return;
    if (now < this.#dueAt) this.#set(Math.max(1, this.#dueAt - now));
    else this.#callback();
  }
}

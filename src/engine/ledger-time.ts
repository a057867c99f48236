import type { Clock, Timer } from "../model/clock.ts";

/** How soon a ledger that did not tell its time is asked again. */
const AGAIN_MS = 200;

/** The ledger's clock as this process knows it: a moment that the ledger told, carried on by the process's monotonic clock. */
export class LedgerTime {
  readonly #clock: Clock;
  readonly #ask: () => Promise<number>;
  readonly #failed: (cause: unknown) => void;
  /** The ledger's clock minus the monotonic one. */
  #offset = 0;

  /**
   * @param ask reads the ledger's clock
   * @param failed is told when that cannot be done
   */
  constructor(clock: Clock, ask: () => Promise<number>, failed: (cause: unknown) => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#failed = failed;
  }

  /** Milliseconds since the Unix epoch. */
  now(): number {
    return Math.floor(this.#clock.monotonic() + this.#offset);
  }

  /** The ledger has just told its time. */
  told(now: number): void {
    this.#offset = now - this.#clock.monotonic();
  }

  /**
   * Calls back once the ledger's clock has reached a moment. A timer of the process only says when to ask: two clocks drift apart,
   * and a wait must not end early (P10). A ledger that does not tell its time is asked again.
   */
  alarm(dueAt: number, callback: () => void): Timer {
    let timer: Timer | undefined;
    let isCancelled = false;
    const set = (delayMs: number): void => {
      timer = this.#clock.setTimer(Math.max(0, Math.ceil(delayMs)), () => void check());
    };
    const check = async (): Promise<void> => {
      const now = await this.#read();
      if (isCancelled) return;
      if (now === undefined) set(AGAIN_MS);
      else if (now < dueAt) set(dueAt - now);
      else callback();
    };
    set(dueAt - this.now());
    return {
      cancel: () => {
        isCancelled = true;
        timer?.cancel();
      },
    };
  }

  async #read(): Promise<number | undefined> {
    try {
      const now = await this.#ask();
      this.told(now);
      return now;
    } catch (cause) {
      this.#failed(cause);
      return undefined;
    }
  }
}

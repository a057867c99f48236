import type { Clock } from "../model/clock.ts";

/** A backwards step below this is clock discipline at work, not worth a word. */
const WARN_FROM_MS = 1_000;

/**
 * The clock of a ledger on one machine: never goes backwards. When the system clock does, time stands still until it has
 * caught up, and a warning is given once for each such jump.
 */
export class LedgerClock {
  readonly #source: Pick<Clock, "now">;
  readonly #warn: (message: string) => void;
  #floor = 0;
  #warned = false;

  constructor(source: Pick<Clock, "now">, warn: (message: string) => void) {
    this.#source = source;
    this.#warn = warn;
  }

  /** Milliseconds since the Unix epoch; at least every value given or seen before. */
  now(): number {
    const system = this.#source.now();
    if (system >= this.#floor) {
      this.#floor = system;
      this.#warned = false;
    } else if (!this.#warned && this.#floor - system >= WARN_FROM_MS) {
      this.#warned = true;
      this.#warn(`The system clock went back by ${this.#floor - system} ms; the ledger's time stands still until it has caught up.`);
    }
    return this.#floor;
  }

  /** Takes note of a time that the ledger has already given to somebody. */
  seen(time: number): void {
    if (time > this.#floor) this.#floor = time;
  }
}

export const SYSTEM_TIME: Pick<Clock, "now"> = { now: () => Date.now() };

export function warnProcess(message: string): void {
  process.emitWarning(message, { type: "StepwellWarning", code: "STEPWELL_CLOCK" });
}

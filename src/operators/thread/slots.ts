import type { StepwellError } from "../../model/errors.ts";

/** A fixed number of places, given in the order of asking. */
export class Slots {
  #free: number;
  #closedBy: StepwellError | undefined;
  readonly #waiting = new Set<Waiter>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when a place is free; rejects with the signal's reason when it aborts first, or with the error of `close`. */
  take(signal: AbortSignal): Promise<void> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy);
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", refuse);
      };
      const refuse = () => waiter.refuse(reasonOf(signal));
      const waiter: Waiter = {
        admit: () => {
          leave();
          resolve();
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", refuse, { once: true });
    });
  }

  /** Passes a place on to whoever waits longest. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next.admit();
  }

  /** Refuses everybody who waits, and everybody who asks from now on. */
  close(reason: StepwellError): void {
    this.#closedBy = reason;
    for (const waiter of this.#waiting) waiter.refuse(reason);
  }
}

interface Waiter {
  admit(): void;
  refuse(reason: Error): void;
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}

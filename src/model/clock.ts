/** A pending timer; `cancel` after it fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time inside one process. Leases and due times are judged by the ledger's clock, never by this one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes backwards. */
  monotonic(): number;
  /** Calls back once after `delayMs`; a timer alone does not keep the process alive when `background` is set. */
  setTimer(delayMs: number, callback: () => void, background?: boolean): Timer;
  /** Calls back once after everything that is ready now has run: the moment at which a batch is gathered. */
  soon(callback: () => void): void;
}

/** A uniform number in [0, 1). */
export type Random = () => number;

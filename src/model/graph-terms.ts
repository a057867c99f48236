/** When a step may start, judged once all its edges have settled. */
export type Join = "some" | "all" | "settled";

/** What a step's final failure means for the rest of the run. */
export type OnError = "fail" | "skip" | "continue";

/** How far a failure with `onError: fail` reaches. */
export type OnFailure = "stop" | "isolate";

/** control: switch → target. data: `needs` and references. order: from a list step to the next; it only waits. */
export type EdgeKind = "control" | "data" | "order";

/** What becomes of a step found RUNNING after a crash: it is tried again, fails with `OUTCOME_UNKNOWN`, or a task asks a person. */
export type Delivery = "at-least-once" | "at-most-once" | "confirm";

export interface RetryPolicy {
  readonly strategy: "none" | "fixed" | "exponential";
  /** Total tries, the first included. */
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly factor: number;
  /** Part of the delay that is drawn at random, 0 (none) to 1 (all of it). */
  readonly jitter: number;
  /** Error codes that are tried again; empty: every retryable one. */
  readonly on: readonly string[];
  /** Error codes that are never tried again. */
  readonly notOn: readonly string[];
}

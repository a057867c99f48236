/**
 * What a run asks for before it may begin, fixed at its start: keys are evaluated from the input then, and no later change of a route or of
 * a definition moves the run.
 */
export interface Admission {
  /** How much earlier it stands than its start says, milliseconds; negative: later. */
  readonly priorityMs: number;
  /** In the order of the definition. */
  readonly limiters: readonly Limiter[];
  readonly gather: Gather | null;
}

/** One limit that a run is under. Runs of a tenant whose limiters have the same id share it. */
export interface Limiter {
  /** Unique within a tenant: the workflow, which of its limits, and the key; a tenant's own has no workflow. */
  readonly id: string;
  /** Runs that hold a slot at once, or admissions within `periodMs`; at least 1. */
  readonly limit: number;
  /** Null for one that limits concurrency. */
  readonly periodMs: number | null;
  /** What happens to a run that finds it full when it is first looked at. */
  readonly onLimit: OnLimit;
  /** How long a slot is held: until the run is parked or ends, or only until it ends. Means nothing for a rate. */
  readonly holds: "activity" | "run";
}

export type OnLimit = "queue" | "reject" | "cancel-running";

/** Starts that become one run, as long as it has not been admitted. */
export interface Gather {
  /** Unique within a tenant. */
  readonly id: string;
  /** `replace`: the last input counts; `append`: the input is `{"items": [...]}`, with the inputs in the order of the starts. */
  readonly mode: "replace" | "append";
  /** When it is admitted: so long after the last start (`replace`), or after the first one (`append`). */
  readonly delayMs: number;
  /** So long after its first start it is admitted at the latest; null: no bound. Of `append` always null. */
  readonly maxDelayMs: number | null;
  /** Of `append`: it is admitted at once when it has so many items; else null. */
  readonly maxItems: number | null;
}

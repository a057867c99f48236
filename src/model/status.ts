/**
 * Statuses and their legal transitions (SPEC §1). The ledger guards every update with these tables, and
 * `docs/reference/states.md` is generated from them.
 */
export const RUN_STATUSES = ["QUEUED", "RUNNING", "SUSPENDED", "SUCCEEDED", "FAILED", "CANCELLED"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const STEP_STATUSES = ["PENDING", "RUNNING", "SUSPENDED", "SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

export type TerminalRunStatus = "SUCCEEDED" | "FAILED" | "CANCELLED";
export type TerminalStepStatus = "SUCCEEDED" | "FAILED" | "SKIPPED" | "CANCELLED";

export const RUN_TRANSITIONS: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  QUEUED: ["RUNNING", "CANCELLED"],
  RUNNING: ["SUSPENDED", "SUCCEEDED", "FAILED", "CANCELLED"],
  SUSPENDED: ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
};

export const STEP_TRANSITIONS: Readonly<Record<StepStatus, readonly StepStatus[]>> = {
  PENDING: ["RUNNING", "SKIPPED", "CANCELLED"],
  RUNNING: ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED", "SUSPENDED"],
  SUSPENDED: ["RUNNING", "SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"],
  SUCCEEDED: [],
  FAILED: [],
  SKIPPED: [],
  CANCELLED: [],
};

/** Why a run is in its status. */
export const RUN_REASONS = {
  retry: "a step waits for its next attempt",
  timer: "a step waits for a time",
  signal: "a step waits for a signal",
  event: "a step waits for an event",
  task: "a step waits for a person or a remote worker",
  child: "a step waits for a run that it started",
  paused: "somebody paused the run",
  compensating: "what the run did is being undone",
  no_worker: "no worker knows an operator that the run needs",
  queued: "it has something to do and waits for its turn: a limit is reached",
  quarantined: "the run broke its worker several times and is held until a person looks",
  recovered: "a worker took the run up after a crash",
  timeout: "the run took longer than its timeout",
  shutdown: "its engine stopped; the next one goes on with it",
  step_failed: "a step failed and its `onError` is `fail`",
  output_failed: "the steps went well, but the run's output could not be evaluated",
  cancelled: "somebody cancelled the run",
} as const satisfies Readonly<Record<string, string>>;
export type RunReason = keyof typeof RUN_REASONS;

/** Why a step is in its status. */
export const STEP_REASONS = {
  retry: "an attempt failed and another one follows",
  steps: "its own steps are at work",
  timer: "it waits for a time",
  signal: "it waits for a signal",
  event: "it waits for an event",
  task: "it waits for a person or a remote worker",
  child: "it waits for a run that it started",
  no_worker: "no worker knows the step's operator",
  branch: "no switch selected the step",
  when: "its `when` was false",
  needs_skipped: "something that it needs was skipped",
  needs_failed: "something that it needs failed or was cancelled",
  run_failed: "the run failed elsewhere",
  run_cancelled: "somebody cancelled the run",
  run_timeout: "the run took longer than its timeout",
  on_error: "it failed and its `onError` is `skip` or `continue`",
  tolerated: "some of its items failed, as many as it tolerates",
  exhausted: "it reached the most rounds that it may take",
  fallback: "it failed and its fallback is the output",
  timeout: "its last attempt took longer than its timeout",
  outcome_unknown: "a crash hid whether it took effect, and it must not be started twice",
  quarantined: "its worker died with it several times; a person must look at it",
  recovered: "it was started again after a crash",
} as const satisfies Readonly<Record<string, string>>;
export type StepReason = keyof typeof STEP_REASONS;

export function isTerminalRun(status: RunStatus): status is TerminalRunStatus {
  return RUN_TRANSITIONS[status].length === 0;
}

export function isTerminalStep(status: StepStatus): status is TerminalStepStatus {
  return STEP_TRANSITIONS[status].length === 0;
}

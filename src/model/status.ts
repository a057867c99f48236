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
  SUSPENDED: ["RUNNING", "FAILED", "CANCELLED"],
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
export type RunReason = "retry" | "no_worker" | "quarantined" | "recovered" | "timeout" | "step_failed" | "output_failed" | "cancelled";

/** Why a step is in its status. */
export type StepReason =
  | "retry"
  | "no_worker"
  | "branch"
  | "when"
  | "needs_skipped"
  | "needs_failed"
  | "run_failed"
  | "run_cancelled"
  | "run_timeout"
  | "on_error"
  | "fallback"
  | "timeout"
  | "outcome_unknown"
  | "recovered";

export function isTerminalRun(status: RunStatus): status is TerminalRunStatus {
  return RUN_TRANSITIONS[status].length === 0;
}

export function isTerminalStep(status: StepStatus): status is TerminalStepStatus {
  return STEP_TRANSITIONS[status].length === 0;
}

import type { InsertStep, SettleStep } from "../ledger/writes.ts";
import type { StepReason, TerminalStepStatus } from "../model/status.ts";

/** The commit that lets attempt 1 of a step begin. */
export function startedStep(
  runId: number,
  ordinal: number,
  input: string | null,
  idempotencyKey: string | null,
  revision: number,
): InsertStep {
  return {
    write: "insertStep",
    runId,
    ordinal,
    kind: "step",
    path: null,
    uses: null,
    parent: null,
    status: "RUNNING",
    reason: null,
    attempt: 1,
    failures: 0,
    input,
    output: null,
    error: null,
    selected: null,
    idempotencyKey,
    revision,
  };
}

/** The end of a step: what it settled as and what it leaves behind. */
export interface StepEnd {
  readonly status: TerminalStepStatus;
  readonly reason: StepReason | null;
  readonly failures: number;
  readonly output: string | null;
  readonly error: string | null;
  readonly selected: string | null;
}

/** The end of a step that has no row yet: it settles in the commit that decides it. */
export function settledAtOnce(runId: number, ordinal: number, attempt: number, end: StepEnd, revision: number): InsertStep {
  return {
    write: "insertStep",
    runId,
    ordinal,
    kind: "step",
    path: null,
    uses: null,
    parent: null,
    status: end.status,
    reason: end.reason,
    attempt,
    failures: end.failures,
    input: null,
    output: end.output,
    error: end.error,
    selected: end.selected,
    idempotencyKey: null,
    revision,
  };
}

/** The end of a step that was RUNNING or SUSPENDED. */
export function settledStep(runId: number, ordinal: number, end: StepEnd, revision: number): SettleStep {
  return {
    write: "settleStep",
    runId,
    ordinal,
    status: end.status,
    reason: end.reason,
    failures: end.failures,
    output: end.output,
    error: end.error,
    revision,
  };
}

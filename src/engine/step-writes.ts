import type { StepKind } from "../ledger/rows.ts";
import type { InsertStep, SettleStep } from "../ledger/writes.ts";
import type { StepReason, TerminalStepStatus } from "../model/status.ts";
import type { Step } from "../workflow/graph.ts";
import type { ScopePlace, StepScope } from "./step-scope.ts";

/** What tells the ledger which step a row is: the version knows the run's own steps, rows of a body name themselves. */
export interface RowPlace {
  readonly kind: StepKind;
  readonly path: string | null;
  readonly uses: string | null;
  readonly parent: number | null;
}

const ROOT_STEP: RowPlace = { kind: "step", path: null, uses: null, parent: null };
const ROOT_BLOCK: RowPlace = { kind: "block", path: null, uses: null, parent: null };

export function placeOf(scope: StepScope, step: Step): RowPlace {
  if (scope.place === null) return step.block === null ? ROOT_STEP : ROOT_BLOCK;
  return {
    kind: step.block === null ? "step" : "block",
    path: scope.pathOf(step),
    uses: step.uses ?? step.block?.kind ?? "switch",
    parent: scope.place.ordinal,
  };
}

/** The commit that lets attempt 1 of a step begin. */
export function startedStep(
  runId: number,
  ordinal: number,
  place: RowPlace,
  input: string | null,
  idempotencyKey: string | null,
  revision: number,
): InsertStep {
  const { kind, path, uses, parent } = place;
  return {
    write: "insertStep",
    runId,
    ordinal,
    kind,
    path,
    uses,
    parent,
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

/** A block begins; its own steps are what is at work. */
export function insertedBlock(runId: number, ordinal: number, place: RowPlace, input: string, revision: number): InsertStep {
  return { ...startedStep(runId, ordinal, place, input, null, revision), status: "SUSPENDED", reason: "steps" };
}

/** An item or a round begins. */
export function insertedScope(runId: number, place: ScopePlace, carry: string | null, revision: number): InsertStep {
  const { ordinal, path, blockOrdinal: parent, names } = place;
  const row: RowPlace = { kind: names.round === undefined ? "item" : "round", path, uses: null, parent };
  return { ...startedStep(runId, ordinal, row, carry, null, revision), status: "SUSPENDED", reason: "steps" };
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
export function settledAtOnce(
  runId: number,
  ordinal: number,
  place: RowPlace,
  attempt: number,
  end: StepEnd,
  revision: number,
): InsertStep {
  const { kind, path, uses, parent } = place;
  return {
    write: "insertStep",
    runId,
    ordinal,
    kind,
    path,
    uses,
    parent,
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

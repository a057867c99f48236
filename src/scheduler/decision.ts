import { InvariantViolation } from "../model/errors.ts";
import type { StepReason } from "../model/status.ts";
import { PHASE, type Phase } from "./word.ts";

/**
 * What the scheduler decided about a step. `ready`: it may start; the engine evaluates `when` and `with` and answers with a fact.
 * `settled`: it ended without having started, or while it was suspended; the row gets this status and reason.
 */
export type DecisionKind =
  | { readonly kind: "ready" }
  | { readonly kind: "settled"; readonly status: "SKIPPED" | "CANCELLED"; readonly reason: StepReason };

const READY = 0;
const LAST_SKIP = 3;
/** Positions in `KINDS`. What skips stands before what cancels. */
export const DECIDED = {
  ready: READY,
  skippedByBranch: 1,
  skippedByNeeds: 2,
  skippedByCancel: LAST_SKIP,
  cancelledByNeeds: 4,
  cancelledByFailure: 5,
  cancelledByCancel: 6,
  cancelledByTimeout: 7,
} as const;
export type Decided = (typeof DECIDED)[keyof typeof DECIDED];

const KINDS: readonly DecisionKind[] = [
  { kind: "ready" },
  { kind: "settled", status: "SKIPPED", reason: "branch" },
  { kind: "settled", status: "SKIPPED", reason: "needs_skipped" },
  { kind: "settled", status: "SKIPPED", reason: "run_cancelled" },
  { kind: "settled", status: "CANCELLED", reason: "needs_failed" },
  { kind: "settled", status: "CANCELLED", reason: "run_failed" },
  { kind: "settled", status: "CANCELLED", reason: "run_cancelled" },
  { kind: "settled", status: "CANCELLED", reason: "run_timeout" },
];
const KIND_BITS = 3;
const KIND_MASK = 7;

export function packDecision(step: number, decided: Decided): number {
  return (step << KIND_BITS) | decided;
}

/** Where a decision leaves its step. */
export function phaseDecided(decided: Decided): Phase {
  if (decided === READY) return PHASE.ready;
  return decided <= LAST_SKIP ? PHASE.skipped : PHASE.cancelled;
}

export function isReadyDecision(decision: number): boolean {
  return (decision & KIND_MASK) === READY;
}

/** The ordinal of the step that a decision is about. */
export function decisionStep(decision: number): number {
  return decision >> KIND_BITS;
}

/**
 * What was decided; one of eight shared objects.
 *
 * @throws InvariantViolation when the number is not a decision
 */
export function decisionKind(decision: number): DecisionKind {
  const kind = decision < 0 ? undefined : KINDS[decision & KIND_MASK];
  if (kind === undefined) throw new InvariantViolation(`${decision} is not a decision`);
  return kind;
}

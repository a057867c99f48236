import { runNotFailed, runNotFound } from "./refusals.ts";
import type { EndedStep, InboxRow, RunRow, StepRow } from "./rows.ts";
import { SLOTS } from "./rows.ts";
import type { Transaction } from "./transaction.ts";
import type { Work } from "./work.ts";

/** Why a step was skipped although nothing but a failure elsewhere kept it from running. */
const VICTIM_REASONS: readonly (string | null)[] = ["needs_skipped", "needs_failed", "run_failed", "run_timeout"];
/** A FAILED step that failed nothing. */
const TOLERATED_REASONS: readonly (string | null)[] = ["on_error", "fallback"];

/**
 * Makes a FAILED run SUSPENDED again, from where it failed: what failed it, and what fell with it, is to be done once more; what
 * succeeded, or failed and was tolerated, stays. The row in its inbox tells whoever owns the ledger.
 */
export function* reopenRun(transaction: Transaction, tenant: string, publicId: string, actor: string): Work<InboxRow> {
  const found = yield* transaction.runId(tenant, publicId);
  if (found !== undefined) yield* transaction.hold({ runs: [found] });
  const run = yield* transaction.run(tenant, publicId);
  if (run === undefined) throw runNotFound(publicId);
  const steps = run.status === "FAILED" ? yield* transaction.allSteps(run.id) : [];
  // What was undone cannot be gone on with.
  if (run.status !== "FAILED" || steps.some(({ kind }) => kind === "compensation")) throw runNotFailed(run);
  const { deadlineAt, createdAt, startedAt, id: runId } = run;
  const revision = run.revision + 1;
  const inMs = deadlineAt === null ? null : deadlineAt - (startedAt ?? createdAt);
  yield* transaction.apply({ write: "reopenRun", runId, deadlineInMs: inMs, slots: run.slots === null ? null : SLOTS.idle, revision });
  yield* transaction.apply({ write: "insertEvent", runId, event: "run.reopened", detail: run.error, actor, revision });
  for (const step of reopenable(steps)) yield* reopenStep(transaction, step, revision);
  return yield* accepted(transaction, run, actor);
}

function* accepted(transaction: Transaction, run: RunRow, actor: string): Work<InboxRow> {
  const target = { runId: run.id, targetRunId: run.id, kind: "retry", ordinal: null, name: null, payload: null } as const;
  const row = yield* transaction.post({ write: "postInbox", ...target, actor });
  if (row === undefined) throw runNotFailed(run);
  return row;
}

/** In the order of ordinals, in which a block stands before its scopes and a scope before its steps. */
function reopenable(steps: readonly EndedStep[]): readonly EndedStep[] {
  const stored = new Set(steps.map(({ ordinal }) => ordinal));
  const reopened = new Set<number>();
  return steps.filter((step) => {
    const { ordinal, parent } = step;
    const isReached = parent === null || !stored.has(parent) || reopened.has(parent);
    if (!isReached || !hasFallen(step)) return false;
    reopened.add(ordinal);
    return true;
  });
}

function hasFallen({ status, reason, kind }: StepRow): boolean {
  if (kind === "checkpoint") return false;
  if (status === "SKIPPED") return VICTIM_REASONS.includes(reason);
  return status === "CANCELLED" || (status === "FAILED" && !TOLERATED_REASONS.includes(reason));
}

/** What never ran is PENDING again; blocks and scopes are at work again with what is open in them; the rest goes on with its next attempt. */
function* reopenStep(transaction: Transaction, step: EndedStep, revision: number): Work<void> {
  const { runId, ordinal, kind, attempt, error, hasRun } = step;
  yield* transaction.apply({ write: "deleteWait", runId, ordinal });
  if (!hasRun) {
    yield* transaction.apply({ write: "deleteStep", runId, ordinal });
    return;
  }
  if (kind === "block" || kind === "item" || kind === "round") {
    yield* transaction.apply({ write: "reopenStep", runId, ordinal, reason: "steps", error: null, revision });
    return;
  }
  if (error !== null && !(yield* transaction.hasAttempt(runId, ordinal, attempt))) {
    yield* transaction.apply({ write: "archiveAttempt", runId, ordinal, attempt, error, revision: step.revision });
  }
  yield* transaction.apply({ write: "reopenStep", runId, ordinal, reason: "retry", error, revision });
  const due = { key: null, dueInMs: 0, dueAt: null, childRunId: null, detail: null };
  yield* transaction.apply({ write: "insertWait", runId, ordinal, kind: "retry", ...due });
}

import type { StepView } from "../expressions/template.ts";
import type { StoredRun } from "../ledger/port.ts";
import type { StepRow } from "../ledger/rows.ts";
import { invariant } from "../model/errors.ts";
import { parseJson } from "../model/json.ts";
import { Scheduler } from "../scheduler/index.ts";
import { parseError } from "./recorded-error.ts";
import { type RunCore, type StepState, stepAt } from "./run-core.ts";
import { RunSteps } from "./run-steps.ts";
import { viewOf } from "./step-recorder.ts";

/** Rebuilds the steps of a run from its stored rows alone (PROMISES P14). */
export function restoreSteps(core: RunCore, stored: StoredRun): RunSteps {
  const views: Record<string, StepView> = {};
  const states: (StepState | undefined)[] = [];
  for (const row of stored.steps) {
    const step = stepAt(core.plan, row.ordinal);
    if (row.finishedAt !== null) {
      const output = row.output === null ? null : { output: parseJson(row.output) };
      views[step.id] = viewOf(step, row.status, output, row.error === null ? null : parseError(row.error));
    } else {
      states[row.ordinal] = stateOf(row);
    }
  }
  const scheduler = Scheduler.restore(
    core.plan.topology,
    stored.steps.map((row) => ({ ordinal: row.ordinal, status: row.status, selected: selectedOf(row) })),
    { ending: null },
  );
  const steps = new RunSteps(core, scheduler, views, states);
  for (const wait of stored.waits) {
    if (wait.kind !== "retry" && wait.kind !== "no_worker") continue;
    const delayMs = wait.dueAt === null ? null : Math.max(0, wait.dueAt - core.host.ledgerNow());
    steps.recorder.wait(wait.ordinal, { kind: wait.kind, delayMs, dueMs: null, timer: null });
  }
  const failed = stored.steps.find((row) => row.status === "FAILED" && stepAt(core.plan, row.ordinal).onError === "fail");
  if (failed !== undefined) {
    const error = failed.error === null ? { code: "STEP_FAILED", message: "unknown" } : parseError(failed.error);
    steps.failure = { stepId: stepAt(core.plan, failed.ordinal).id, error };
  }
  return steps;
}

function stateOf(row: StepRow): StepState {
  return {
    input: row.input === null ? {} : parseJson(row.input),
    idempotencyKey: row.idempotencyKey,
    attempt: row.attempt,
    failures: row.failures,
    running: null,
    holdsSlot: false,
  };
}

function selectedOf(row: StepRow): readonly number[] | null {
  if (row.selected === null) return null;
  const selected = parseJson(row.selected);
  invariant(Array.isArray(selected), `step ${row.ordinal}: its selected targets are not a list`);
  return selected.map(Number);
}

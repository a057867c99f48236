import type { RunRow, StepRunRow } from "../ledger/rows.ts";
import { iso } from "../model/iso-time.ts";
import { isJsonObject, type Json, parseJson, parseJsonOrNull } from "../model/json.ts";
import type { RunContext } from "../operators/operator.ts";
import type { RunOutcome, RunRef, RunResult, RunSummary, StepResult } from "./api.ts";
import { parseError } from "./recorded-error.ts";

export function summaryOf(row: RunRow): RunSummary {
  const { publicId: id, workflow, version, status, reason } = row;
  return {
    id,
    workflow,
    version,
    status,
    reason,
    createdAt: iso(row.createdAt),
    startedAt: iso(row.startedAt),
    finishedAt: iso(row.finishedAt),
  };
}

export function outcomeOf(row: RunRow): RunOutcome {
  const { publicId: id, workflow, version, status, reason } = row;
  return {
    id,
    workflow,
    version,
    status,
    reason,
    output: parseJsonOrNull(row.output),
    error: row.error === null ? null : parseError(row.error),
  };
}

/** What the run's operators know it by. */
export function contextOf(row: RunRow): RunContext {
  const { publicId: runId, workflow, version, tenant, initiator } = row;
  const labels = row.labels === null ? {} : parseJson(row.labels);
  const texts = isJsonObject(labels)
    ? Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, typeof value === "string" ? value : ""]))
    : {};
  return freezeContext({ runId, workflow, version, tenant, initiator, labels: texts, input: parseJson(row.input) });
}

/** Makes a context immutable, all of it (S1-23); it must not share anything with a caller. */
export function freezeContext(context: RunContext): RunContext {
  freeze(context.input);
  Object.freeze(context.labels);
  return Object.freeze(context);
}

function freeze(value: Json): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}

export function resultOf(row: RunRow, steps: readonly StepRunRow[]): RunResult {
  return { ...outcomeOf(row), steps: steps.map((step) => stepResultOf(step)) };
}

function stepResultOf(row: StepRunRow): StepResult {
  return {
    id: row.path,
    status: row.status,
    reason: row.reason,
    attempt: row.attempt,
    output: parseJsonOrNull(row.output),
    error: row.error === null ? null : parseError(row.error),
    startedAt: iso(row.startedAt),
    finishedAt: iso(row.finishedAt),
  };
}

/** How listeners know a run. */
export function refOf({ runId: id, workflow, version, tenant }: RunContext, steps: readonly string[]): RunRef {
  return { id, workflow, version, tenant, steps };
}

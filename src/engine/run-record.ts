import type { AttemptRow, HistoryRow, RunRow, StepRunRow } from "../ledger/rows.ts";
import { iso } from "../model/iso-time.ts";
import { type Json, parseJsonOrNull } from "../model/json.ts";
import type { RunResult } from "./api.ts";
import { resultOf } from "./run-results.ts";

/** What the ledger has of a run, for programs; times are ISO 8601. */
export interface RunRecord extends RunResult {
  readonly input: Json;
  readonly labels: Json;
  readonly initiator: string;
  readonly trigger: string;
  readonly environment: string;
  readonly idempotencyKey: string | null;
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Those that were not the last of their step. */
  readonly attempts: readonly {
    readonly step: string | null;
    readonly attempt: number;
    readonly status: AttemptRow["status"];
    readonly error: Json;
    readonly startedAt: string | null;
    readonly finishedAt: string | null;
  }[];
  readonly history: readonly {
    readonly at: string | null;
    readonly event: string;
    readonly step: string | null;
    readonly attempt: number | null;
    readonly detail: Json;
    readonly actor: string | null;
  }[];
}

export interface StoredRecord {
  readonly run: RunRow;
  readonly steps: readonly StepRunRow[];
  readonly attempts: readonly AttemptRow[];
  readonly history: readonly HistoryRow[];
}

export function recordOf({ run, steps, attempts, history }: StoredRecord): RunRecord {
  const pathOf = new Map(steps.map(({ ordinal, path }) => [ordinal, path]));
  return {
    ...resultOf(run, steps),
    input: parseJsonOrNull(run.input),
    labels: parseJsonOrNull(run.labels),
    initiator: run.initiator,
    trigger: run.trigger,
    environment: run.environment,
    idempotencyKey: run.idempotencyKey,
    createdAt: iso(run.createdAt),
    startedAt: iso(run.startedAt),
    finishedAt: iso(run.finishedAt),
    attempts: attempts.map(({ ordinal, attempt, status, error, startedAt, finishedAt }) => ({
      step: pathOf.get(ordinal) ?? null,
      attempt,
      status,
      error: parseJsonOrNull(error),
      startedAt: iso(startedAt),
      finishedAt: iso(finishedAt),
    })),
    history: history.map(({ at, event, step, attempt, detail, actor }) => ({
      at: iso(at),
      event,
      step,
      attempt,
      detail: parseJsonOrNull(detail),
      actor,
    })),
  };
}

import { parseError } from "../engine/recorded-error.ts";
import type { StepRunRow } from "../ledger/rows.ts";
import { formatDuration } from "../model/duration.ts";
import type { RecordedError } from "../model/errors.ts";
import { STEP_REASONS, type StepReason, type StepStatus } from "../model/status.ts";
import { fit, table } from "./layout.ts";
import type { Paint } from "./terminal.ts";

/** A step as the views show it; times are milliseconds since the Unix epoch. */
export interface StepView {
  readonly id: string;
  /** Its operator, or `switch`. */
  readonly uses: string;
  readonly status: StepStatus;
  readonly reason: StepReason | null;
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** When the next attempt is due. */
  readonly retryAt: number | null;
  /** `CODE: message` of its last error. */
  readonly error: string | null;
}

export interface PageStyle {
  readonly columns: number;
  /** Running steps are shown with the time until then. */
  readonly now: number;
  readonly paint: Paint;
  /** Steps whose names set the columns; by default those that are shown. */
  readonly alignedTo?: readonly StepView[];
}

const MARKS: Readonly<Record<StepStatus, string>> = {
  PENDING: "·",
  RUNNING: "▸",
  SUSPENDED: "↻",
  SUCCEEDED: "✓",
  FAILED: "✗",
  SKIPPED: "–",
  CANCELLED: "⊘",
};

export function stepViewOf(row: StepRunRow): StepView {
  const { path: id, uses, status, reason, attempt, startedAt, finishedAt, error } = row;
  return {
    id,
    uses,
    status,
    reason,
    attempt,
    startedAt,
    finishedAt,
    retryAt: null,
    error: error === null ? null : errorLine(parseError(error)),
  };
}

export function errorLine({ code, message }: RecordedError): string {
  return `${code}: ${message}`;
}

/** One aligned line for each step: mark, id, operator, attempt, duration, and what there is to say about it. */
export function stepLines(steps: readonly StepView[], { columns, now, paint, alignedTo = [] }: PageStyle): readonly string[] {
  const lines = table(
    [
      { title: "" },
      { title: "", minWidth: longest(alignedTo, "id"), maxWidth: 40 },
      { title: "", minWidth: longest(alignedTo, "uses"), maxWidth: 24 },
      { title: "", align: "right" },
      { title: "", align: "right" },
      { title: "" },
    ],
    steps.map((step) => [
      MARKS[step.status],
      step.id,
      step.uses,
      step.attempt > 1 ? `attempt ${step.attempt}` : "",
      duration(step, now),
      note(step, now),
    ]),
  );
  return lines.map((line, index) => painted(fit(line, columns), steps[index]?.status ?? "PENDING", paint));
}

function longest(steps: readonly StepView[], field: "id" | "uses"): number {
  return steps.reduce((width, step) => Math.max(width, step[field].length), 0);
}

function duration({ startedAt, finishedAt }: StepView, now: number): string {
  return startedAt === null ? "" : formatDuration(Math.max(0, (finishedAt ?? now) - startedAt));
}

function note({ status, reason, retryAt, error }: StepView, now: number): string {
  const said = reason === null ? "" : STEP_REASONS[reason];
  if (status === "SUSPENDED" && retryAt !== null) return `next in ${formatDuration(Math.max(0, retryAt - now))}: ${error ?? said}`;
  if (status === "RUNNING" || status === "SUCCEEDED") return said;
  return error ?? said;
}

function painted(line: string, status: StepStatus, paint: Paint): string {
  const [mark, rest] = [line.slice(0, 1), line.slice(1)];
  switch (status) {
    case "SUCCEEDED":
      return paint.green(mark) + rest;
    case "FAILED":
      return paint.red(mark) + rest;
    case "RUNNING":
      return paint.cyan(mark) + rest;
    case "SUSPENDED":
      return paint.yellow(mark) + rest;
    case "PENDING":
    case "SKIPPED":
    case "CANCELLED":
      return paint.dim(line);
  }
}

/** How many steps stand how, in words: `7 of 13 done, 2 running, 1 waiting, 1 failed`. */
export function progressText(steps: Iterable<StepView>): string {
  const counts: Record<StepStatus, number> = { PENDING: 0, RUNNING: 0, SUSPENDED: 0, SUCCEEDED: 0, FAILED: 0, SKIPPED: 0, CANCELLED: 0 };
  for (const { status } of steps) counts[status]++;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts: readonly (readonly [number, string])[] = [
    [counts.RUNNING, "running"],
    [counts.SUSPENDED, "waiting"],
    [counts.FAILED, "failed"],
    [counts.SKIPPED, "skipped"],
    [counts.CANCELLED, "cancelled"],
  ];
  const others = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return [`${counts.SUCCEEDED} of ${all} done`, ...others].join(", ");
}

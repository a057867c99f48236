import type { StepExplanation, WaitsFor } from "../engine/explain/explanation.ts";
import { parseError } from "../engine/recorded-error.ts";
import type { StepRunRow } from "../ledger/rows.ts";
import { formatDuration } from "../model/duration.ts";
import type { RecordedError } from "../model/errors.ts";
import { STEP_REASONS, type StepReason, type StepStatus } from "../model/status.ts";
import { type BlockView, blockText } from "./block-view.ts";
import { fit, table } from "./layout.ts";
import type { Paint } from "./terminal.ts";
import { type WaitView, waitOfStored, waitText } from "./wait-view.ts";

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
  /** What it waits for, when that is a time or somebody outside. */
  readonly waits: WaitView | null;
  /** How far it is, when it repeats steps of its own. */
  readonly block: BlockView | null;
}

export interface PageStyle {
  readonly columns: number;
  /** Running steps are shown with the time until then. */
  readonly now: number;
  readonly paint: Paint;
  /** Steps whose names set the columns; by default those that are shown. */
  readonly alignedTo?: readonly StepView[];
}

/** Of a step that waits: for a time, or for somebody. */
const WAIT_MARKS = { time: "◷", others: "☞" } as const;

const MARKS: Readonly<Record<StepStatus, string>> = {
  PENDING: "·",
  RUNNING: "▸",
  SUSPENDED: "↻",
  SUCCEEDED: "✓",
  FAILED: "✗",
  SKIPPED: "–",
  CANCELLED: "⊘",
};

/** @param explained the step in an explanation of its run, while it has not settled */
export function stepViewOf(row: StepRunRow, explained?: StepExplanation): StepView {
  const { path: id, uses, status, reason, attempt, startedAt, finishedAt, error } = row;
  const waitsFor = explained?.waitsFor;
  return {
    id,
    uses,
    status,
    reason,
    attempt,
    startedAt,
    finishedAt,
    retryAt: waitsFor?.kind === "retry" && waitsFor.until !== null ? Date.parse(waitsFor.until) : null,
    error: error === null ? null : errorLine(parseError(error)),
    waits: waitsFor === undefined ? null : waitOfStored(waitsFor),
    block: waitsFor === undefined ? null : blockOfStored(waitsFor),
  };
}

function blockOfStored(waitsFor: WaitsFor): BlockView | null {
  if (waitsFor.kind === "items") return { kind: "foreach", done: waitsFor.done, failed: waitsFor.failed, total: waitsFor.total };
  if (waitsFor.kind !== "rounds" && waitsFor.kind !== "delay") return null;
  return { kind: "loop", done: waitsFor.round - 1, failed: 0, total: waitsFor.maxRounds };
}

export function errorLine({ code, message }: Pick<RecordedError, "code" | "message">): string {
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
      step.status === "SUSPENDED" && step.waits !== null ? WAIT_MARKS[step.waits.by] : MARKS[step.status],
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

function note(step: StepView, now: number): string {
  const said = [...(step.block === null ? [] : [blockText(step.block, isOpen(step.status))]), ...reasonNote(step, now)];
  return said.filter((part) => part !== "").join("  ");
}

function isOpen(status: StepStatus): boolean {
  return status === "RUNNING" || status === "SUSPENDED";
}

function reasonNote({ status, reason, retryAt, error, waits, block }: StepView, now: number): readonly string[] {
  if (status === "SUSPENDED" && waits !== null) return [waitText(waits, now)];
  // the count says it better
  if (block !== null && reason === "steps") return [];
  return [plainNote({ status, reason, retryAt, error }, now)];
}

function plainNote({ status, reason, retryAt, error }: Pick<StepView, "status" | "reason" | "retryAt" | "error">, now: number): string {
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

import type { RunTurn } from "../../ledger/claims.ts";
import type { StepRow, TaskRow, WaitRow } from "../../ledger/rows.ts";
import { assertNever } from "../../model/errors.ts";
import { iso } from "../../model/iso-time.ts";
import { type Json, parseJsonOrNull } from "../../model/json.ts";
import { isTerminalStep } from "../../model/status.ts";
import { groupWanted } from "../placement.ts";
import { parseError } from "../recorded-error.ts";
import { indexOfPath } from "../step-paths.ts";
import { storedDetail } from "../step-wait.ts";
import { memberOf } from "../wakes.ts";
import type { WaitsFor } from "./explanation.ts";
import type { RunStanding, StandingIndex, UnfinishedStep } from "./standing.ts";

/** What an unfinished step waits for, as its rows say. */
export function waitsForOf(standing: RunStanding, index: StandingIndex, unfinished: UnfinishedStep): WaitsFor {
  const { row, wait, sent, step } = unfinished;
  // a step that cannot start has no row yet
  if (wait?.kind === "no_worker") {
    const key = wait.key ?? step.uses ?? "";
    const group = groupWanted(key);
    return group === null ? { kind: "no_worker", operator: key } : { kind: "no_group", group };
  }
  if (row === undefined) return pending(standing, index, unfinished);
  if (row.status === "RUNNING") {
    const { attempt, attemptStartedAt, startedAt } = row;
    return { kind: "running", attempt, maxAttempts: attemptsOf(unfinished), since: iso(attemptStartedAt ?? startedAt) };
  }
  if (row.reason === "quarantined") return { kind: "quarantined" };
  if (wait !== undefined) {
    const { kind } = wait;
    return isAnswered(wait, sent.length) ? woken(standing) : waiting(standing, index, unfinished, row, { ...wait, kind });
  }
  return step.block === null ? { kind: "queue" } : blockAtWork(index, unfinished, row);
}

function pending({ run: { pausedBy }, turn, now }: RunStanding, index: StandingIndex, { graph, step, first }: UnfinishedStep): WaitsFor {
  const isOpen = (ordinal: number): boolean => {
    const row = index.rowOf(first + ordinal);
    return row === undefined || !isTerminalStep(row.status);
  };
  const open = index.edgesTo(graph, step.ordinal).filter(({ from }) => isOpen(from));
  const needed = open.map(({ from }) => graph.steps[from]?.id ?? "");
  if (needed.length > 0) return { kind: "needs", steps: [...new Set(needed)] };
  if (turn !== undefined && pausedBy === null) return turnWait(turn, now);
  return pausedBy === null ? { kind: "queue" } : { kind: "paused", by: pausedBy };
}

function turnWait({ workerGroup, isServed, ahead, notBefore, limiter }: RunTurn, now: number): WaitsFor {
  if (!isServed) return { kind: "no_group", group: workerGroup };
  const { name, limitedTo = null, periodMs = null } = limiter ?? {};
  const limit = name === undefined ? null : limitText(name);
  const collectedUntil = notBefore !== null && notBefore > now ? notBefore : null;
  const until = iso(collectedUntil ?? (periodMs === null ? null : (limiter?.openAt ?? null)));
  return { kind: "turn", ahead, limit, limitedTo, periodMs, until };
}

/** `concurrency[1] of "order" for "c7"`, from the id that a limiter has; a tenant's own has no workflow. */
function limitText(name: string): string {
  const parts = parseJsonOrNull(name);
  const named: readonly Json[] = Array.isArray(parts) ? parts : [];
  const [workflow, kind, index, key] = named;
  if (typeof workflow !== "string" || typeof kind !== "string" || typeof index !== "number") return "what the tenant may have at once";
  return `${kind}[${index}] of "${workflow}"${key === undefined ? "" : ` for ${JSON.stringify(key)}`}`;
}

/** What it waited for has come. */
const woken = ({ turn, run, now }: RunStanding): WaitsFor =>
  turn === undefined || run.pausedBy !== null ? { kind: "wake" } : turnWait(turn, now);

/** Something has come for the step. An event that is one of several may leave it waiting for the others. */
function isAnswered(wait: WaitRow, sent: number): boolean {
  return wait.kind === "resume" || (sent > 0 && wait.kind !== "event") || (sent > 0 && storedDetail(wait).mode === "any");
}

function waiting(
  { run, tasks, children }: RunStanding,
  index: StandingIndex,
  unfinished: UnfinishedStep,
  row: StepRow,
  wait: WaitRow & { readonly kind: Exclude<WaitRow["kind"], "no_worker"> },
): WaitsFor {
  const { key, dueAt } = wait;
  const until = iso(dueAt);
  switch (wait.kind) {
    case "retry":
      return {
        kind: "retry",
        attempt: row.attempt + 1,
        maxAttempts: attemptsOf(unfinished),
        until,
        error: row.error === null ? null : parseError(row.error).code,
      };
    case "timer":
    case "timeout":
      return { kind: "timer", until };
    case "delay":
      return { ...rounds(index, unfinished), kind: "delay", until };
    case "signal":
      return { kind: "signal", name: key ?? "", until };
    case "event":
      return eventWait(unfinished, wait);
    case "task":
      return taskWait(tasks.get(key ?? ""), key ?? "", until);
    case "child": {
      const child = children.get(key ?? "");
      return { kind: "child", run: key ?? "", status: child?.status ?? null, reason: child?.reason ?? null };
    }
    case "resume":
      return run.pausedBy === null ? { kind: "wake" } : { kind: "paused", by: run.pausedBy };
    default:
      return assertNever(wait.kind, "the kind of a wait");
  }
}

function eventWait({ sent }: UnfinishedStep, wait: WaitRow): WaitsFor {
  const { mode = "any", events = [] } = storedDetail(wait);
  const come = new Set(sent.map(memberOf));
  return {
    kind: "event",
    mode,
    events: events.map((event, member) => ({ ...event, hasCome: come.has(member) })),
    until: iso(wait.dueAt),
  };
}

function taskWait(task: TaskRow | undefined, id: string, until: string | null): WaitsFor {
  if (task === undefined || task.type === "approval") {
    const { title, assignees, groups } = task ?? { title: null, assignees: [], groups: [] };
    return { kind: "task", task: id, title: title ?? id, assignees, groups, until };
  }
  const { topic, status, worker, leaseUntil, availableAt } = task;
  const next = status === "CLAIMED" ? leaseUntil : status === "RETRY_WAIT" ? availableAt : null;
  return { kind: "work", task: id, topic: topic ?? "", status, worker, until: next === null ? until : iso(next) };
}

function blockAtWork(index: StandingIndex, unfinished: UnfinishedStep, row: StepRow): WaitsFor {
  if (unfinished.step.block?.kind === "loop") return { kind: "rounds", ...rounds(index, unfinished) };
  const scopes = index.scopesOf(row.ordinal);
  const ended = scopes.filter(({ finishedAt }) => finishedAt !== null);
  const items = parseJsonOrNull(row.input);
  return {
    kind: "items",
    done: ended.length,
    failed: ended.filter(({ status }) => status === "FAILED").length,
    open: scopes.length - ended.length,
    total: Array.isArray(items) ? items.length : scopes.length,
  };
}

/** `round` counts from 1. Of the rounds only the last one need be there; its path, `poll[6]`, tells its number. */
function rounds(index: StandingIndex, { step, ordinal }: UnfinishedStep): { readonly round: number; readonly maxRounds: number } {
  const { block } = step;
  const last = index.scopesOf(ordinal).at(-1);
  const begun = last === undefined ? 0 : indexOfPath(last.path ?? "") + 1;
  const isBetween = last === undefined || last.finishedAt !== null;
  return { round: begun + (isBetween ? 1 : 0), maxRounds: block?.kind === "loop" ? block.maxIterations : 0 };
}

function attemptsOf({ step, row }: UnfinishedStep): number {
  const retry = row?.kind === "compensation" ? (step.compensate?.retry ?? step.retry) : step.retry;
  return Math.max(retry.maxAttempts, row?.attempt ?? 1);
}

import type { RunRow, TaskStatus } from "../../ledger/rows.ts";
import { formatDuration } from "../../model/duration.ts";
import { assertNever } from "../../model/errors.ts";
import { iso } from "../../model/iso-time.ts";
import { LIMITS } from "../../model/limits.ts";
import { RUN_REASONS } from "../../model/status.ts";
import { parseError } from "../recorded-error.ts";
import type { ExpectedEvent, WaitsFor } from "./explanation.ts";

/** @param now the ledger's clock, milliseconds since the Unix epoch */
export function sentenceOf(waitsFor: WaitsFor, now: number): string {
  switch (waitsFor.kind) {
    case "needs":
      return `waits for ${listed(waitsFor.steps)}`;
    case "queue":
      return "is next, as soon as an engine has a place for it";
    case "turn":
      return turn(waitsFor, now);
    case "no_group":
      return `waits for a worker that serves the group "${waitsFor.group}"`;
    case "running": {
      const { attempt, maxAttempts, since } = waitsFor;
      const nth = maxAttempts > 1 ? `, attempt ${attempt} of ${maxAttempts}` : "";
      return since === null ? `runs${nth}` : `runs for ${formatDuration(Math.max(0, now - Date.parse(since)))}${nth}`;
    }
    case "items": {
      const { done, failed, open, total } = waitsFor;
      const failures = failed === 0 ? "" : `, ${failed} failed`;
      return `waits for its items: ${done} of ${total} done${failures}, ${open} open`;
    }
    case "rounds":
      return `is in round ${waitsFor.round} of at most ${waitsFor.maxRounds}`;
    case "delay":
      return `begins round ${waitsFor.round} of at most ${waitsFor.maxRounds}${at(waitsFor.until, now)}`;
    case "timer":
      return `sleeps${until(waitsFor.until, now)}`;
    case "retry": {
      const { attempt, maxAttempts, error } = waitsFor;
      return `begins attempt ${attempt} of ${maxAttempts}${at(waitsFor.until, now)}${error === null ? "" : `, after ${error}`}`;
    }
    default:
      return waitForOthers(waitsFor, now);
  }
}

function turn(wait: Extract<WaitsFor, { readonly kind: "turn" }>, now: number): string {
  const { ahead, limit, limitedTo, periodMs } = wait;
  const before = ahead === null || ahead === 0 ? "" : `; ${ahead === LIMITS.countedAhead ? `${ahead} or more` : ahead} stand before it`;
  if (limit !== null) {
    const most = periodMs === null ? `${limitedTo} at once` : `${limitedTo} in ${formatDuration(periodMs)}`;
    return `waits for its turn: ${limit} lets ${most} begin${periodMs === null ? "" : at(wait.until, now)}${before}`;
  }
  return wait.until === null ? `is in the queue${before}` : `begins${at(wait.until, now)}: starts are collected until then`;
}

type ForOthers = Extract<
  WaitsFor,
  { readonly kind: "signal" | "event" | "task" | "work" | "child" | "no_worker" | "paused" | "quarantined" | "wake" }
>;

function waitForOthers(waitsFor: ForOthers, now: number): string {
  switch (waitsFor.kind) {
    case "signal":
      return `waits for signal "${waitsFor.name}"${until(waitsFor.until, now)}`;
    case "event":
      return `waits for ${events(waitsFor.mode, waitsFor.events)}${until(waitsFor.until, now)}`;
    case "task": {
      const whom = [...waitsFor.assignees, ...waitsFor.groups.map((group) => `group ${group}`)];
      const decides = whom.length === 0 ? "somebody decides" : `${whom.join(" or ")} decides`;
      return `waits until ${decides} on "${waitsFor.title}" (task ${waitsFor.task})${until(waitsFor.until, now, ", at most")}`;
    }
    case "work":
      return work(waitsFor.topic, waitsFor.status, waitsFor.worker, `task ${waitsFor.task}`, waitsFor.until, now);
    case "child": {
      const state = waitsFor.status === null ? "" : `, which is ${waitsFor.status}`;
      return `waits for run ${waitsFor.run}${state}${waitsFor.reason === null ? "" : `: ${RUN_REASONS[waitsFor.reason]}`}`;
    }
    case "no_worker":
      return `waits for a worker that knows operator "${waitsFor.operator}"`;
    case "paused":
      return `is held, because ${waitsFor.by} paused the run`;
    case "quarantined":
      return "is held until a person looks, because its worker died with it several times";
    case "wake":
      return "goes on, as soon as an engine has a place for it: what it waited for has come";
    default:
      return assertNever(waitsFor, "what a step waits for");
  }
}

function work(topic: string, status: TaskStatus, worker: string | null, task: string, due: string | null, now: number): string {
  if (status === "DEAD_LETTER") return `waits for somebody to restore the dead letter of topic "${topic}" (${task})`;
  if (status === "CLAIMED") return `waits for worker "${worker ?? ""}" on topic "${topic}" (${task}), whose lease ends${at(due, now)}`;
  if (status === "RETRY_WAIT") return `waits for a worker on topic "${topic}" (${task}), which is given out again${at(due, now)}`;
  return `waits for a worker on topic "${topic}" (${task})${until(due, now, ", at most")}`;
}

function events(mode: "any" | "all", expected: readonly ExpectedEvent[]): string {
  const open = expected.filter(({ hasCome }) => !hasCome).map(eventText);
  const [first = "an event"] = open;
  if (expected.length === 1) return `event ${first}`;
  const come = expected.length - open.length;
  return `${mode === "any" ? "one of the events" : "the events"} ${listed(open)}${come === 0 ? "" : ` (${come} of ${expected.length} have come)`}`;
}

function eventText({ event, where, optional }: ExpectedEvent): string {
  const members = Object.entries(where).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `"${event}"${members.length === 0 ? "" : ` with ${members.join(", ")}`}${optional ? " (optional)" : ""}`;
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** When something ends: ` until 2027-01-04T08:00:00.000Z, in 2 h`. */
function until(time: string | null, now: number, before = ""): string {
  return time === null ? "" : `${before} until ${moment(time, now)}`;
}

/** When something begins. */
function at(time: string | null, now: number): string {
  return time === null ? "" : ` at ${moment(time, now)}`;
}

function moment(time: string, now: number): string {
  const inMs = Date.parse(time) - now;
  return inMs <= 0 ? `${time}, which is now` : `${time}, in ${formatDuration(inMs)}`;
}

/** One sentence on the whole run. */
export function sentenceOfRun({ status, reason, pausedBy, error, startedAt, finishedAt }: RunRow, unfinished: number, now: number): string {
  if (pausedBy !== null) return `Paused by ${pausedBy}: nothing starts, and no wait ends, until somebody resumes it`;
  const why = reason === null ? "" : `: ${RUN_REASONS[reason]}`;
  switch (status) {
    case "QUEUED":
      return "In the queue: it starts as soon as an engine has a place for it";
    case "RUNNING": {
      const since = startedAt === null ? "" : ` for ${formatDuration(Math.max(0, now - startedAt))}`;
      return `Running${since}${why}; ${unfinished === 1 ? "one step has" : `${unfinished} steps have`} not finished`;
    }
    case "SUSPENDED":
      return `Suspended${why}`;
    case "SUCCEEDED":
    case "FAILED":
    case "CANCELLED": {
      const when = finishedAt === null ? "" : ` at ${iso(finishedAt)}`;
      const failure = error === null ? "" : `; ${parseError(error).message}`;
      return `Ended ${status}${when}${why}${failure}`;
    }
    default:
      return assertNever(status, "the status of a run");
  }
}

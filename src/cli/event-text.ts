import type { LifecycleEvent } from "../engine/api.ts";
import { formatDuration } from "../model/duration.ts";
import { RUN_REASONS, type RunReason, STEP_REASONS } from "../model/status.ts";
import { oneLine, timeOfDay } from "./layout.ts";
import { errorLine } from "./step-rows.ts";
import { waitOfEvent, waitText } from "./wait-view.ts";

/** Stands where a step's id would, for what concerns the whole run; no id has parentheses. */
const RUN = "(run)";
const MAX_WIDTH = 24;

/** Tells the events of one run as plain lines: time, step, what happened. */
export class EventText {
  readonly #width: number;
  readonly #startedAt = new Map<string, number>();

  constructor(stepIds: readonly string[]) {
    const longest = stepIds.reduce((width, { length }) => Math.max(width, length), RUN.length);
    this.#width = Math.min(MAX_WIDTH, longest);
  }

  /** @param at when it happened, milliseconds since the Unix epoch */
  line(event: LifecycleEvent, at: number): string | undefined {
    const text = this.#text(event, at);
    if (text === undefined) return undefined;
    const who = "step" in event ? event.step : RUN;
    return `${timeOfDay(at)}  ${who.padEnd(this.#width)}  ${oneLine(text)}`;
  }

  #text(event: LifecycleEvent, at: number): string | undefined {
    switch (event.type) {
      case "step.started":
        this.#startedAt.set(event.step, at);
        return event.attempt > 1 ? `started, attempt ${event.attempt}` : "started";
      case "step.retrying":
        return `attempt ${event.attempt} failed, next in ${formatDuration(event.delayMs)}: ${errorLine(event.error)}`;
      case "step.suspended":
        return `waits ${waitText(waitOfEvent(event, at), at)}${event.kind === "task" ? ` (task ${event.key ?? ""})` : ""}`;
      case "step.settled":
        return this.#settled(event, at);
      case "step.discarded":
        return `attempt ${event.attempt} came too late and does not count`;
      case "log":
        return logText(event);
      case "run.suspended":
        // The step that waits has just said so.
        return SAID_BY_STEP.has(event.reason) ? undefined : `suspended: ${RUN_REASONS[event.reason]}`;
      case "run.ended":
        return [event.status.toLowerCase(), ...(event.reason === null ? [] : [RUN_REASONS[event.reason]])].join(": ");
      case "run.queued":
        return "queued";
      case "run.recovered":
        return "goes on";
      case "ledger.stalled":
        return `the ledger stalls, next try in ${formatDuration(event.retryInMs)}: ${errorLine(event.error)}`;
      case "item.settled":
      case "runs.pruned":
      case "run.unarchived":
      case "archive.stalled":
      case "run.started":
      case "run.resumed":
      case "run.broken":
      case "ledger.failed":
      case "ledger.owned":
      case "queue.stalled":
      case "queue.resumed":
      case "queue.warned":
      case "job.refused":
        return undefined;
    }
  }

  #settled({ step, status, reason, error }: Extract<LifecycleEvent, { type: "step.settled" }>, at: number): string {
    const startedAt = this.#startedAt.get(step);
    this.#startedAt.delete(step);
    const took = startedAt === undefined ? "" : `  ${formatDuration(at - startedAt)}`;
    const why = [...(reason === null ? [] : [STEP_REASONS[reason]]), ...(error === null ? [] : [errorLine(error)])];
    return `${status.toLowerCase()}${took}${why.length === 0 ? "" : `  ${why.join("; ")}`}`;
  }
}

const SAID_BY_STEP: ReadonlySet<RunReason> = new Set(["retry", "timer", "signal", "event", "task", "child"]);

function logText({ level, message, fields }: Extract<LifecycleEvent, { type: "log" }>): string {
  const members = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${level}: ${message}${members.join("")}`;
}

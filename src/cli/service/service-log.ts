import type { LifecycleEvent } from "../../engine/api.ts";
import { formatDuration } from "../../model/duration.ts";
import type { RecordedError } from "../../model/errors.ts";
import { RUN_REASONS, type RunReason } from "../../model/status.ts";
import { oneLine, plural, timeOfDay } from "../layout.ts";
import { errorLine } from "../step-rows.ts";
import type { Output } from "../terminal.ts";

export type ServiceKind = "worker" | "server";

/** How a process is known in its ledger. */
export interface ServiceIdentity {
  readonly name: string;
  /** Without its password. */
  readonly ledger: string;
  /** Without its password; null: it drives no runs. */
  readonly queue: string | null;
  /** Null: it drives no runs. */
  readonly epoch: number | null;
}

/** What a process says of itself and its runs. */
export interface ServiceLog {
  listening(url: string): void;
  ready(identity: ServiceIdentity): void;
  event(event: LifecycleEvent): void;
  /** The event loop, or the whole process, stood still. */
  stalled(delayMs: number): void;
  /** The ledger does not answer; it is tried again after `againMs`. */
  lost(error: Pick<RecordedError, "code" | "message">, againMs: number): void;
  /** Undefined: it drives no runs. */
  stopping(grace: string | undefined): void;
  /** @param handsBack runs that it drove may be unfinished */
  stopped(handsBack: boolean): void;
}

/** One JSON object on a line for every event. */
export function jsonLog(out: Output, kind: ServiceKind): ServiceLog {
  const print = (event: Readonly<Record<string, unknown>>): void => out.line(JSON.stringify({ at: new Date().toISOString(), ...event }));
  return {
    listening: (url) => print({ type: `${kind}.listening`, url }),
    ready: (identity) => print({ type: `${kind}.ready`, ...identity }),
    event: (event) => print("run" in event ? { ...event, run: { ...event.run, steps: undefined } } : event),
    stalled: (delayMs) => print({ type: `${kind}.stalled`, delayMs: Math.round(delayMs) }),
    lost: ({ code, message }, retryInMs) => print({ type: `${kind}.lost`, error: { code, message }, retryInMs }),
    stopping: () => print({ type: `${kind}.stopping` }),
    stopped: () => print({ type: `${kind}.stopped` }),
  };
}

/** A line where a run begins or ends here, or needs somebody to look after it. */
export function textLog(out: Output, kind: ServiceKind): ServiceLog {
  const timed = (text: string): void => out.line(`${timeOfDay(Date.now())}  ${oneLine(text)}`);
  return {
    listening: (url) => out.line(`Listening on ${url}`),
    ready: ({ name, ledger, queue, epoch }) => {
      const places = [ledger, ...(queue === null || queue === "ledger" ? [] : [queue])];
      const does = epoch === null ? "drives no runs" : `epoch ${epoch}`;
      out.line(`${kind === "worker" ? "Worker" : "Server"} ${name} is ready: ${[...places, does].join(", ")}`);
    },
    event: (event) => {
      const line = textOf(event);
      if (line !== undefined) timed(line);
    },
    stalled: (delayMs) => timed(`the event loop stood still for ${formatDuration(delayMs)}`),
    lost: (error, againMs) => timed(`${errorLine(error)}; the next try in ${formatDuration(againMs)}`),
    stopping: (grace) =>
      out.line(grace === undefined ? "Stopping" : `Stopping: running attempts may end within ${grace} (again to stop at once)`),
    stopped: (handsBack) => out.line(handsBack ? "Stopped; what is unfinished goes on with another worker" : "Stopped"),
  };
}

/** What keeps a run from going on by itself. */
const IN_NEED: ReadonlySet<RunReason> = new Set(["no_worker", "quarantined"]);

function textOf(event: LifecycleEvent): string | undefined {
  switch (event.type) {
    case "run.started":
      return `${event.run.workflow}  ${event.run.id}  started`;
    case "run.recovered":
    case "run.resumed":
      return `${event.run.workflow}  ${event.run.id}  goes on here`;
    case "run.suspended":
      return IN_NEED.has(event.reason) ? `${event.run.workflow}  ${event.run.id}  suspended: ${RUN_REASONS[event.reason]}` : undefined;
    case "run.ended": {
      const why = [
        ...(event.reason === null ? [] : [RUN_REASONS[event.reason]]),
        ...(event.error === null ? [] : [errorLine(event.error)]),
      ];
      return `${event.run.workflow}  ${event.run.id}  ${event.status}${why.length === 0 ? "" : `: ${why.join("; ")}`}`;
    }
    case "run.broken":
      return `${event.runId}  cannot be driven on here: ${errorLine(event.error)}`;
    case "runs.pruned":
      return `${plural(event.runs, "run")} deleted that had ended and were kept no longer`;
    case "run.unarchived":
      return `${event.runId}  stays, it cannot be archived: ${errorLine(event.error)}`;
    case "archive.stalled":
      return `no run is deleted, next try in ${formatDuration(event.retryInMs)}: ${errorLine(event.error)}`;
    case "ledger.failed":
      return `the engine gives up: ${errorLine(event.error)}`;
    case "ledger.owned":
      return `the engine began anew, epoch ${event.epoch}`;
    case "ledger.stalled":
      return `the ledger stalls, next try in ${formatDuration(event.retryInMs)}: ${errorLine(event.error)}`;
    case "queue.stalled":
      return `the queue stalls, and the ledger does without it: ${errorLine(event.error)}`;
    case "queue.resumed":
      return "the queue answers again";
    case "queue.warned":
      return `the queue is not as it should be: ${errorLine(event.error)}`;
    case "job.refused":
      return `job ${event.jobId} is put aside: ${errorLine(event.error)}`;
    default:
      return undefined;
  }
}

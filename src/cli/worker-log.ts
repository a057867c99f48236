import type { EngineIdentity, LifecycleEvent } from "../engine/api.ts";
import { formatDuration } from "../model/duration.ts";
import type { RecordedError } from "../model/errors.ts";
import { RUN_REASONS, type RunReason } from "../model/status.ts";
import { oneLine, plural, timeOfDay } from "./layout.ts";
import { errorLine } from "./step-rows.ts";
import type { Output } from "./terminal.ts";

/** What a worker says of itself and its runs. */
export interface WorkerLog {
  ready(engine: EngineIdentity, ledger: string): void;
  event(event: LifecycleEvent): void;
  /** The server does not answer; another engine is tried after `againMs`. */
  lost(error: Pick<RecordedError, "code" | "message">, againMs: number): void;
  stopping(grace: string): void;
  stopped(): void;
}

/** One JSON object on a line for every event. */
export function jsonLog(out: Output): WorkerLog {
  const print = (event: Readonly<Record<string, unknown>>): void => out.line(JSON.stringify({ at: new Date().toISOString(), ...event }));
  return {
    ready: ({ name, epoch }, ledger) => print({ type: "worker.ready", name, ledger, epoch }),
    event: (event) => print("run" in event ? { ...event, run: { ...event.run, steps: undefined } } : event),
    lost: ({ code, message }, retryInMs) => print({ type: "worker.lost", error: { code, message }, retryInMs }),
    stopping: () => print({ type: "worker.stopping" }),
    stopped: () => print({ type: "worker.stopped" }),
  };
}

/** A line where a run begins or ends here, or needs somebody to look after it. */
export function textLog(out: Output): WorkerLog {
  return {
    ready: ({ name, epoch }, ledger) => out.line(`Worker ${name} is ready: ${ledger}, epoch ${epoch}`),
    event: (event) => {
      const line = textOf(event);
      if (line !== undefined) out.line(`${timeOfDay(Date.now())}  ${oneLine(line)}`);
    },
    lost: (error, againMs) =>
      out.line(`${timeOfDay(Date.now())}  ${oneLine(errorLine(error))}; the next try in ${formatDuration(againMs)}`),
    stopping: (grace) => out.line(`Stopping: running attempts may end within ${grace} (again to stop at once)`),
    stopped: () => out.line("Stopped; what is unfinished goes on with another worker"),
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
    case "ledger.failed":
      return `the engine gives up: ${errorLine(event.error)}`;
    case "ledger.owned":
      return `the engine began anew, epoch ${event.epoch}`;
    case "runs.pruned":
      return `${plural(event.runs, "run")} deleted that had ended and were kept no longer`;
    case "ledger.stalled":
      return `the ledger stalls, next try in ${formatDuration(event.retryInMs)}: ${errorLine(event.error)}`;
    default:
      return undefined;
  }
}

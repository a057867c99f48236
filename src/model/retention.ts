import { parseDuration } from "./duration.ts";
import { StepwellError } from "./errors.ts";
import { isTerminalRun, RUN_STATUSES, type RunStatus, type TerminalRunStatus } from "./status.ts";

/** How long runs are kept once they have ended: a duration (`30d`, or milliseconds) for all of them, or one for each status. */
export type KeptFor = string | number | Readonly<Partial<Record<TerminalRunStatus, string | number>>>;

/** Which runs are deleted some time after their end. What nobody names is kept for ever. */
export interface RetentionOptions {
  readonly runs?: KeptFor;
  /** By the name of the workflow, instead of `runs`: what is not named for a workflow here is kept. */
  readonly workflows?: Readonly<Record<string, KeptFor>>;
}

/** Milliseconds after its end for which a run of a status is kept; a status that is missing is kept for ever. */
type KeptForMs = ReadonlyMap<RunStatus, number>;

export interface RetentionPolicy {
  readonly runs: KeptForMs;
  readonly workflows: ReadonlyMap<string, KeptForMs>;
}

export const TERMINAL_STATUSES: readonly TerminalRunStatus[] = RUN_STATUSES.filter((status) => isTerminalRun(status));

/** An idempotency key is known for as long at least, whatever the policy. */
export const KEY_KEPT_MS = 24 * 3_600_000;

/** @throws StepwellError `DURATION_INVALID`; `USAGE` for a status in which no run ends */
export function retentionPolicy({ runs = {}, workflows = {} }: RetentionOptions): RetentionPolicy {
  const named = Object.entries(workflows).map(([name, keptFor]) => [name, keptForMs(keptFor)] as const);
  return { runs: keptForMs(runs), workflows: new Map(named) };
}

function keptForMs(keptFor: KeptFor): KeptForMs {
  if (typeof keptFor !== "object") {
    const ms = parseDuration(keptFor);
    return new Map(TERMINAL_STATUSES.map((status) => [status, ms]));
  }
  return new Map(Object.entries(keptFor).map(([status, duration]) => [terminalStatus(status), parseDuration(duration)]));
}

/** @throws StepwellError `USAGE` */
export function terminalStatus(name: string): TerminalRunStatus {
  const status = TERMINAL_STATUSES.find((candidate) => candidate === name);
  if (status !== undefined) return status;
  throw new StepwellError("USAGE", `Runs do not end ${name}`, { hint: `Name ${TERMINAL_STATUSES.join(", ")}.` });
}

/** For how long a run is kept after its end, milliseconds; undefined: for ever, or it has not ended. */
export function keptMs({ runs, workflows }: RetentionPolicy, workflow: string, status: RunStatus): number | undefined {
  return (workflows.get(workflow) ?? runs).get(status);
}

/** The shortest time that any run is kept, milliseconds; undefined when all are kept for ever. */
export function shortestKeptMs({ runs, workflows }: RetentionPolicy): number | undefined {
  const all = [runs, ...workflows.values()].flatMap((keptFor) => [...keptFor.values()]);
  return all.length === 0 ? undefined : Math.min(...all);
}

import { StepwellError } from "../model/errors.ts";
import { type KeptFor, type RetentionOptions, retentionPolicy, terminalStatus } from "../model/retention.ts";

const HINT = "Write 30d for all runs, or SUCCEEDED=7d,FAILED=90d; a file may also have `runs` and, by their names, `workflows`.";

/**
 * How long runs are kept, as a flag, a variable or a file says it: `30d`, `SUCCEEDED=7d,FAILED=90d`, or a map with `runs` and `workflows`.
 *
 * @throws StepwellError `USAGE`, `DURATION_INVALID`
 */
export function readRetention(value: unknown): RetentionOptions {
  const options = isMap(value) ? readMap(value) : { runs: readKeptFor(value) };
  retentionPolicy(options);
  return options;
}

function readMap(members: Readonly<Record<string, unknown>>): RetentionOptions {
  const unknown = Object.keys(members).find((name) => name !== "runs" && name !== "workflows");
  if (unknown !== undefined) throw new StepwellError("USAGE", `A retention has no "${unknown}"`, { hint: HINT });
  const { runs = {}, workflows = {} } = members;
  if (!isMap(workflows)) throw notReadable(workflows);
  const named = Object.entries(workflows).map(([workflow, keptFor]) => [workflow, readKeptFor(keptFor)] as const);
  return { runs: readKeptFor(runs), workflows: Object.fromEntries(named) };
}

/** A number would be milliseconds, and whoever writes 30 means days. */
function readKeptFor(value: unknown): KeptFor {
  if (typeof value === "string") return value.includes("=") ? byStatus(value.split(",").map(readPair)) : value;
  if (isMap(value)) return byStatus(Object.entries(value));
  throw notReadable(value);
}

function readPair(text: string): readonly [string, string] {
  const [status = "", duration = ""] = text.split("=");
  return [status.trim(), duration.trim()];
}

function byStatus(entries: readonly (readonly [string, unknown])[]): KeptFor {
  const keptFor: Record<string, string> = {};
  for (const [name, duration] of entries) {
    if (typeof duration !== "string") throw notReadable(duration);
    keptFor[terminalStatus(name)] = duration;
  }
  return keptFor;
}

function notReadable(value: unknown): StepwellError {
  return new StepwellError("USAGE", `${JSON.stringify(value)} does not say how long runs are kept`, { hint: HINT });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

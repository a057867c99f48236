import { type KeptFor, type RetentionOptions, retentionPolicy, terminalStatus } from "../../model/retention.ts";
import { type Kind, wrong } from "./kinds.ts";

const HINT = "Write 30d for all runs, or SUCCEEDED=7d,FAILED=90d; a file may also have `runs` and, by their names, `workflows`.";

/** How long runs are kept: one duration, one for each status, or a map with `runs` and `workflows`, which a text may hold as JSON. */
export const RETENTION: Kind<RetentionOptions> = {
  placeholder: "policy",
  description: "`30d`, `SUCCEEDED=7d,FAILED=90d`, or a map with `runs` and `workflows`",
  read(value) {
    const said = typeof value === "string" && value.startsWith("{") ? parsed(value) : value;
    const options = isMap(said) ? readMap(said) : { runs: readKeptFor(said) };
    retentionPolicy(options);
    return options;
  },
  show: (options) => (typeof options.runs === "string" && options.workflows === undefined ? options.runs : JSON.stringify(options)),
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notReadable(text);
  }
}

function readMap(members: Readonly<Record<string, unknown>>): RetentionOptions {
  const unknown = Object.keys(members).find((name) => name !== "runs" && name !== "workflows");
  if (unknown !== undefined) throw wrong(`A retention has no "${unknown}"`, HINT);
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

function notReadable(value: unknown): Error {
  return wrong(`${JSON.stringify(value)} does not say how long runs are kept`, HINT);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { dirname, resolve } from "node:path";
import { isSharedLedger, ledgerFile, withoutPassword } from "../ledger/url.ts";
import { formatDuration, parseDuration } from "../model/duration.ts";
import { StepwellError } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";
import type { Problem } from "../model/problem.ts";
import type { RetentionOptions } from "../model/retention.ts";
import { LEDGER_VARIABLES } from "./command.ts";
import { readText } from "./load-definition.ts";
import { readRetention } from "./retention-setting.ts";

/** What a worker is told, whoever tells it. */
export interface WorkerSettings {
  readonly ledger: string;
  /** A path; without one only the built-in operators are there. */
  readonly operators: string | undefined;
  /** Undefined: what an engine does by itself. */
  readonly concurrency: number | undefined;
  readonly leaseMs: number | undefined;
  readonly graceMs: number;
  readonly retention: RetentionOptions;
}

type Name = "ledger" | "operators" | "concurrency" | "lease" | "grace" | "retention";

export type WorkerFlags = Readonly<Partial<Record<Name | "config", string>>> & { readonly json?: true };

const VARIABLES: Readonly<Record<Name, readonly string[]>> = {
  ledger: LEDGER_VARIABLES,
  operators: ["STEPWELL_OPERATORS"],
  concurrency: ["STEPWELL_CONCURRENCY"],
  lease: ["STEPWELL_LEASE"],
  grace: ["STEPWELL_GRACE"],
  retention: ["STEPWELL_RETENTION"],
};
const CONFIG_VARIABLE = "STEPWELL_CONFIG";
const NAMES = Object.keys(VARIABLES);
const GRACE_MS = 10_000;
/** A quarter of it passes between two heartbeats. */
const MIN_LEASE_MS = 1_000;
const MAX_CONCURRENCY = 100_000;

/** A value with the place that it comes from, for messages. */
interface Told {
  readonly value: unknown;
  readonly place: string;
}

/**
 * Reads a worker's settings from flags, the environment and a file, in this order of precedence. All that is wrong is reported at
 * once; the settings may be used only when nothing is.
 */
export async function readWorkerSettings(
  flags: WorkerFlags,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly settings: WorkerSettings; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const path = flags.config ?? nonEmpty(environment[CONFIG_VARIABLE]);
  const file = path === undefined ? {} : await readFile(path, problems);
  const told = (name: Name): Told | undefined => toldOf(name, flags, environment, path === undefined ? undefined : { path, members: file });
  const take = <T>(name: Name, read: (value: unknown) => T): T | undefined => {
    const found = told(name);
    if (found === undefined) return undefined;
    try {
      return read(found.value);
    } catch (error) {
      if (!(error instanceof StepwellError)) throw error;
      problems.push(problemAt(found.place, error));
      return undefined;
    }
  };
  if (told("ledger") === undefined) problems.push(problemAt("", NO_LEDGER));
  const ledger = take("ledger", readLedger) ?? "";
  const settings = {
    ledger,
    operators: take("operators", readPath),
    concurrency: take("concurrency", readCount),
    leaseMs: take("lease", (value) => readLease(value, ledger)),
    graceMs: take("grace", readDuration) ?? GRACE_MS,
    retention: take("retention", readRetention) ?? {},
  };
  return { settings, problems };
}

const NO_LEDGER = new StepwellError("USAGE", "No ledger is named, and a worker has no default", {
  hint: `Pass --ledger postgres://…, set ${LEDGER_VARIABLES.join(" or ")}, or write ledger: into the file of --config.`,
});

function problemAt(place: string, { message, hint }: StepwellError): Problem {
  return { code: "USAGE", severity: "error", path: "", message, ...(hint !== undefined && { hint }), ...(place !== "" && { file: place }) };
}

interface ConfigFile {
  readonly path: string;
  readonly members: Readonly<Record<string, unknown>>;
}

function toldOf(name: Name, flags: WorkerFlags, environment: NodeJS.ProcessEnv, file: ConfigFile | undefined): Told | undefined {
  if (flags[name] !== undefined) return { value: flags[name], place: `--${name}` };
  const variable = VARIABLES[name].find((candidate) => nonEmpty(environment[candidate]) !== undefined);
  if (variable !== undefined) return { value: environment[variable], place: variable };
  const value = file?.members[name];
  if (file === undefined || value === undefined || value === null) return undefined;
  const place = `${file.path}: ${name}`;
  // what a file names stands beside it, wherever the worker is started
  return { value: name === "operators" && typeof value === "string" ? resolve(dirname(file.path), value) : value, place };
}

async function readFile(path: string, problems: Problem[]): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await readText(path, "configuration", LIMITS.definitionBytes);
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    problems.push(problemAt("", error));
    return {};
  }
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text);
  for (const { message } of document.errors) problems.push(problemAt(path, wrong(message)));
  const content: unknown = document.errors.length > 0 ? {} : (document.toJS() ?? {});
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    problems.push(problemAt(path, wrong("A configuration is a map of settings", `Its members may be ${NAMES.join(", ")}.`)));
    return {};
  }
  const members = Object.fromEntries(Object.entries(content));
  for (const name of Object.keys(members).filter((candidate) => !NAMES.includes(candidate)))
    problems.push(problemAt(path, wrong(`There is no setting "${name}"`, `Its members may be ${NAMES.join(", ")}.`)));
  return members;
}

function wrong(message: string, hint?: string): StepwellError {
  return new StepwellError("USAGE", message, hint === undefined ? {} : { hint });
}

function readLedger(value: unknown): string {
  const url = readPath(value);
  if (isSharedLedger(url)) {
    if (!URL.canParse(url)) throw wrong("The ledger's URL cannot be read", "Write postgres://user:password@host:5432/database.");
  } else if (ledgerFile(url) === undefined) {
    throw wrong(`A worker cannot drive the runs of ${withoutPassword(url)}: nobody else would reach them`);
  }
  return url;
}

function readPath(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") throw wrong(`${shown(value)} is not a text`);
  return value;
}

function readCount(value: unknown): number {
  const count = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof count === "number" && Number.isSafeInteger(count) && count >= 1 && count <= MAX_CONCURRENCY) return count;
  throw wrong(`${shown(value)} is not a whole number from 1 to ${MAX_CONCURRENCY}`);
}

function readDuration(value: unknown): number {
  if (typeof value === "string" || typeof value === "number") return parseDuration(value);
  throw wrong(`${shown(value)} is not a duration`, "Write a number with a unit, for example 10s.");
}

function readLease(value: unknown, ledger: string): number {
  const leaseMs = readDuration(value);
  if (leaseMs < MIN_LEASE_MS) throw wrong(`A lease of ${formatDuration(leaseMs)} is too short`, "Write 1s or more.");
  if (ledger !== "" && !isSharedLedger(ledger))
    throw wrong("Only a worker on PostgreSQL has a lease", "The engine of a file keeps a lock, which ends with its process.");
  return leaseMs;
}

const shown = (value: unknown): string => JSON.stringify(value);

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

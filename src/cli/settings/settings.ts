import { isSharedLedger } from "../../ledger/url.ts";
import type { StepwellError } from "../../model/errors.ts";
import type { RetentionOptions } from "../../model/retention.ts";
import { LEDGER_VARIABLES } from "../command.ts";
import { duration, FOLDER, HOST, type Kind, LEDGER_URL, NAMES, PATH, PORT, QUEUE_URL, wholeNumber, wrong, YES_OR_NO } from "./kinds.ts";
import { RETENTION } from "./retention.ts";

/**
 * One thing that a process is told. From this description come its flag, its variable, its key in a file, what is checked, and its line
 * in docs/guide/configuration.md; `V` is what the process gets.
 */
export interface Setting<V> {
  readonly kind: Kind<NonNullable<V>>;
  /** A sentence without its end. */
  readonly help: string;
  /** The same for the flag that denies it. */
  readonly helpOfDenial?: string;
  /** What counts when nobody says anything. */
  readonly fallback: V;
  /** What `fallback` means, where it does not say so itself. */
  readonly fallbackText?: string;
  /** Somebody has to say it. */
  readonly isRequired?: true;
  /** The variables of the environment that say it, the first one that is there counts; default: `STEPWELL_` and its name. */
  readonly variables?: readonly string[];
  /** A path: in a file it is beside that file, wherever the process is started. */
  readonly isPath?: true;
  /** What speaks against a value that makes sense alone. */
  refuse?(value: NonNullable<V>, ledger: string): StepwellError | undefined;
}

/** By name, as a file has them. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** What a process gets that was told all of a table. */
export type ValuesOf<T extends SettingsTable> = { readonly [N in keyof T]: T[N] extends Setting<infer V> ? V : never };

const MAX_CONCURRENCY = 100_000;
/** A quarter of it passes between two heartbeats. */
const MIN_LEASE_MS = 1_000;

const ledger: Setting<string> = {
  kind: LEDGER_URL,
  help: "the ledger: a PostgreSQL database, which many processes may share, or a SQLite file, whose runs one process drives",
  fallback: "",
  isRequired: true,
  variables: LEDGER_VARIABLES,
};
const queue: Setting<string> = {
  kind: QUEUE_URL,
  help: "what wakes it for runs that wait: the ledger, or a Redis, where BullMQ keeps jobs",
  fallback: "ledger",
};
const operators: Setting<string | undefined> = {
  kind: PATH,
  help: "a TypeScript or JavaScript module whose named exports are operators",
  fallback: undefined,
  fallbackText: "the built-in operators alone",
  isPath: true,
};
const groups: Setting<readonly string[] | undefined> = {
  kind: NAMES,
  help: "the worker groups whose runs it drives; on PostgreSQL alone, what has a file to itself drives every run",
  fallback: undefined,
  fallbackText: "default",
  refuse: (_groups, url) =>
    isSharedLedger(url)
      ? undefined
      : wrong("Only on PostgreSQL are there groups of workers", "The engine of a file drives every run in it."),
};
const concurrency: Setting<number | undefined> = {
  kind: wholeNumber(1, MAX_CONCURRENCY),
  help: "how many runs it drives, and how many attempts execute, at once",
  fallback: undefined,
  fallbackText: "4096 runs, 1024 attempts",
};
const lease: Setting<number> = {
  kind: duration(MIN_LEASE_MS),
  help: "how long its runs stay its own while it is not heard of; on PostgreSQL alone",
  fallback: 10_000,
  refuse: (_leaseMs, url) =>
    isSharedLedger(url)
      ? undefined
      : wrong("Only an engine on PostgreSQL has a lease", "The engine of a file keeps a lock, which ends with its process."),
};
const grace: Setting<number> = {
  kind: duration(0),
  help: "how long running attempts may take to end when the process is stopped",
  fallback: 10_000,
};
const retention: Setting<RetentionOptions | undefined> = {
  kind: RETENTION,
  help: "how long runs are kept after their end",
  fallback: undefined,
  fallbackText: "for ever",
};
const archive: Setting<string | undefined> = {
  kind: FOLDER,
  help: "a folder where runs are written, as lines of JSON, before a retention deletes them",
  fallback: undefined,
  isPath: true,
};
const engine = { ledger, queue, operators, groups, concurrency, lease, grace, retention, archive };
export type EngineValues = ValuesOf<typeof engine>;

const LOOPBACK = "127.0.0.1";
const healthPort: Setting<number | undefined> = {
  kind: PORT,
  help: "the port that answers GET /healthz and GET /readyz",
  fallback: undefined,
  fallbackText: "none",
};
const healthHost: Setting<string> = { kind: HOST, help: "where the health port listens; 0.0.0.0 for every network", fallback: LOOPBACK };

const port: Setting<number> = { kind: PORT, help: "the port that it listens on; 0 for any that is free", fallback: 8_000 };
const host: Setting<string> = { kind: HOST, help: "where it listens; 0.0.0.0 for every network", fallback: LOOPBACK };
const work: Setting<boolean> = {
  kind: YES_OR_NO,
  help: "whether it drives runs as a worker does, or leaves them to others",
  helpOfDenial: "drive no runs, leave them to others",
  fallback: true,
};

export const WORKER_SETTINGS = { ...engine, healthPort, healthHost } satisfies SettingsTable;
export const SERVER_SETTINGS = { ...engine, port, host, work } satisfies SettingsTable;
/** One file may serve both. */
export const ALL_SETTINGS: SettingsTable = { ...WORKER_SETTINGS, ...SERVER_SETTINGS };

export const CONFIG_VARIABLE = "STEPWELL_CONFIG";
/** Read when it is there and no other file is named. */
export const CONFIG_FILE = "stepwell.yaml";

/** `healthPort` as `health-port`. */
const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The flag that says a setting; of one that is true unless said otherwise, the flag that denies it. */
export const flagOf = (name: string, { fallback }: Setting<unknown>): string => `--${fallback === true ? "no-" : ""}${dashed(name)}`;

export const variablesOf = (name: string, { variables }: Setting<unknown>): readonly string[] =>
  variables ?? [`STEPWELL_${dashed(name).replaceAll("-", "_").toUpperCase()}`];

/** What counts when nobody says anything, for people; undefined where somebody has to. */
export function fallbackOf({ kind, fallback, fallbackText, isRequired }: Setting<unknown>): string | undefined {
  if (isRequired === true) return undefined;
  return fallbackText ?? (fallback === undefined || fallback === null ? "none" : String(kind.show(fallback)));
}

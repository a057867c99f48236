import { StepwellError } from "../model/errors.ts";
import type { MigrationReport } from "./migrations/applied.ts";
import type { Ledger, LiveEngine } from "./port.ts";
import type { PostgresInspection } from "./postgres/inspect.ts";
import { placeOf } from "./postgres/settings.ts";
import type { Verification } from "./sql/checks/verify.ts";
import type { SqliteInspection } from "./sqlite/inspect.ts";

export type { LiveEngine } from "./port.ts";
export type { PostgresInspection } from "./postgres/inspect.ts";
export type { LedgerFigures } from "./sql/checks/figures.ts";
export type { CheckResult, Verification } from "./sql/checks/verify.ts";
export type { SqliteInspection } from "./sqlite/inspect.ts";

export interface OpenOptions {
  /** Of a shared ledger: how long this process keeps its runs while it is not heard of, milliseconds. Default 10,000. */
  readonly leaseMs?: number;
  /** A database without a ledger is refused instead of getting one. */
  readonly mustExist?: boolean;
  /**
   * What must not hold up the event loop of this process, nor wait for it, has a thread of its own: the commits of a file, the heartbeats of
   * a shared ledger. Default: it has none.
   */
  readonly ownThread?: boolean;
}

/**
 * Opens the ledger that a URL names: `postgres://…` is a PostgreSQL database, `sqlite:PATH`, `file:PATH` or a plain path a SQLite file,
 * `memory:` lives in this process alone. A backend's code is loaded when it is asked for.
 *
 * @throws StepwellError `NOT_SUPPORTED` for another scheme, `USAGE` when the path is missing, and whatever opening raises
 */
export async function openLedger(url: string, options: OpenOptions = {}): Promise<Ledger> {
  if (isSharedLedger(url)) {
    const { openPostgresLedger } = await import("./postgres/ledger.ts");
    return openPostgresLedger({ ...options, url });
  }
  const file = ledgerFile(url);
  if (file === undefined) {
    const { openMemoryLedger } = await import("./memory/ledger.ts");
    return openMemoryLedger();
  }
  if (options.ownThread === true) {
    const { openThreadLedger } = await import("./thread/thread-ledger.ts");
    return openThreadLedger(file);
  }
  const { openSqliteLedger } = await import("./sqlite/ledger.ts");
  return openSqliteLedger({ file });
}

/** Whether several engines may drive runs of the ledger at once. */
export const isSharedLedger = (url: string): boolean => /^postgres(ql)?:/i.test(url);

/**
 * The file in which a URL's ledger lives; undefined for one that is no file.
 *
 * @throws StepwellError `NOT_SUPPORTED`, `USAGE`
 */
export function ledgerFile(url: string): string | undefined {
  // A single letter before the colon is a Windows drive, not a scheme.
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(url) ?? [url, "sqlite", url];
  switch (scheme.toLowerCase()) {
    case "postgres":
    case "postgresql":
      return undefined;
    case "memory":
      if (rest !== "") throw unsupported(`A memory ledger lives in one process and cannot be shared or opened again as "${url}"`);
      return undefined;
    case "sqlite":
    case "file":
      return pathIn(url, rest);
    default:
      throw unsupported(`There is no ledger for "${scheme}:"`);
  }
}

/**
 * Refuses a URL by which no ledger could be opened, without asking anybody.
 *
 * @throws StepwellError `NOT_SUPPORTED`, `USAGE`
 */
export function checkLedgerUrl(url: string): void {
  if (isSharedLedger(url)) placeOf(url);
  else ledgerFile(url);
}

function unsupported(message: string): StepwellError {
  return new StepwellError("NOT_SUPPORTED", message, {
    hint: "Use postgres://…, sqlite:PATH, a plain path, or memory: for a ledger that ends with the process.",
  });
}

/** The path of `sqlite:path`, `sqlite:/path` and `sqlite:///path`. */
function pathIn(url: string, rest: string): string {
  const path = rest.startsWith("//") ? rest.slice(2) : rest;
  if (path !== "" && path !== ":memory:") return path;
  throw new StepwellError("USAGE", `The ledger "${url}" names no file`, {
    hint: "Write sqlite:PATH, for example sqlite:.stepwell/ledger.db.",
  });
}

/**
 * Looks at a URL's ledger without changing it; undefined for one in memory.
 *
 * @param countedRuns unfinished runs of a shared ledger are counted up to this
 * @throws StepwellError `LEDGER_CORRUPT`, `LEDGER_UNAVAILABLE`, `LEDGER_UNREACHABLE`, `LEDGER_BUSY`, `LEDGER_SCHEMA_NEWER`, `NOT_SUPPORTED`, `USAGE`
 */
export async function inspectLedger(url: string, countedRuns: number): Promise<SqliteInspection | PostgresInspection | undefined> {
  if (isSharedLedger(url)) {
    const { inspectPostgres } = await import("./postgres/inspect.ts");
    return inspectPostgres(url, countedRuns);
  }
  const file = ledgerFile(url);
  if (file === undefined) return undefined;
  const { inspectSqlite } = await import("./sqlite/inspect.ts");
  return inspectSqlite(file);
}

/**
 * Holds a URL's ledger against what must always be true of one: reads alone, of one state, also beside engines at work.
 *
 * @throws StepwellError `USAGE` for a ledger in memory; `LEDGER_UNAVAILABLE`, `LEDGER_UNREACHABLE`, `LEDGER_BUSY`, `LEDGER_CORRUPT`, `NOT_SUPPORTED`
 */
export async function verifyLedger(url: string): Promise<Verification> {
  if (isSharedLedger(url)) {
    const { verifyPostgres } = await import("./postgres/verify.ts");
    return verifyPostgres(url);
  }
  const file = ledgerFile(url);
  if (file === undefined) throw new StepwellError("USAGE", "A ledger in memory cannot be verified from outside its process");
  const { verifySqlite } = await import("./sqlite/verify.ts");
  return verifySqlite(file);
}

/** The engines that drive runs of a URL's ledger at this moment: in a file at most one. */
export async function liveEngines(url: string): Promise<readonly LiveEngine[]> {
  if (isSharedLedger(url)) {
    const { liveWorkers } = await import("./postgres/inspect.ts");
    return liveWorkers(url);
  }
  const file = ledgerFile(url);
  if (file === undefined) return [];
  const { liveOwner } = await import("./sqlite/inspect.ts");
  const owner = await liveOwner(file);
  return owner === undefined ? [] : [owner];
}

/**
 * Brings the schema of a URL's ledger up to date, and makes the ledger when it is not there.
 *
 * @throws StepwellError `USAGE` for a ledger in memory, and whatever opening raises
 */
export async function migrateLedger(url: string): Promise<MigrationReport> {
  if (isSharedLedger(url)) {
    const { migrateSchema } = await import("./postgres/inspect.ts");
    return migrateSchema(url);
  }
  const file = ledgerFile(url);
  if (file === undefined) throw new StepwellError("USAGE", "A ledger in memory has no schema that could be brought up to date");
  const { migrateFile } = await import("./sqlite/inspect.ts");
  return migrateFile(file);
}

/** For people and logs: a URL without its password, wherever the driver takes one. */
export function withoutPassword(url: string): string {
  if (!isSharedLedger(url)) return url;
  return url.replace(/^([a-z]+:\/\/[^/?#]*?):[^/?#]*@/i, "$1:***@").replaceAll(/([?&](?:ssl)?password=)[^&#]*/gi, "$1***");
}

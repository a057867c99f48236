import { StepwellError } from "../model/errors.ts";
import type { Ledger, WorkerIdentity } from "./port.ts";
import type { LedgerInspection } from "./sqlite/inspect.ts";

/**
 * Opens the ledger that a URL names: `postgres://…` is a PostgreSQL database, `sqlite:PATH`, `file:PATH` or a plain path a SQLite file,
 * `memory:` lives in this process alone. A backend's code is loaded when it is asked for.
 *
 * @throws StepwellError `NOT_SUPPORTED` for another scheme, `USAGE` when the path is missing, and whatever opening raises
 */
export async function openLedger(url: string): Promise<Ledger> {
  if (isPostgres(url)) {
    const { openPostgresLedger } = await import("./postgres/ledger.ts");
    return openPostgresLedger({ url });
  }
  const file = ledgerFile(url);
  if (file === undefined) {
    const { openMemoryLedger } = await import("./memory/ledger.ts");
    return openMemoryLedger();
  }
  const { openSqliteLedger } = await import("./sqlite/ledger.ts");
  return openSqliteLedger({ file });
}

const isPostgres = (url: string): boolean => /^postgres(ql)?:/i.test(url);

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
 * Looks at the file of a URL's ledger without changing it; undefined for a ledger without a file.
 *
 * @throws StepwellError `LEDGER_CORRUPT`, `LEDGER_UNAVAILABLE`, `LEDGER_BUSY`, `NOT_SUPPORTED`, `USAGE`
 */
export async function inspectLedger(url: string): Promise<LedgerInspection | undefined> {
  const file = ledgerFile(url);
  if (file === undefined) return undefined;
  const { inspectSqlite } = await import("./sqlite/inspect.ts");
  return inspectSqlite(file);
}

/** The engine that holds a URL's ledger at this moment; undefined when none does. */
export async function liveOwnerOf(url: string): Promise<WorkerIdentity | undefined> {
  const file = ledgerFile(url);
  if (file === undefined) return undefined;
  const { liveOwner } = await import("./sqlite/inspect.ts");
  return liveOwner(file);
}

import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StepwellError } from "../../model/errors.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import { sqliteError } from "./errors.ts";
import { migrate, requireLedger } from "./migrate.ts";

/** 8 MB is enough for the inner pages of a large ledger: 64 MB was no faster and kept 56 MB more resident. */
const PAGE_CACHE_KIB = 8 * 1024;
const CHECKPOINT_PAGES = 1_000;
/** What a WAL that a long reader let grow is cut back to. */
const WAL_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Opens a ledger's database, brings its schema up to date and proves that it is as durable as promised: WAL with
 * `synchronous=FULL` (and F_FULLFSYNC where only that reaches the disk).
 */
export async function openDatabase(file: string, busyTimeoutMs: number): Promise<DatabaseSync> {
  const sqlite = await import("node:sqlite");
  let db: DatabaseSync | undefined;
  try {
    const madeDirectory = mkdirSync(dirname(file), { recursive: true });
    db = new sqlite.DatabaseSync(file, { timeout: busyTimeoutMs });
    requireLedger(db, file);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA cache_size = -${PAGE_CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES};
    `);
    requirePragma(db, file, "journal_mode", "wal");
    requirePragma(db, file, "synchronous", 2);
    migrate(db, file, MIGRATIONS);
    if (madeDirectory !== undefined) syncDirectories(dirname(file), dirname(madeDirectory));
    return db;
  } catch (error) {
    db?.close();
    throw openingError(error, file);
  }
}

function requirePragma(db: DatabaseSync, file: string, name: string, wanted: string | number): void {
  const found = db.prepare(`PRAGMA ${name}`).get()?.[name];
  if (found === wanted) return;
  throw new StepwellError("LEDGER_UNAVAILABLE", `${file} cannot be opened durably: ${name} is ${String(found)}, not ${wanted}`, {
    hint: "Put the ledger on a local file system that supports shared memory and locks; a network share does not.",
    data: { file },
  });
}

/** A new directory survives a power cut only once its parents' entries are on disk; SQLite itself syncs the file's own directory. */
function syncDirectories(from: string, upTo: string): void {
  if (process.platform === "win32") return;
  for (let directory = from; ; directory = dirname(directory)) {
    const handle = openSync(directory, "r");
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    if (directory === upTo || directory === dirname(directory)) return;
  }
}

function openingError(error: unknown, file: string): unknown {
  const coded = sqliteError(error, file);
  if (coded instanceof StepwellError || !(error instanceof Error) || !("syscall" in error)) return coded;
  const code = "code" in error && error.code === "ENOSPC" ? "LEDGER_FULL" : "LEDGER_UNAVAILABLE";
  return new StepwellError(code, `${file}: ${error.message}`, { data: { file }, cause: error });
}

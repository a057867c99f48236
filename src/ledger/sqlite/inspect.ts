import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { MigrationReport } from "../migrations/applied.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import type { LiveEngine } from "../port.ts";
import { decodeOwner } from "../sql/decode.ts";
import { READS } from "../sql/reads.ts";
import { openDatabase } from "./connection.ts";
import { sqliteError } from "./errors.ts";
import { takeLock } from "./lock.ts";
import { appliedMigrations } from "./migrate.ts";

/** How long a look waits for another process's lock. */
export const BUSY_MS = 5_000;

/** What a look from outside says about a ledger's file. */
export interface SqliteInspection {
  readonly kind: "sqlite";
  /** Absolute path. */
  readonly file: string;
  readonly bytes: number;
  readonly sqliteVersion: string;
  /** `wal` in a ledger that is as durable as promised. */
  readonly journalMode: string;
  /** Schema migrations that were applied, and those that this version knows. */
  readonly migrations: { readonly applied: number; readonly known: number };
  /** What SQLite's own check found; empty when the file is sound. */
  readonly damage: readonly string[];
}

/**
 * Looks at a ledger's file without changing it; reads all of it.
 *
 * @throws StepwellError `LEDGER_CORRUPT`, `LEDGER_UNAVAILABLE`, `LEDGER_BUSY` when not even that is possible
 */
export async function inspectSqlite(path: string): Promise<SqliteInspection> {
  const file = resolve(path);
  const { DatabaseSync } = await import("node:sqlite");
  let db: DatabaseSync | undefined;
  try {
    const { size } = await stat(file);
    db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    const found = db.prepare("PRAGMA integrity_check").all().map(firstText);
    return {
      kind: "sqlite",
      file,
      bytes: size,
      sqliteVersion: firstText(db.prepare("SELECT sqlite_version()").get()),
      journalMode: firstText(db.prepare("PRAGMA journal_mode").get()),
      migrations: { applied: Number(firstText(db.prepare("SELECT count(*) FROM migration").get())), known: MIGRATIONS.length },
      damage: found.filter((line) => line !== "ok"),
    };
  } catch (error) {
    throw sqliteError(error, file);
  } finally {
    db?.close();
  }
}

/** The engine that holds the ledger at this moment; undefined when none does. */
export async function liveOwner(path: string): Promise<LiveEngine | undefined> {
  const file = resolve(path);
  const lock = await takeLock(file);
  lock?.release();
  if (lock !== undefined) return undefined;
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  try {
    const row = db.prepare(READS.owner).get();
    return row === undefined ? undefined : { ...decodeOwner(row), epoch: Number(row["epoch"]), silentMs: null, isAlive: true };
  } catch (error) {
    throw sqliteError(error, file);
  } finally {
    db.close();
  }
}

/**
 * Brings a file's schema up to date; makes the file when it is not there.
 *
 * @throws StepwellError what opening a ledger raises
 */
export async function migrateFile(path: string): Promise<MigrationReport> {
  const file = resolve(path);
  const before = existsSync(file) ? await appliedIn(file) : 0;
  (await openDatabase(file, BUSY_MS)).close();
  return { ledger: file, before, applied: MIGRATIONS.slice(before).map(({ number, name }) => ({ number, name })) };
}

async function appliedIn(file: string): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  try {
    return appliedMigrations(db, file, MIGRATIONS);
  } catch (error) {
    throw sqliteError(error, file);
  } finally {
    db.close();
  }
}

function firstText(row: Readonly<Record<string, unknown>> | undefined): string {
  const [first] = Object.values(row ?? {});
  return typeof first === "string" || typeof first === "number" ? String(first) : "";
}

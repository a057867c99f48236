import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { StepwellError } from "../../model/errors.ts";
import type { Migration } from "../migrations/migrations.ts";

/** Kept apart from the schema that it describes: the table must be readable whatever the schema says. */
const BOOK = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT";

/**
 * Brings the schema up to the last of `migrations`, all in one transaction, or finds that it is already there.
 *
 * @throws StepwellError `LEDGER_SCHEMA_NEWER` when the file holds a migration that is not known here
 * @throws StepwellError `LEDGER_CORRUPT` when a migration differs from the one that was applied
 */
export function migrate(db: DatabaseSync, file: string, migrations: readonly Migration[]): void {
  if (applied(db, file, migrations) === migrations.length) return;
  db.exec("BEGIN IMMEDIATE");
  // Another process may have migrated while this one waited for the lock.
  const done = applied(db, file, migrations);
  db.exec(BOOK);
  const note = db.prepare("INSERT INTO migration (number, name, checksum) VALUES (?, ?, ?)");
  for (const migration of migrations.slice(done)) {
    db.exec(migration.sql);
    note.run(migration.number, migration.name, checksumOf(migration));
  }
  db.exec("COMMIT");
}

/**
 * Refuses a database that something else made, before anything in it is changed.
 *
 * @throws StepwellError `LEDGER_CORRUPT`
 */
export function requireLedger(db: DatabaseSync, file: string): void {
  const tables = tablesOf(db);
  if (tables.length === 0 || tables.includes("migration")) return;
  throw new StepwellError("LEDGER_CORRUPT", `${file} is a SQLite database, but not a Stepwell ledger`, {
    hint: "Name a file that does not exist yet, or the ledger itself.",
    data: { file },
  });
}

function tablesOf(db: DatabaseSync): readonly unknown[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map((table) => table["name"]);
}

/** How many of the migrations the file has seen. */
function applied(db: DatabaseSync, file: string, migrations: readonly Migration[]): number {
  if (tablesOf(db).length === 0) return 0;
  const rows = db.prepare("SELECT number, name, checksum FROM migration ORDER BY number").all();
  for (const [index, row] of rows.entries()) {
    const known = migrations[index];
    if (known === undefined) {
      throw new StepwellError(
        "LEDGER_SCHEMA_NEWER",
        `${file} was written by a newer Stepwell (migration ${String(row["number"])}, ${String(row["name"])})`,
        {
          hint: "Use the newer version; a ledger is never taken back.",
          data: { file },
        },
      );
    }
    if (row["number"] !== known.number || row["checksum"] !== checksumOf(known)) {
      throw new StepwellError("LEDGER_CORRUPT", `${file}: migration ${known.number} (${known.name}) is not the one that was applied`, {
        hint: "The ledger comes from a modified build, or its file was altered.",
        data: { file },
      });
    }
  }
  return rows.length;
}

function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}

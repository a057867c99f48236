import type { DatabaseSync } from "node:sqlite";
import { StepwellError } from "../../model/errors.ts";
import { checksumOf, countApplied, MIGRATION_TABLE } from "../migrations/applied.ts";
import type { Migration } from "../migrations/migrations.ts";
import { COLD_WRITES, READS } from "../sql/reads.ts";

/**
 * Brings the schema up to the last of `migrations`, all in one transaction, or finds that it is there or further.
 *
 * @throws StepwellError `LEDGER_SCHEMA_NEWER` when the file holds a migration that asks for a newer version
 * @throws StepwellError `LEDGER_CORRUPT` when a migration differs from the one that was applied
 */
export function migrate(db: DatabaseSync, file: string, migrations: readonly Migration[]): void {
  if (appliedMigrations(db, file, migrations) >= migrations.length) return;
  db.exec("BEGIN IMMEDIATE");
  // Another process may have migrated while this one waited for the lock.
  const done = appliedMigrations(db, file, migrations);
  db.exec(MIGRATION_TABLE);
  const note = db.prepare(COLD_WRITES.insertMigration);
  for (const migration of migrations.slice(done)) {
    db.exec(migration.sql);
    note.run(migration.number, migration.name, checksumOf(migration), migration.compatibleFrom);
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
export function appliedMigrations(db: DatabaseSync, file: string, migrations: readonly Migration[]): number {
  return tablesOf(db).length === 0 ? 0 : countApplied(db.prepare(READS.migrations).all(), file, migrations);
}

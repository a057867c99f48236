import { createHash } from "node:crypto";
import { StepwellError } from "../../model/errors.ts";
import type { RawRow } from "../sql/fields.ts";
import type { Migration } from "./migrations.ts";

/** What bringing a schema up to date has done. */
export interface MigrationReport {
  /** Its file, or its URL without user and password. */
  readonly ledger: string;
  /** How many migrations it had. */
  readonly before: number;
  readonly applied: readonly Pick<Migration, "number" | "name">[];
}

/** Kept apart from the schema that it describes: the table must be readable whatever the schema says. */
export const MIGRATION_TABLE =
  "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, compatible_from INTEGER NOT NULL) STRICT";

/**
 * How many migrations a ledger has seen, from the rows of its table: more than are known here where newer ones are compatible, so that
 * two versions can work side by side.
 *
 * @throws StepwellError `LEDGER_SCHEMA_NEWER` when it holds a migration that asks for a newer version
 * @throws StepwellError `LEDGER_CORRUPT` when a migration differs from the one that was applied
 */
export function countApplied(rows: readonly RawRow[], ledger: string, migrations: readonly Migration[]): number {
  for (const [index, row] of rows.entries()) {
    const known = migrations[index];
    if (known === undefined) {
      if (Number(row["compatible_from"]) <= migrations.length) continue;
      const what = `migration ${String(row["number"])}, ${String(row["name"])}`;
      throw new StepwellError("LEDGER_SCHEMA_NEWER", `${ledger} needs a newer Stepwell (${what})`, {
        hint: "Use the newer version; a ledger is never taken back.",
        data: { ledger },
      });
    }
    if (row["number"] !== known.number || row["checksum"] !== checksumOf(known)) {
      throw new StepwellError("LEDGER_CORRUPT", `${ledger}: migration ${known.number} (${known.name}) is not the one that was applied`, {
        hint: "The ledger comes from a modified build, or was altered.",
        data: { ledger },
      });
    }
  }
  return rows.length;
}

export function checksumOf({ sql, postgres }: Migration): string {
  return createHash("sha256").update(sql).update(postgres).digest("hex");
}

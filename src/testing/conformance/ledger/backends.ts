import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMemoryLedger } from "../../../ledger/memory/ledger.ts";
import { openPostgresLedger } from "../../../ledger/postgres/ledger.ts";
import { openSqliteLedger } from "../../../ledger/sqlite/ledger.ts";
import { openLedger } from "../../../ledger/url.ts";
import type { MakeLedger } from "./kit.ts";

export const memoryLedgers: MakeLedger = async (clock) => {
  const warnings: string[] = [];
  const ledger = openMemoryLedger({ clock, onWarning: (message) => warnings.push(message) });
  return { ledger, file: undefined, warnings, again: () => openLedger("memory:again"), dispose: () => ledger.close() };
};

/** SQLite files in a new directory each; a locked file is given up after 50 ms. */
export const sqliteLedgers: MakeLedger = async (clock) => {
  const directory = mkdtempSync(join(tmpdir(), "stepwell-ledger-"));
  const file = join(directory, "new", "ledger.db");
  const warnings: string[] = [];
  const again = () => openSqliteLedger({ file, clock, busyTimeoutMs: 50, onWarning: (message) => warnings.push(message) });
  const ledger = await again();
  const dispose = async () => {
    await ledger.close();
    rmSync(directory, { recursive: true });
  };
  return { ledger, file, warnings, again, dispose };
};

/** A schema of its own for each, in one database. */
export function postgresLedgers(database: () => Promise<string>): MakeLedger {
  return async (clock) => {
    const schema = `ledger_${randomUUID().replaceAll("-", "")}`;
    const url = `${await database()}?schema=${schema}`;
    const warnings: string[] = [];
    const again = () => openPostgresLedger({ url, clock, onWarning: (message) => warnings.push(message) });
    const ledger = await again();
    return { ledger, file: undefined, warnings, again, dispose: () => ledger.close() };
  };
}

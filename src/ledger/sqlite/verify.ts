import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StepwellError } from "../../model/errors.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import { type SchemaFacts, type Verification, verify } from "../sql/checks/verify.ts";
import { done, finish } from "../work.ts";
import { sqliteError } from "./errors.ts";
import { BUSY_MS } from "./inspect.ts";
import { appliedMigrations } from "./migrate.ts";

/** What only several engines need is empty here; of the inbox, whoever owns the file reads all that is unread. */
const PRELUDE = `WITH fenced (epoch) AS (SELECT 0 WHERE 1 = 0), lane (epoch, number, token) AS (SELECT 0, 0, 0 WHERE 1 = 0),
  ready (owner, run_id, seq) AS (SELECT 0, run_id, max(seq) FROM inbox WHERE consumed_at IS NULL AND kind <> 'signal' GROUP BY run_id)`;

/**
 * Holds a ledger's file against what must always be true of it, in one read transaction beside whoever writes.
 *
 * @throws StepwellError `LEDGER_CORRUPT`, `LEDGER_UNAVAILABLE`, `LEDGER_BUSY` when not even that is possible
 */
export async function verifySqlite(path: string): Promise<Verification> {
  const file = resolve(path);
  const { DatabaseSync } = await import("node:sqlite");
  let db: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    db = opened;
    opened.exec("BEGIN");
    const schema = schemaOf(opened, file);
    const found = finish(
      verify((sql, ...values) => done(opened.prepare(sql).all(...values)), { prelude: PRELUDE, now: Date.now(), schema }),
    );
    return { ledger: file, ...found };
  } catch (error) {
    throw sqliteError(error, file);
  } finally {
    db?.close();
  }
}

function schemaOf(db: DatabaseSync, file: string): SchemaFacts {
  const known = MIGRATIONS.length;
  try {
    return { applied: appliedMigrations(db, file, MIGRATIONS), known, problem: null };
  } catch (error) {
    if (error instanceof StepwellError) return { applied: 0, known, problem: error.message };
    throw error;
  }
}

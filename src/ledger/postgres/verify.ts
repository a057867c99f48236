import type { Client } from "pg";
import { StepwellError } from "../../model/errors.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import { type SchemaFacts, type Verification, verify } from "../sql/checks/verify.ts";
import type { RawRow } from "../sql/fields.ts";
import { answer, follow } from "../work.ts";
import { prepared } from "./connections.ts";
import { ASK_TIME } from "./functions.ts";
import { looking } from "./inspect.ts";
import { noLedger, schemaState } from "./migrate.ts";
import type { PostgresPlace } from "./settings.ts";

const PRELUDE = "WITH fenced (epoch) AS (SELECT epoch FROM worker WHERE fenced_at IS NOT NULL)";

/**
 * Holds a ledger in PostgreSQL against what must always be true of it, as of one moment, beside whoever writes.
 *
 * @throws StepwellError `USAGE`, `NOT_SUPPORTED`, `LEDGER_UNREACHABLE`, `LEDGER_UNAVAILABLE`
 */
export function verifyPostgres(url: string): Promise<Verification> {
  return looking(url, async (connections) => {
    const { place } = connections;
    const client = await connections.unhurried();
    try {
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const schema = await schemaOf(client, place);
      const { rows } = await client.query<RawRow>(ASK_TIME);
      const ask = async (sql: string, values: readonly unknown[]): Promise<readonly RawRow[]> =>
        (await client.query<RawRow>({ text: prepared(sql).text, values: [...values] })).rows;
      const found = await follow(
        verify((sql, ...values) => answer(ask(sql, values)), { prelude: PRELUDE, now: Number(rows[0]?.["now"]), schema }),
      );
      return { ledger: place.name, ...found };
    } catch (cause) {
      throw connections.coded(cause);
    } finally {
      await connections.end(client);
    }
  });
}

/** @throws StepwellError `LEDGER_UNAVAILABLE` when there is no ledger */
async function schemaOf(client: Client, place: PostgresPlace): Promise<SchemaFacts> {
  const known = MIGRATIONS.length;
  try {
    const { isThere, applied, hasFunctions } = await schemaState(client, place, MIGRATIONS);
    if (!isThere) throw noLedger(place);
    return { applied, known, problem: hasFunctions ? null : "the functions of this version are missing; stepwell migrate makes them" };
  } catch (error) {
    if (error instanceof StepwellError && (error.code === "LEDGER_CORRUPT" || error.code === "LEDGER_SCHEMA_NEWER"))
      return { applied: 0, known, problem: error.message };
    throw error;
  }
}

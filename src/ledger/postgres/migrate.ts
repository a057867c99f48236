import { createHash } from "node:crypto";
import type { Client } from "pg";
import { StepwellError } from "../../model/errors.ts";
import { checksumOf, countApplied, MIGRATION_TABLE, type MigrationReport } from "../migrations/applied.ts";
import type { Migration } from "../migrations/migrations.ts";
import { COLD_WRITES, READS } from "../sql/reads.ts";
import { type Connections, prepared } from "./connections.ts";
import { toPostgres } from "./dialect.ts";
import { CREATE_FUNCTIONS, FUNCTIONS } from "./functions.ts";
import { readServer, requireServer } from "./server.ts";
import type { PostgresPlace } from "./settings.ts";

/**
 * A step of a migration waits no longer for a lock, behind which everybody else would queue up; and a process that hangs in its middle
 * keeps the locks that it has no longer.
 */
const LOCK_MS = 1_000;

const HAS_SCHEMA = "SELECT to_regnamespace(?1) IS NOT NULL AS has_schema";
const FOUND = `SELECT to_regclass(?1 || '.migration') IS NOT NULL AS has_book, to_regproc(?1 || '.${FUNCTIONS.commit}') IS NOT NULL AS has_functions,
  (SELECT count(*) FROM pg_tables WHERE schemaname = ?1) AS tables`;

/**
 * Brings the schema up to date, or finds that it is there or further; of several processes that try at once one does it and the others wait.
 *
 * @param mustExist a database without a ledger is refused
 * @throws StepwellError `LEDGER_UNAVAILABLE` for a server that is too old, a replica, or one that could lose what it confirmed
 * @throws StepwellError `LEDGER_SCHEMA_NEWER`, `LEDGER_CORRUPT`; `LEDGER_BUSY` when a lock was not to be had within a second
 */
export async function migratePostgres(
  connections: Connections,
  migrations: readonly Migration[],
  mustExist: boolean,
): Promise<MigrationReport> {
  const { place } = connections;
  const client = await connections.unhurried();
  try {
    requireServer(await readServer(client), place.name);
    const state = await schemaState(client, place, migrations);
    if (isUpToDate(state, migrations)) return { ledger: place.name, before: state.applied, applied: [] };
    if (!state.isThere && mustExist) throw noLedger(place);
    await client.query({ text: "SELECT pg_advisory_lock($1)", values: [migrationLock(place)] });
    // whoever had the lock before may have done it
    const now = await schemaState(client, place, migrations);
    if (isUpToDate(now, migrations)) return { ledger: place.name, before: now.applied, applied: [] };
    await client.query(`SET lock_timeout = ${LOCK_MS}; SET idle_in_transaction_session_timeout = ${LOCK_MS}`);
    return await migrateAlone(client, place, migrations);
  } catch (cause) {
    throw connections.coded(cause);
  } finally {
    await connections.end(client);
  }
}

const isUpToDate = ({ applied, hasFunctions }: SchemaState, migrations: readonly Migration[]): boolean =>
  applied >= migrations.length && hasFunctions;

export function noLedger({ name, schema }: PostgresPlace): StepwellError {
  return new StepwellError("LEDGER_UNAVAILABLE", `There is no ledger in the schema ${schema} of ${name}`, {
    hint: "stepwell migrate makes it; so does the first run.",
    data: { ledger: name },
  });
}

export interface SchemaState {
  readonly isThere: boolean;
  /** How many migrations were applied; more than are known where newer ones are compatible. */
  readonly applied: number;
  readonly hasFunctions: boolean;
}

/** @throws StepwellError `LEDGER_CORRUPT` for a schema that something else made, and what `countApplied` raises */
export async function schemaState(client: Client, { schema, name }: PostgresPlace, migrations: readonly Migration[]): Promise<SchemaState> {
  const [found] = (await client.query<Record<string, unknown>>({ ...prepared(FOUND), values: [schema] })).rows;
  const hasFunctions = found?.["has_functions"] === true;
  if (found?.["has_book"] === true) return { isThere: true, applied: await countedOn(client, name, migrations), hasFunctions };
  if (Number(found?.["tables"]) === 0) return { isThere: false, applied: 0, hasFunctions };
  throw new StepwellError("LEDGER_CORRUPT", `${name} has tables in the schema ${schema} that are not a Stepwell ledger`, {
    hint: "Name another schema: add ?schema=name to the URL.",
    data: { ledger: name },
  });
}

async function countedOn(client: Client, name: string, migrations: readonly Migration[]): Promise<number> {
  return countApplied((await client.query<Record<string, unknown>>(READS.migrations)).rows, name, migrations);
}

/** Each migration is applied whole or not at all, and lets go of its locks before the next one asks for others. */
async function migrateAlone(client: Client, { schema, name }: PostgresPlace, migrations: readonly Migration[]): Promise<MigrationReport> {
  const { rows } = await client.query<Record<string, unknown>>({ ...prepared(HAS_SCHEMA), values: [schema] });
  // who may not make schemas may have been given one
  if (rows[0]?.["has_schema"] !== true) await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(toPostgres(MIGRATION_TABLE));
  const before = await countedOn(client, name, migrations);
  const missing = migrations.slice(before);
  for (const migration of missing) {
    const { number, name: title, compatibleFrom } = migration;
    await client.query("BEGIN");
    await client.query(toPostgres(migration.sql));
    await client.query(migration.postgres);
    await client.query({ ...prepared(COLD_WRITES.insertMigration), values: [number, title, checksumOf(migration), compatibleFrom] });
    await client.query("COMMIT");
  }
  await client.query(CREATE_FUNCTIONS);
  return { ledger: name, before, applied: missing.map(({ number, name: title }) => ({ number, name: title })) };
}

function migrationLock({ schema }: PostgresPlace): bigint {
  return createHash("sha256").update(`stepwell migrate ${schema}`).digest().readBigInt64BE();
}

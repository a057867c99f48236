import { createHash } from "node:crypto";
import type { Client } from "pg";
import { StepwellError } from "../../model/errors.ts";
import { checksumOf, countApplied, MIGRATION_TABLE } from "../migrations/applied.ts";
import type { Migration } from "../migrations/migrations.ts";
import { COLD_WRITES, READS } from "../sql/reads.ts";
import { type Connections, prepared } from "./connections.ts";
import { toPostgres } from "./dialect.ts";
import { CREATE_FUNCTIONS, FUNCTIONS } from "./functions.ts";
import type { PostgresPlace } from "./settings.ts";

const OLDEST_SERVER = 140_000;
/** A step of a migration waits no longer for a lock, behind which everybody else would queue up. */
const LOCK_MS = 1_000;

const SETTINGS = `SELECT current_setting('server_version_num')::bigint AS number, current_setting('server_version') AS version,
  current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes, pg_is_in_recovery() AS is_replica`;
const HAS_SCHEMA = "SELECT to_regnamespace(?1) IS NOT NULL AS has_schema";
const FOUND = `SELECT to_regclass(?1 || '.migration') IS NOT NULL AS has_book, to_regproc(?1 || '.${FUNCTIONS.commit}') IS NOT NULL AS has_functions,
  (SELECT count(*) FROM pg_tables WHERE schemaname = ?1) AS tables`;

/**
 * Brings the schema up to date, or finds that it is; of several processes that try at once one does it and the others wait.
 *
 * @throws StepwellError `LEDGER_UNAVAILABLE` for a server that is too old, a replica, or one that could lose what it confirmed
 * @throws StepwellError `LEDGER_SCHEMA_NEWER`, `LEDGER_CORRUPT`
 */
export async function migratePostgres(connections: Connections, migrations: readonly Migration[]): Promise<void> {
  const client = await connections.unhurried();
  try {
    await requireServer(client, connections.place.name);
    if (await isUpToDate(client, connections.place, migrations)) return;
    await client.query({ text: "SELECT pg_advisory_lock($1)", values: [migrationLock(connections.place)] });
    // whoever had the lock before may have done it
    if (await isUpToDate(client, connections.place, migrations)) return;
    await client.query(`SET lock_timeout = ${LOCK_MS}`);
    await migrateAlone(client, connections.place, migrations);
  } catch (cause) {
    throw connections.coded(cause);
  } finally {
    await connections.end(client);
  }
}

async function requireServer(client: Client, name: string): Promise<void> {
  const [found] = (await client.query<Record<string, unknown>>(SETTINGS)).rows;
  const refuse = (message: string, hint: string) =>
    new StepwellError("LEDGER_UNAVAILABLE", `${name} ${message}`, { hint, data: { ledger: name } });
  if (Number(found?.["number"]) < OLDEST_SERVER)
    throw refuse(`is PostgreSQL ${String(found?.["version"])}; Stepwell needs 14 or later`, "Upgrade the server.");
  if (found?.["is_replica"] === true) throw refuse("is a replica, which takes no writes", "Use the primary server.");
  for (const setting of ["fsync", "full_page_writes"]) {
    if (found?.[setting] === "off")
      throw refuse(`could lose what it confirmed: ${setting} is off`, `Set ${setting} = on in the server's configuration.`);
  }
}

async function isUpToDate(client: Client, { schema, name }: PostgresPlace, migrations: readonly Migration[]): Promise<boolean> {
  const [found] = (await client.query<Record<string, unknown>>({ ...prepared(FOUND), values: [schema] })).rows;
  if (found?.["has_book"] !== true) {
    if (Number(found?.["tables"]) === 0) return false;
    throw new StepwellError("LEDGER_CORRUPT", `${name} has tables in the schema ${schema} that are not a Stepwell ledger`, {
      hint: "Name another schema: add ?schema=name to the URL.",
      data: { ledger: name },
    });
  }
  return (await applied(client, name, migrations)) === migrations.length && found["has_functions"] === true;
}

async function applied(client: Client, name: string, migrations: readonly Migration[]): Promise<number> {
  return countApplied((await client.query<Record<string, unknown>>(READS.migrations)).rows, name, migrations);
}

/** All of it or nothing. */
async function migrateAlone(client: Client, { schema, name }: PostgresPlace, migrations: readonly Migration[]): Promise<void> {
  await client.query("BEGIN");
  const { rows } = await client.query<Record<string, unknown>>({ ...prepared(HAS_SCHEMA), values: [schema] });
  // who may not make schemas may have been given one
  if (rows[0]?.["has_schema"] !== true) await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(toPostgres(MIGRATION_TABLE));
  for (const migration of migrations.slice(await applied(client, name, migrations))) {
    await client.query(toPostgres(migration.sql));
    await client.query(migration.postgres);
    await client.query({ ...prepared(COLD_WRITES.insertMigration), values: [migration.number, migration.name, checksumOf(migration)] });
  }
  await client.query(CREATE_FUNCTIONS);
  await client.query("COMMIT");
}

function migrationLock({ schema }: PostgresPlace): bigint {
  return createHash("sha256").update(`stepwell migrate ${schema}`).digest().readBigInt64BE();
}

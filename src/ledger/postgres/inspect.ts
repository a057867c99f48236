import type { MigrationReport } from "../migrations/applied.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import type { LiveEngine } from "../port.ts";
import { READS } from "../sql/reads.ts";
import { Connections } from "./connections.ts";
import { migratePostgres, schemaState } from "./migrate.ts";
import { readServer, type ServerFacts } from "./server.ts";
import { placeOf } from "./settings.ts";
import { decodeWorker, WORKERS } from "./workers.ts";

/** A look holds nothing that others wait for. */
const IDLE_TRANSACTION_MS = 60_000;

/** What a look from outside says about a ledger in PostgreSQL. */
export interface PostgresInspection {
  readonly kind: "postgres";
  /** The URL without user and password. */
  readonly name: string;
  readonly server: ServerFacts;
  /** Null: there is no ledger in the schema yet. */
  readonly schema: {
    /** Schema migrations that were applied, and those that this version knows. */
    readonly migrations: { readonly applied: number; readonly known: number };
    readonly engines: readonly LiveEngine[];
    /** Counted up to the limit that was asked for. */
    readonly unfinishedRuns: number;
  } | null;
}

/**
 * Looks at a ledger without changing it.
 *
 * @param countedRuns unfinished runs are counted up to this
 * @throws StepwellError `USAGE`, `NOT_SUPPORTED`, `LEDGER_UNREACHABLE`, `LEDGER_UNAVAILABLE`, `LEDGER_CORRUPT`, `LEDGER_SCHEMA_NEWER`
 */
export async function inspectPostgres(url: string, countedRuns: number): Promise<PostgresInspection> {
  return looking(url, async (connections) => {
    const { place } = connections;
    const client = await connections.dedicated();
    try {
      const server = await readServer(client);
      const { isThere, applied } = await schemaState(client, place, MIGRATIONS);
      if (!isThere) return { kind: "postgres", name: place.name, server, schema: null };
      const { length } = await connections.read(READS.unfinished, 0, countedRuns);
      const schema = { migrations: { applied, known: MIGRATIONS.length }, engines: await enginesOf(connections), unfinishedRuns: length };
      return { kind: "postgres", name: place.name, server, schema };
    } catch (cause) {
      throw connections.coded(cause);
    } finally {
      await client.end();
    }
  });
}

/** The engines that share a ledger at this moment, the longest there first. */
export async function liveWorkers(url: string): Promise<readonly LiveEngine[]> {
  return (await looking(url, enginesOf)).filter(({ isAlive }) => isAlive);
}

/** @throws StepwellError what `migratePostgres` raises */
export function migrateSchema(url: string): Promise<MigrationReport> {
  return looking(url, (connections) => migratePostgres(connections, MIGRATIONS, false));
}

async function enginesOf(connections: Connections): Promise<readonly LiveEngine[]> {
  return (await connections.read(WORKERS)).map(decodeWorker);
}

/** Work over connections of its own, which are closed after it. */
export async function looking<T>(url: string, look: (connections: Connections) => Promise<T>): Promise<T> {
  const connections = await Connections.open(placeOf(url), IDLE_TRANSACTION_MS);
  try {
    return await look(connections);
  } finally {
    await connections.close();
  }
}

import { query } from "../../test/fixtures/postgres/new-database.ts";
import { startPostgres } from "../../test/fixtures/postgres/server.ts";

/** The PostgreSQL that databases are made on. */
export interface BenchServer extends AsyncDisposable {
  /** Of its database `postgres`, as a user who may create others. */
  readonly url: string;
  /** Version and whatever decides how durable and how fast it is. */
  readonly facts: string;
}

const SETTINGS = [
  ...["fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "max_wal_size", "checkpoint_timeout"],
  ...["max_connections", "autovacuum"],
];

/** One that is given, or one of its own, which comes with `npm ci`, has the defaults of PostgreSQL and is gone afterwards. */
export async function openServer(given: string | undefined): Promise<BenchServer> {
  const own = given === undefined ? await startPostgres() : undefined;
  const url = given ?? own?.url ?? "";
  const listed = SETTINGS.map((name) => `'${name}'`).join(", ");
  const [version] = await query(url, "SHOW server_version");
  const settings = await query(url, `SELECT name, current_setting(name) AS value FROM pg_settings WHERE name IN (${listed}) ORDER BY name`);
  return {
    url,
    facts: `PostgreSQL ${version?.["server_version"]} (${own === undefined ? "given" : "its own, on loopback"}): ${settings
      .map(({ name, value }) => `${name} ${value}`)
      .join(", ")}`,
    [Symbol.asyncDispose]: async () => own?.[Symbol.asyncDispose](),
  };
}

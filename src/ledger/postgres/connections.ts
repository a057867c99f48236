import type { Client, ClientConfig, Pool, PoolClient, TypeOverrides } from "pg";
import { StepwellError } from "../../model/errors.ts";
import type { RawRow } from "../sql/fields.ts";
import type { SqlValue } from "../sql/transaction.ts";
import { toPostgres } from "./dialect.ts";
import { postgresError } from "./errors.ts";
import type { PostgresPlace } from "./settings.ts";

/** Object identifier of bigint, whose values here are all below 2^53. */
const INT8 = 20;
const CONNECT_MS = 5_000;
/** A transaction of ours lasts milliseconds; one whose process hangs must not hold its locks. */
const IDLE_TRANSACTION_MS = 60_000;
const READERS = 4;
const WRITERS = 4;

/** Every commit is flushed, whatever the server's default. Statements that write find their rows by index: see `functions.ts`. */
const SETTINGS = `-c synchronous_commit=on -c idle_in_transaction_session_timeout=${IDLE_TRANSACTION_MS}`;
const PINNED = `${SETTINGS} -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan -c jit=off`;

type Driver = typeof import("pg").default;
/** What a client and a pool have in common. */
export type Queryable = Pick<Client, "query">;

/** Names of prepared statements by their text, the same on every connection of the process. */
const names = new Map<string, { readonly name: string; readonly text: string }>();

/** A statement that is written once, prepared on first use. */
export function prepared(sql: string): { readonly name: string; readonly text: string } {
  let statement = names.get(sql);
  if (statement === undefined) {
    statement = { name: `stepwell_${names.size}`, text: toPostgres(sql) };
    names.set(sql, statement);
  }
  return statement;
}

/** @throws StepwellError `NOT_SUPPORTED` when the driver is not installed */
async function loadDriver(): Promise<Driver> {
  try {
    return (await import("pg")).default;
  } catch (cause) {
    throw new StepwellError("NOT_SUPPORTED", "A ledger in PostgreSQL needs the package pg", {
      hint: "Install it: npm install pg@8.",
      cause,
    });
  }
}

/** The connections of one ledger: some for reads, some for transactions of its own, and those that are asked for. */
export class Connections {
  readonly place: PostgresPlace;
  readonly #driver: Driver;
  readonly #types: TypeOverrides;
  readonly #readers: Pool;
  readonly #writers: Pool;
  #isClosed = false;

  private constructor(place: PostgresPlace, driver: Driver) {
    this.place = place;
    this.#driver = driver;
    this.#types = new driver.TypeOverrides();
    this.#types.setTypeParser(INT8, Number);
    this.#readers = this.#pool(SETTINGS, READERS);
    this.#writers = this.#pool(PINNED, WRITERS);
  }

  static async open(place: PostgresPlace): Promise<Connections> {
    return new Connections(place, await loadDriver());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async read(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]> {
    return this.#guard(async () => (await this.#readers.query<RawRow>({ ...prepared(sql), values })).rows);
  }

  /** Work on a connection of the pool; one that failed in a way of its own is not used again. */
  async with<T>(pool: "readers" | "writers", work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      const client = await (pool === "readers" ? this.#readers : this.#writers).connect();
      let error: Error | undefined;
      try {
        return await work(client);
      } catch (cause) {
        error = cause instanceof Error && !(cause instanceof StepwellError) ? cause : undefined;
        throw cause;
      } finally {
        client.release(error);
      }
    });
  }

  /** A connection for one purpose, of which nobody else gets hold; the caller ends it. */
  async dedicated(): Promise<Client> {
    return this.#guard(async () => {
      const client = new this.#driver.Client(this.#config(PINNED));
      client.on("error", ignore);
      await client.connect();
      return client;
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all([this.#readers.end(), this.#writers.end()]);
  }

  coded(error: unknown): unknown {
    return postgresError(error, this.place.name);
  }

  #pool(settings: string, max: number): Pool {
    const pool = new this.#driver.Pool({ ...this.#config(settings), max, idleTimeoutMillis: 60_000 });
    pool.on("error", ignore);
    return pool;
  }

  #config(settings: string): ClientConfig {
    const { connectionString, schema } = this.place;
    return {
      connectionString,
      options: `${settings} -c search_path=${schema}`,
      application_name: "stepwell",
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      types: this.#types,
    };
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed)
      throw new StepwellError("LEDGER_UNAVAILABLE", `${this.place.name} is closed`, { data: { ledger: this.place.name } });
    try {
      return await work();
    } catch (error) {
      throw this.coded(error);
    }
  }
}

/** A connection that is lost while nobody uses it: whoever uses it next is told. */
function ignore(): void {}

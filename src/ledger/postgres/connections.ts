import { Socket } from "node:net";
import type { Client, ClientConfig, Pool, PoolClient, PoolConfig, TypeOverrides } from "pg";
import { StepwellError } from "../../model/errors.ts";
import type { RawRow } from "../sql/fields.ts";
import type { SqlValue } from "../sql/transaction.ts";
import { toPostgres } from "./dialect.ts";
import { connectError, hasLost, isPreparedBefore, isUnknownOutcome, postgresError } from "./errors.ts";
import type { PostgresPlace } from "./settings.ts";

/** Object identifier of bigint, whose values here are all below 2^53. */
const INT8 = 20;
const CONNECT_MS = 5_000;
/** A statement that is not answered within this is taken for lost with its connection: no firewall tells when it has forgotten one. */
const ANSWER_MS = 15_000;
/** How long the end of a connection waits for a server that may be out of reach. */
const FAREWELL_MS = 1_000;
/** Of work that lost against a transaction of somebody else. */
const TRIES = 8;
const READERS = 4;
const WRITERS = 4;
/** Steps that are in a transaction of their own at once; more wait for a connection. */
const CALLERS = 8;

/** Every commit is flushed, whatever the server's default. The server notices within half a minute that a client is out of reach. */
const SETTINGS = "-c synchronous_commit=on -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4";
/** Statements that write find their rows by index: see `functions.ts`. */
const PINNED = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan -c jit=off";

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
  readonly #settings: string;
  readonly #readers: Pool;
  readonly #writers: Pool;
  readonly #sockets = new Set<Socket>();
  #callers: Pool | undefined;
  #isClosed = false;

  private constructor(place: PostgresPlace, driver: Driver, idleTransactionMs: number) {
    this.place = place;
    this.#driver = driver;
    this.#types = new driver.TypeOverrides();
    this.#types.setTypeParser(INT8, Number);
    this.#settings = `${SETTINGS} -c idle_in_transaction_session_timeout=${idleTransactionMs}`;
    this.#readers = this.#pool(this.#settings, READERS);
    this.#writers = this.#pool(`${this.#settings} ${PINNED}`, WRITERS);
  }

  /** @param idleTransactionMs a transaction whose process hangs for so long is ended, and holds no locks any more */
  static async open(place: PostgresPlace, idleTransactionMs: number): Promise<Connections> {
    return new Connections(place, await loadDriver(), idleTransactionMs);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async read(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]> {
    return this.with("readers", async (client) => (await client.query<RawRow>({ ...prepared(sql), values })).rows);
  }

  /**
   * Work on a connection of the pool. It is done again when it lost against another transaction, and on another connection when its
   * statements were prepared before a migration; a connection that failed in a way of its own is not used again.
   *
   * @param lost whether an error says that it lost
   */
  async with<T>(pool: "readers" | "writers", work: (client: PoolClient) => Promise<T>, lost = hasLost): Promise<T> {
    return this.#guard(async () => {
      for (let tried = 1; ; tried++) {
        const client = await (pool === "readers" ? this.#readers : this.#writers).connect();
        let isSpoilt = false;
        try {
          return await work(client);
        } catch (cause) {
          const coded = this.coded(cause);
          const isOld = isPreparedBefore(coded);
          isSpoilt = isOld || !(coded instanceof StepwellError) || isUnknownOutcome(coded);
          if (tried === TRIES || !(isOld || lost(coded))) throw coded;
        } finally {
          client.release(isSpoilt);
        }
      }
    });
  }

  /** A connection for one purpose, of which nobody else gets hold; `end` ends it. */
  async dedicated(answerMs = ANSWER_MS): Promise<Client> {
    return this.#connect({ ...this.#config(`${this.#settings} ${PINNED}`), query_timeout: answerMs });
  }

  /** One whose statements may take as long as they need. */
  async unhurried(): Promise<Client> {
    return this.#connect({ ...this.#config(this.#settings), query_timeout: 0 });
  }

  /**
   * A connection for a transaction of a caller's own, as the server's defaults have it but for what makes commits durable; to be released.
   * Its statements may take as long as they need.
   */
  async borrow(): Promise<PoolClient> {
    return this.#guard(() => {
      this.#callers ??= this.#poolOf({ ...this.#access(), options: this.#settings, max: CALLERS });
      return this.#callers.connect();
    });
  }

  async #connect(config: ClientConfig): Promise<Client> {
    return this.#guard(async () => {
      const client = new this.#driver.Client(config);
      client.on("error", ignore);
      await client.connect().catch((cause: unknown) => {
        throw connectError(cause, this.place.name);
      });
      return client;
    });
  }

  /** Says farewell to the server, and waits a second at most for its answer. */
  async end(client: Pick<Client, "end">): Promise<void> {
    await this.#parted([client]);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#parted([this.#readers, this.#writers, ...(this.#callers === undefined ? [] : [this.#callers])]);
    for (const socket of this.#sockets) socket.destroy();
  }

  async #parted(partners: readonly Pick<Client, "end">[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FAREWELL_MS);
    });
    const ended = partners.map((partner) => partner.end().catch(ignore));
    await Promise.race([Promise.all(ended), late]);
    clearTimeout(timer);
  }

  coded(error: unknown): unknown {
    return postgresError(error, this.place.name);
  }

  /** Statements on their connections need not wait for each other's answers. */
  #pool(settings: string, max: number): Pool {
    return this.#poolOf({ ...this.#config(settings), max, pipeline: true });
  }

  #poolOf(config: PoolConfig): Pool {
    const pool = new this.#driver.Pool({ ...config, idleTimeoutMillis: 60_000 });
    pool.on("error", ignore);
    // also while somebody works with it, between two statements
    pool.on("connect", (client) => client.on("error", ignore));
    return pool;
  }

  #config(settings: string): ClientConfig {
    return {
      ...this.#access(),
      options: `${settings} -c search_path=${this.place.schema}`,
      query_timeout: ANSWER_MS,
      types: this.#types,
    };
  }

  #access(): ClientConfig {
    const { connectionString } = this.place;
    return {
      connectionString,
      application_name: "stepwell",
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      stream: () => this.#socket(),
    };
  }

  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
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

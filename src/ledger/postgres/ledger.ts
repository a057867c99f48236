import type { PoolClient } from "pg";
import type { Clock } from "../../model/clock.ts";
import type { StepwellError } from "../../model/errors.ts";
import { LedgerClock, warnProcess } from "../ledger-clock.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import type { Ledger, OwnerEvents, Ownership, WorkerIdentity } from "../port.ts";
import type { RawRow } from "../sql/fields.ts";
import type { SqlBackend } from "../sql/sql-backend.ts";
import { SqlLedger } from "../sql/sql-ledger.ts";
import { type SqlConnection, SqlTransaction, type SqlValue } from "../sql/transaction.ts";
import { follow, type Work } from "../work.ts";
import type { Batch, CommitOutcome } from "../writes.ts";
import { type CallerHost, PostgresCallerTransactions } from "./caller-transactions.ts";
import { PostgresClaims } from "./claims.ts";
import { Connections, prepared } from "./connections.ts";
import { hasLostOrMet, isUnknownOutcome } from "./errors.ts";
import { ASK_TIME } from "./functions.ts";
import { GatheredRun, RunReader } from "./gathered-run.ts";
import { ConnectedHeart, type Heart } from "./heart.ts";
import { Hints } from "./hints.ts";
import { Lane, type LaneHost } from "./lane.ts";
import { Lease, type LeaseHost } from "./lease.ts";
import { migratePostgres } from "./migrate.ts";
import { PostgresConnection } from "./postgres-connection.ts";
import { placeOf } from "./settings.ts";
import { EXPIRED, fence, NEXT_EXPIRY, register, SERVING } from "./workers.ts";

/** While one batch is on its way to the server, the other one is made. */
const LANES = 2;
/** How often the tables are looked at without a word from anybody. */
const LOOK_MS = 200;
const LEASE_MS = 10_000;
/** As it is, or as a JSON text spells it. */
const NUL = /\0|\\u0000/;

export interface PostgresLedgerOptions {
  /** `postgres://user:password@host:port/database?schema=stepwell`. */
  readonly url: string;
  /** Source of the time instead of the server's clock, for tests. */
  readonly clock?: Pick<Clock, "now">;
  /** How long this worker keeps its runs while it is not heard of, milliseconds. Default 10,000. */
  readonly leaseMs?: number;
  /** A database without a ledger is refused instead of getting one. */
  readonly mustExist?: boolean;
  /** Heartbeats come from a thread of their own. Default: from this one. */
  readonly ownThread?: boolean;
  /** Told when the clock went backwards, and of a worker that could not say that it leaves. Default: a process warning. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Opens the ledger in a PostgreSQL database and brings its schema up to date.
 *
 * @throws StepwellError `USAGE` for a URL that cannot be read, `NOT_SUPPORTED` without the driver, `LEDGER_UNREACHABLE`,
 *   `LEDGER_UNAVAILABLE`, `LEDGER_CORRUPT`, `LEDGER_SCHEMA_NEWER`
 */
export async function openPostgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const connections = await Connections.open(placeOf(options.url), options.leaseMs ?? LEASE_MS);
  try {
    await migratePostgres(connections, MIGRATIONS, options.mustExist === true);
  } catch (cause) {
    await connections.close();
    throw cause;
  }
  return new SqlLedger(new PostgresBackend(connections, options));
}

class PostgresBackend implements SqlBackend, LaneHost, LeaseHost, CallerHost {
  readonly lanes = LANES;
  readonly isShared = true;
  readonly connections: Connections;
  readonly claims = new PostgresClaims(this);
  readonly transactions = new PostgresCallerTransactions(this);
  readonly #leaseMs: number;
  readonly #newHeart: () => Promise<Heart>;
  readonly #exact: LedgerClock | undefined;
  readonly #warn: (message: string) => void;
  #lanes: readonly Lane[] = [];
  readonly #hints: Hints;
  readonly #runs: RunReader;
  floor = 0;
  epoch: number | undefined;
  #lease: Lease | undefined;
  #events: OwnerEvents | undefined;
  #lookedAt = 0;

  constructor(connections: Connections, options: PostgresLedgerOptions) {
    const { url, clock, leaseMs = LEASE_MS, ownThread = false, onWarning = warnProcess } = options;
    this.connections = connections;
    this.#newHeart = async () => {
      if (!ownThread) return new ConnectedHeart(connections, () => true);
      const { HeartThread } = await import("./heart-thread.ts");
      return HeartThread.started(url);
    };
    this.#leaseMs = leaseMs;
    this.#warn = onWarning;
    this.#exact = clock === undefined ? undefined : new LedgerClock(clock, onWarning);
    this.#hints = new Hints(connections);
    this.#runs = new RunReader(connections);
  }

  /** No text in PostgreSQL holds the character NUL, so nothing is found by one that does. */
  async rows(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]> {
    return values.some((value) => typeof value === "string" && NUL.test(value)) ? [] : this.connections.read(sql, ...values);
  }

  search(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]> {
    return this.connections.with("writers", async (client) => (await client.query<RawRow>({ ...prepared(sql), values })).rows);
  }

  async readRun<T>(runId: number, work: (connection: Pick<SqlConnection, "rows">, now: number) => Work<T>): Promise<T> {
    const row = await this.#runs.read(runId);
    const now = this.#heard(row["now"]);
    const gathered = new GatheredRun(row);
    return gathered.isWhole ? follow(work(gathered, now)) : this.snapshot((connection) => work(connection, now));
  }

  snapshot<T>(work: (connection: Pick<SqlConnection, "rows">) => Work<T>): Promise<T> {
    return this.connections.with("readers", (client) =>
      this.#inside(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", (connection) => follow(work(connection))),
    );
  }

  async within<T>(work: (transaction: SqlTransaction) => Work<T>): Promise<T> {
    const inside = (client: PoolClient) =>
      this.#inside(client, "BEGIN", async (connection) => follow(work(new SqlTransaction(connection, await this.#timeOn(client)))));
    const result = await this.connections.with("writers", inside, hasLostOrMet);
    this.#hints.give();
    return result;
  }

  /** Does work between a statement that begins a transaction and the one that ends it; nothing is waited for that need not be. */
  async #inside<T>(client: PoolClient, begin: string, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = new PostgresConnection(client, this.epoch ?? 0);
    connection.send(begin);
    try {
      const result = await work(connection);
      // after a statement that failed it ends the transaction without writing anything
      connection.send("COMMIT");
      await connection.settled();
      return result;
    } catch (cause) {
      // a statement that was sent before may be the reason that one was refused
      const reason = await connection.settled().then(
        () => cause,
        (first: unknown) => first,
      );
      const error = this.connections.coded(reason);
      // a lost connection has no transaction any more
      if (!isUnknownOutcome(error)) await client.query("ROLLBACK").catch(ignore);
      throw error;
    }
  }

  async isServed(workerGroup: string): Promise<boolean> {
    return (await this.rows(SERVING, workerGroup)).length > 0;
  }

  now(): Promise<number> {
    return this.connections.with("readers", (client) => this.#timeOn(client));
  }

  async #timeOn(client: PoolClient): Promise<number> {
    const exact = this.exactTime();
    if (exact !== null) return exact;
    const [row] = (await client.query<Record<string, unknown>>(ASK_TIME)).rows;
    return this.#heard(row?.["now"]);
  }

  /** The time by what the server has just told. */
  #heard(now: unknown): number {
    const exact = this.exactTime();
    if (exact !== null) return exact;
    this.told(Number(now));
    return this.floor;
  }

  async own(worker: WorkerIdentity, events: OwnerEvents): Promise<Ownership> {
    const before = this.epoch;
    const terms = { lanes: LANES, leaseMs: this.#leaseMs };
    await this.#lease?.end();
    const heart = await this.#newHeart();
    const ownership = await this.within(function* (transaction) {
      if (before !== undefined) yield* fence(transaction, before, null);
      return { epoch: yield* register(transaction, worker, terms), now: transaction.now };
    }).catch(async (cause: unknown) => {
      await heart.end();
      throw cause;
    });
    const isFirst = this.#events === undefined;
    // what the owner before has on its way stays on connections of its own: it may have a transaction open there
    for (const lane of this.#lanes) void lane.close();
    this.#lanes = Array.from({ length: LANES }, (_, number) => new Lane(this, number));
    this.epoch = ownership.epoch;
    this.claims.ownedFor(worker.groups);
    this.#events = events;
    const overtaken = this.#lease;
    this.#lease = new Lease(this, { epoch: ownership.epoch, leaseMs: this.#leaseMs }, heart);
    // one that was taken meanwhile would be kept alive, and what it has with it
    await overtaken?.end();
    if (isFirst) await this.#hints.listen();
    return ownership;
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    const lane = this.#lanes[(batch.units[0]?.runId ?? 0) % LANES];
    if (lane === undefined || this.epoch === undefined) return { outcome: "fenced" };
    const outcome = await lane.commit(batch);
    if (outcome.outcome === "committed" && outcome.accepted.length > 0) this.#hints.give();
    return outcome;
  }

  async changedElsewhere(): Promise<boolean> {
    const now = performance.now();
    if (!this.#hints.heard() && now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    return true;
  }

  async close(): Promise<void> {
    if (this.connections.isClosed) return;
    const { epoch } = this;
    this.epoch = undefined;
    await this.#lease?.end();
    try {
      if (epoch !== undefined) await this.#leave(epoch);
    } finally {
      await Promise.all([...this.#lanes.map((lane) => lane.close()), this.#hints.end()]);
      await this.connections.close();
    }
  }

  /** A worker that cannot say that it leaves is found by others when its lease has run out. */
  async #leave(epoch: number): Promise<void> {
    try {
      await this.within((transaction) => fence(transaction, epoch, null));
    } catch (cause) {
      if (!isUnknownOutcome(cause)) throw cause;
      this.#warn(`${String(cause)}; the runs of this worker are free for others when its lease has run out`);
    }
  }

  exactTime(): number | null {
    return this.#exact?.now() ?? null;
  }

  told(now: number): void {
    this.floor = Math.max(this.floor, now);
  }

  lookAtInboxes(): void {
    this.#lookedAt = 0;
  }

  lost(error: StepwellError): void {
    this.epoch = undefined;
    this.#events?.lost(error);
  }

  /** What dead workers had is there for the living. */
  async sweep(): Promise<number | null> {
    const now = await this.now();
    for (const row of await this.rows(EXPIRED, now)) await this.within((transaction) => fence(transaction, Number(row["epoch"]), now));
    const [next] = await this.rows(NEXT_EXPIRY, this.epoch ?? 0);
    const expiry = next?.["at"] ?? null;
    return expiry === null ? null : Math.max(0, Number(expiry) - now);
  }

  async waiting(error: StepwellError, retryInMs: number): Promise<void> {
    this.#events?.stalled(error, retryInMs);
    await new Promise<void>((resolve) => setTimeout(resolve, retryInMs));
  }
}

function ignore(): void {}

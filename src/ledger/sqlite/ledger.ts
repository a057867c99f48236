import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../model/clock.ts";
import { StepwellError } from "../../model/errors.ts";
import { LedgerClock, SYSTEM_TIME, warnProcess } from "../ledger-clock.ts";
import type { Ledger, Ownership, WorkerIdentity } from "../port.ts";
import { ownedBy } from "../refusals.ts";
import { decodeOwner } from "../sql/decode.ts";
import type { RawRow } from "../sql/fields.ts";
import { READS } from "../sql/reads.ts";
import type { SqlBackend } from "../sql/sql-backend.ts";
import { SqlClaims } from "../sql/sql-claims.ts";
import { SqlLedger } from "../sql/sql-ledger.ts";
import type { SqlConnection, SqlTransaction, SqlValue } from "../sql/transaction.ts";
import { finish, type Work } from "../work.ts";
import type { Batch, CommitOutcome } from "../writes.ts";
import { SqliteCommits } from "./commits.ts";
import { openDatabase } from "./connection.ts";
import { sqliteError } from "./errors.ts";
import { type OwnerLock, takeLock } from "./lock.ts";
import { SqliteSession } from "./session.ts";

export interface SqliteLedgerOptions {
  /** Path of the database file; it and its directory are created when missing. */
  readonly file: string;
  /** Source of the time; the ledger itself never lets it go backwards. */
  readonly clock?: Pick<Clock, "now">;
  /** How long a statement waits for another process's write lock, milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number;
  /** Told when the system clock went backwards. Default: a process warning. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Opens the ledger in a SQLite file, WAL with `synchronous=FULL`, and brings its schema up to date.
 *
 * @throws StepwellError `USAGE` when no file is named, `LEDGER_UNAVAILABLE`, `LEDGER_CORRUPT`, `LEDGER_SCHEMA_NEWER`,
 *   `LEDGER_READ_ONLY`, `LEDGER_FULL`, `LEDGER_BUSY`, `LEDGER_IO`
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  if (options.file === "" || options.file === ":memory:") {
    throw new StepwellError("USAGE", "A SQLite ledger needs the path of a file", {
      hint: "Write sqlite:PATH, for example sqlite:.stepwell/ledger.db; memory: is a ledger without a file.",
    });
  }
  const file = resolve(options.file);
  return sqliteLedgerOn(await openDatabase(file, options.busyTimeoutMs ?? 5_000), { ...options, file });
}

/** The ledger on a connection that `openDatabase` gave. */
export function sqliteLedgerOn(db: DatabaseSync, options: SqliteLedgerOptions): Ledger {
  const session = new SqliteSession(db, options.file);
  const clock = new LedgerClock(options.clock ?? SYSTEM_TIME, options.onWarning ?? warnProcess);
  return new SqlLedger(new SqliteBackend(session, new SqliteCommits(session, clock)));
}

class SqliteBackend implements SqlBackend {
  /** SQLite has one writer; a second batch in flight would only wait for the first. */
  readonly lanes = 1;
  readonly isShared = false;
  readonly claims: SqlClaims;
  readonly transactions = null;
  readonly #session: SqliteSession;
  readonly #commits: SqliteCommits;
  #lock: OwnerLock | undefined;
  #askedVersion: unknown;

  constructor(session: SqliteSession, commits: SqliteCommits) {
    this.#session = session;
    this.#commits = commits;
    this.claims = new SqlClaims(this);
    this.#askedVersion = commits.dataVersion();
  }

  async rows(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]> {
    return this.#session.all(sql, ...values);
  }

  search(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]> {
    return this.rows(sql, ...values);
  }

  /** Nobody of this process comes in between, and of another one only the inbox, which is read last. */
  readRun<T>(_runId: number, work: (connection: Pick<SqlConnection, "rows">, now: number) => Work<T>): Promise<T> {
    return this.snapshot((connection) => work(connection, this.#commits.now()));
  }

  async snapshot<T>(work: (connection: Pick<SqlConnection, "rows">) => Work<T>): Promise<T> {
    return finish(work(this.#commits.connection));
  }

  within<T>(work: (transaction: SqlTransaction) => Work<T>): Promise<T> {
    return this.#commits.within(work);
  }

  /** Whoever has the file drives all of its runs. */
  async isServed(): Promise<boolean> {
    return true;
  }

  async now(): Promise<number> {
    return this.#commits.now();
  }

  async own(worker: WorkerIdentity): Promise<Ownership> {
    this.#lock ??= await this.#takeLock();
    return this.#commits.own(worker);
  }

  async #takeLock(): Promise<OwnerLock> {
    const { file } = this.#session;
    const lock = await takeLock(file).catch((error: unknown) => {
      throw sqliteError(error, `${file}-lock`);
    });
    if (lock !== undefined) return lock;
    const owner = this.#session.get(READS.owner);
    throw ownedBy(file, owner === undefined ? undefined : decodeOwner(owner));
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    return this.#lock === undefined ? { outcome: "fenced" } : this.#commits.commit(batch);
  }

  async changedElsewhere(): Promise<boolean> {
    const version = this.#commits.dataVersion();
    const changed = version !== this.#askedVersion;
    this.#askedVersion = version;
    return changed;
  }

  async close(): Promise<void> {
    this.#lock?.release();
    this.#lock = undefined;
    this.#session.close();
  }
}

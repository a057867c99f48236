import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../model/clock.ts";
import { StepwellError } from "../../model/errors.ts";
import { publishEvent } from "../events.ts";
import { LedgerClock, SYSTEM_TIME, warnProcess } from "../ledger-clock.ts";
import type {
  Events,
  InboxEntry,
  Ledger,
  NewVersion,
  Ownership,
  Pickup,
  QueuedRun,
  RunPage,
  RunQuery,
  StoredRun,
  Tasks,
  WorkerIdentity,
} from "../port.ts";
import { keyReused, ownedBy } from "../refusals.ts";
import { reopenRun } from "../reopen.ts";
import type { AttemptRow, HistoryRow, InboxRow, OpenInboxRow, RunRow, StepRunRow, VersionRow } from "../rows.ts";
import { idBelow, pageOf } from "../run-page.ts";
import { acceptEntry } from "../signals.ts";
import { checksum } from "../sql/checksum.ts";
import {
  decodeAttempt,
  decodeHistory,
  decodeIdempotencyHash,
  decodeOwner,
  decodeRun,
  decodeStepRun,
  decodeVersion,
} from "../sql/decode.ts";
import { decodeOpenInbox } from "../sql/decode-waiting.ts";
import { COLD_WRITES, READS } from "../sql/reads.ts";
import type { Batch, CommitOutcome } from "../writes.ts";
import { SqliteCommits } from "./commits.ts";
import { openDatabase } from "./connection.ts";
import { sqliteError } from "./errors.ts";
import { loadRun } from "./load-run.ts";
import { type OwnerLock, takeLock } from "./lock.ts";
import { SqliteSession } from "./session.ts";
import { sqliteTasks } from "./tasks.ts";
import { SqliteWaits } from "./waits.ts";

const PICKED = {
  all: READS.unfinishedAll,
  left_behind: READS.unfinishedLeftBehind,
  queued: READS.unfinishedQueued,
} as const satisfies Readonly<Record<Pickup, string>>;

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
  return new SqliteLedger(session, new SqliteCommits(session, clock));
}

class SqliteLedger implements Ledger {
  /** SQLite has one writer; a second batch in flight would only wait for the first. */
  readonly lanes = 1;
  readonly waits: SqliteWaits;
  readonly events: Events;
  readonly tasks: Tasks;
  readonly #session: SqliteSession;
  readonly #commits: SqliteCommits;
  #lock: OwnerLock | undefined;
  #askedVersion: unknown;

  constructor(session: SqliteSession, commits: SqliteCommits) {
    this.#session = session;
    this.#commits = commits;
    this.waits = new SqliteWaits(session, commits);
    this.tasks = sqliteTasks(session, commits);
    this.events = { publish: async (entry) => commits.within((transaction) => publishEvent(transaction, entry)) };
    this.#askedVersion = commits.dataVersion();
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

  async reserveRunIds(count: number): Promise<number> {
    return this.#commits.write(() => this.#nextRunIds(count));
  }

  async putVersion(version: NewVersion): Promise<VersionRow> {
    return this.#commits.write((now) => {
      const { tenant, workflow, hash, definition, steps } = version;
      const stored = this.#session.get(READS.versionByHash, tenant, workflow, hash);
      if (stored !== undefined) return decodeVersion(stored);
      const crc = checksum(definition, null);
      const id = this.#session.number(COLD_WRITES.insertVersion, "id", tenant, workflow, version.version, hash, definition, crc, now);
      for (const step of steps) this.#session.get(COLD_WRITES.insertVersionStep, id, step.ordinal, step.path, step.uses);
      return { id, tenant, workflow, version: version.version, hash, definition, createdAt: now };
    });
  }

  async getVersion(versionId: number): Promise<VersionRow | undefined> {
    const row = this.#session.get(READS.version, versionId);
    return row === undefined ? undefined : decodeVersion(row);
  }

  async latestVersion(tenant: string, workflow: string, label?: string): Promise<VersionRow | undefined> {
    const row = this.#session.get(READS.latestVersion, tenant, workflow, label ?? null);
    return row === undefined ? undefined : decodeVersion(row);
  }

  async enqueueRun(run: QueuedRun): Promise<{ readonly publicId: string; readonly created: boolean }> {
    const { publicId, tenant, versionId, idempotencyKey, idempotencyHash } = run;
    return this.#commits.within((transaction) => {
      const version = this.#session.get(READS.version, versionId);
      const workflow = version === undefined ? "" : decodeVersion(version).workflow;
      const known = idempotencyKey === null ? undefined : this.#session.get(READS.runByKey, tenant, workflow, idempotencyKey);
      if (known !== undefined && idempotencyKey !== null) {
        if (decodeIdempotencyHash(known) !== idempotencyHash) throw keyReused(idempotencyKey);
        return { publicId: decodeRun(known).publicId, created: false };
      }
      const runId = this.#nextRunIds(1);
      transaction.apply({ ...run, write: "insertRun", runId, status: "QUEUED", ownerEpoch: null, parent: null, revision: 1 });
      return { publicId, created: true };
    });
  }

  #nextRunIds(count: number): number {
    return this.#session.number(COLD_WRITES.reserveRunIds, "first", count);
  }

  async accept(entry: InboxEntry): Promise<OpenInboxRow> {
    return this.#commits.within((transaction) => acceptEntry(transaction, entry));
  }

  async reopenRun(tenant: string, publicId: string, actor: string): Promise<InboxRow> {
    return this.#commits.within((transaction) => reopenRun(transaction, tenant, publicId, actor));
  }

  async getRun(tenant: string, publicId: string): Promise<RunRow | undefined> {
    const row = this.#session.get(READS.run, tenant, publicId);
    return row === undefined ? undefined : decodeRun(row);
  }

  async findByIdempotencyKey(
    tenant: string,
    workflow: string,
    key: string,
  ): Promise<{ readonly run: RunRow; readonly hash: string } | undefined> {
    const row = this.#session.get(READS.runByKey, tenant, workflow, key);
    return row === undefined ? undefined : { run: decodeRun(row), hash: decodeIdempotencyHash(row) };
  }

  async listRuns({ tenant, status, workflow, cursor, limit }: RunQuery): Promise<RunPage> {
    const rows = this.#session.all(READS.runs, tenant, status ?? null, workflow ?? null, idBelow(cursor), limit + 1);
    return pageOf(rows.map(decodeRun), limit);
  }

  async listSteps(tenant: string, publicId: string): Promise<readonly StepRunRow[]> {
    return this.#session.all(READS.stepRuns, tenant, publicId).map(decodeStepRun);
  }

  async listAttempts(tenant: string, publicId: string): Promise<readonly AttemptRow[]> {
    return this.#session.all(READS.attempts, tenant, publicId).map(decodeAttempt);
  }

  async listHistory(tenant: string, publicId: string): Promise<readonly HistoryRow[]> {
    return this.#session.all(READS.history, tenant, publicId).map(decodeHistory);
  }

  async unfinished(pickup: Pickup, afterId: number, limit: number): Promise<readonly number[]> {
    return this.#session.all(PICKED[pickup], afterId, limit).map((row) => Number(row["id"]));
  }

  async loadRun(runId: number): Promise<StoredRun | undefined> {
    return loadRun(this.#session, runId);
  }

  async unconsumedInbox(afterId: number, limit: number): Promise<readonly OpenInboxRow[]> {
    return this.#session.all(READS.openInbox, afterId, limit).map(decodeOpenInbox);
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

import { gatherOf, gatherStart } from "../admission/gather.ts";
import type { CallerTransactions } from "../caller-transactions.ts";
import type { Claims } from "../claims.ts";
import { publishEvent } from "../events.ts";
import type { Routes, Shares } from "../placement.ts";
import type {
  Enqueued,
  Events,
  InboxEntry,
  Ledger,
  NewVersion,
  OwnerEvents,
  Ownership,
  QueuedRun,
  Retention,
  RunEnds,
  RunPage,
  RunQuery,
  StoredRun,
  Tasks,
  WorkerIdentity,
} from "../port.ts";
import { queuedRun } from "../queued-run.ts";
import { keyReused } from "../refusals.ts";
import { reopenRun } from "../reopen.ts";
import { retentionOperations } from "../retention.ts";
import type { AttemptRow, HistoryRow, InboxRow, OpenInboxRow, RunRow, StepRunRow, VersionRow } from "../rows.ts";
import { idBelow, pageOf } from "../run-page.ts";
import { acceptEntry } from "../signals.ts";
import type { Work } from "../work.ts";
import type { Batch, CommitOutcome } from "../writes.ts";
import { checksum } from "./checksum.ts";
import { decodeAttempt, decodeHistory, decodeIdempotencyHash, decodeRun, decodeStepRun, decodeVersion } from "./decode.ts";
import { loadRun } from "./load-run.ts";
import { sqlRoutes, sqlShares } from "./placement.ts";
import { COLD_WRITES, READS } from "./reads.ts";
import { SqlRetainedRuns } from "./retention.ts";
import type { SqlBackend } from "./sql-backend.ts";
import { sqlTasks } from "./tasks.ts";
import type { SqlTransaction } from "./transaction.ts";
import { SqlWaits } from "./waits.ts";

/** A ledger in a database: what is the same in all of them. */
export class SqlLedger implements Ledger {
  readonly lanes: number;
  readonly isShared: boolean;
  readonly waits: SqlWaits;
  readonly claims: Claims;
  readonly events: Events;
  readonly tasks: Tasks;
  readonly transactions: CallerTransactions | null;
  readonly retention: Retention;
  readonly shares: Shares;
  readonly routes: Routes;
  readonly #backend: SqlBackend;

  constructor(backend: SqlBackend) {
    this.#backend = backend;
    this.lanes = backend.lanes;
    this.isShared = backend.isShared;
    this.waits = new SqlWaits(backend);
    this.claims = backend.claims;
    this.transactions = backend.transactions;
    this.tasks = sqlTasks(backend);
    this.retention = retentionOperations({
      within: (work) => backend.within(work),
      reading: async (work) => {
        const now = await backend.now();
        return backend.snapshot((connection) => work(new SqlRetainedRuns(connection), now));
      },
    });
    this.shares = sqlShares(backend);
    this.routes = sqlRoutes(backend);
    this.events = { publish: (entry) => backend.within((transaction) => publishEvent(transaction, entry)) };
  }

  own(worker: WorkerIdentity, events: OwnerEvents = UNHEARD): Promise<Ownership> {
    return this.#backend.own(worker, events);
  }

  commit(batch: Batch): Promise<CommitOutcome> {
    return this.#backend.commit(batch);
  }

  reserveRunIds(count: number): Promise<number> {
    return this.#backend.within((transaction) => takeRunIds(transaction, count));
  }

  putVersion(version: NewVersion): Promise<VersionRow> {
    return this.#backend.within((transaction) => putVersion(transaction, version));
  }

  async getVersion(versionId: number): Promise<VersionRow | undefined> {
    return (await this.#backend.rows(READS.version, versionId)).map(decodeVersion)[0];
  }

  async latestVersion(tenant: string, workflow: string, label?: string): Promise<VersionRow | undefined> {
    return (await this.#backend.rows(READS.latestVersion, tenant, workflow, label ?? null)).map(decodeVersion)[0];
  }

  enqueueRun(run: QueuedRun): Promise<Enqueued> {
    return this.#backend.within((transaction) => enqueueRun(transaction, run));
  }

  accept(entry: InboxEntry): Promise<OpenInboxRow> {
    return this.#backend.within((transaction) => acceptEntry(transaction, entry));
  }

  reopenRun(tenant: string, publicId: string, actor: string): Promise<InboxRow> {
    return this.#backend.within((transaction) => reopenRun(transaction, tenant, publicId, actor));
  }

  async getRun(tenant: string, publicId: string): Promise<RunRow | undefined> {
    return (await this.#backend.rows(READS.run, tenant, publicId)).map(decodeRun)[0];
  }

  async findByIdempotencyKey(
    tenant: string,
    workflow: string,
    key: string,
  ): Promise<{ readonly run: RunRow; readonly hash: string } | undefined> {
    const [row] = await this.#backend.rows(READS.runByKey, tenant, workflow, key);
    return row === undefined ? undefined : { run: decodeRun(row), hash: decodeIdempotencyHash(row) };
  }

  async listRuns({ tenant, status, workflow, cursor, limit }: RunQuery): Promise<RunPage> {
    const rows = await this.#backend.rows(READS.runs, tenant, status ?? null, workflow ?? null, idBelow(cursor), limit + 1);
    return pageOf(rows.map(decodeRun), limit);
  }

  async findEnds(tenant: string, publicIds: readonly string[]): Promise<RunEnds> {
    const wanted = JSON.stringify(publicIds);
    const ended = await this.#backend.rows(READS.endedRuns, tenant, wanted);
    const missing = await this.#backend.rows(READS.missingRuns, tenant, wanted);
    return { ended: ended.map(decodeRun), missing: missing.map((row) => String(row["public_id"])) };
  }

  async listSteps(tenant: string, publicId: string): Promise<readonly StepRunRow[]> {
    return (await this.#backend.rows(READS.stepRuns, tenant, publicId)).map(decodeStepRun);
  }

  async listAttempts(tenant: string, publicId: string): Promise<readonly AttemptRow[]> {
    return (await this.#backend.rows(READS.attempts, tenant, publicId)).map(decodeAttempt);
  }

  async listHistory(tenant: string, publicId: string): Promise<readonly HistoryRow[]> {
    return (await this.#backend.rows(READS.history, tenant, publicId)).map(decodeHistory);
  }

  async unfinished(afterId: number, limit: number): Promise<readonly number[]> {
    return (await this.#backend.rows(READS.unfinished, afterId, limit)).map((row) => Number(row["id"]));
  }

  loadRun(runId: number): Promise<StoredRun | undefined> {
    return this.#backend.readRun(runId, (connection, now) => loadRun(connection, runId, now));
  }

  changedElsewhere(): Promise<boolean> {
    return this.#backend.changedElsewhere();
  }

  close(): Promise<void> {
    return this.#backend.close();
  }
}

const UNHEARD: OwnerEvents = { lost: () => undefined, stalled: () => undefined };

function* takeRunIds(transaction: SqlTransaction, count: number): Work<number> {
  const [row] = yield* transaction.rows(COLD_WRITES.reserveRunIds, count);
  return Number(row?.["first"]);
}

function* putVersion(transaction: SqlTransaction, version: NewVersion): Work<VersionRow> {
  const { tenant, workflow, hash, definition, steps } = version;
  const [stored] = yield* transaction.rows(READS.versionByHash, tenant, workflow, hash);
  if (stored !== undefined) return decodeVersion(stored);
  const crc = checksum(definition, null);
  const { now } = transaction;
  const [row] = yield* transaction.rows(COLD_WRITES.insertVersion, tenant, workflow, version.version, hash, definition, crc, now);
  const id = Number(row?.["id"]);
  for (const step of steps) yield* transaction.rows(COLD_WRITES.insertVersionStep, id, step.ordinal, step.path, step.uses);
  return { id, tenant, workflow, version: version.version, hash, definition, createdAt: now };
}

function* enqueueRun(transaction: SqlTransaction, run: QueuedRun): Work<Enqueued> {
  const { publicId, tenant, versionId, idempotencyKey, idempotencyHash } = run;
  if (idempotencyKey !== null) {
    const [version] = (yield* transaction.rows(READS.version, versionId)).map(decodeVersion);
    const [known] = yield* transaction.rows(READS.runByKey, tenant, version?.workflow ?? "", idempotencyKey);
    if (known !== undefined) {
      if (decodeIdempotencyHash(known) !== idempotencyHash) throw keyReused(idempotencyKey);
      return { publicId: decodeRun(known).publicId, created: false };
    }
  }
  const gather = gatherOf(run);
  if (gather !== null) return yield* gatherStart(transaction, run, gather, () => takeRunIds(transaction, 1));
  const runId = yield* takeRunIds(transaction, 1);
  for (const write of queuedRun(run, runId)) yield* transaction.apply(write);
  return { publicId, created: true };
}

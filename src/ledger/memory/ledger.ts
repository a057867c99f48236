import type { Clock } from "../../model/clock.ts";
import { StepwellError } from "../../model/errors.ts";
import { gatherOf, gatherStart } from "../admission/gather.ts";
import { matchKeptEvents, publishEvent } from "../events.ts";
import { LedgerClock, SYSTEM_TIME, warnProcess } from "../ledger-clock.ts";
import { withoutPastRounds, withRevision } from "../needed-steps.ts";
import type {
  Enqueued,
  Events,
  InboxEntry,
  Ledger,
  NewVersion,
  Ownership,
  QueuedRun,
  RunEnds,
  RunPage,
  RunQuery,
  StoredRun,
  WorkerIdentity,
} from "../port.ts";
import { queuedRun } from "../queued-run.ts";
import { keyReused } from "../refusals.ts";
import { reopenRun } from "../reopen.ts";
import { retentionOperations } from "../retention.ts";
import type { AttemptRow, HistoryRow, InboxRow, OpenInboxRow, RunRow, StepRunRow, VersionRow, VersionStep } from "../rows.ts";
import { idBelow, pageOf } from "../run-page.ts";
import { acceptEntry } from "../signals.ts";
import { checksum } from "../sql/checksum.ts";
import { decodeAttempt, decodeHistory, decodeIdempotencyHash, decodeRun, decodeStep, decodeStepRun, decodeVersion } from "../sql/decode.ts";
import { decodeInbox, decodeSubscription, decodeWait } from "../sql/decode-waiting.ts";
import { type Executors, execute } from "../sql/executors.ts";
import type { Transaction } from "../transaction.ts";
import { done, finish, type Work } from "../work.ts";
import type { Batch, CommitOutcome, Unit } from "../writes.ts";
import { MemoryClaims } from "./claims.ts";
import { memoryExecutors } from "./interpret.ts";
import { memoryRoutes, memoryShares } from "./placement.ts";
import { MemoryRetainedRuns } from "./retention.ts";
import { type MemoryRow, MemoryTables } from "./tables.ts";
import { memoryTasks } from "./tasks.ts";
import { MemoryTransaction } from "./transaction.ts";
import { MemoryViews } from "./views.ts";
import { MemoryWaits } from "./waits.ts";

export interface MemoryLedgerOptions {
  /** Source of the time; the ledger itself never lets it go backwards. */
  readonly clock?: Pick<Clock, "now">;
  /** Gives the turn after which a commit is answered, as a disk would. Default: the next one of the event loop. */
  readonly turns?: Pick<Clock, "soon">;
  /** Told when the clock went backwards. Default: a process warning. */
  readonly onWarning?: (message: string) => void;
}

export interface OpenMemoryLedger extends Ledger {
  /** For whoever holds its rows against what must be true of them. */
  readonly rows: Pick<MemoryTables, "all" | "find">;
}

/** A ledger for tests: the rules of the durable ones, gone with the process. */
export function openMemoryLedger(options: MemoryLedgerOptions = {}): OpenMemoryLedger {
  const clock = new LedgerClock(options.clock ?? SYSTEM_TIME, options.onWarning ?? warnProcess);
  return new MemoryLedger(clock, options.turns ?? EVENT_LOOP);
}

const EVENT_LOOP: Pick<Clock, "soon"> = { soon: (callback) => void setImmediate(callback) };

class MemoryLedger implements OpenMemoryLedger {
  /** Two, so that tests see commits of different runs overtake each other. */
  readonly lanes = 2;
  readonly isShared = false;
  readonly #clock: LedgerClock;
  readonly #turns: Pick<Clock, "soon">;
  readonly #tables = new MemoryTables();
  readonly rows = this.#tables;
  readonly #versionSteps = new Map<number, readonly VersionStep[]>();
  readonly #views = new MemoryViews(this.#tables, this.#versionSteps);
  readonly #executors: Executors = memoryExecutors(this.#tables);
  readonly events: Events = {
    publish: (entry) => this.#within((transaction) => publishEvent(transaction, entry)),
  };
  readonly tasks = memoryTasks(this.#tables, this.#views, (work) => this.#within(work));
  readonly waits = new MemoryWaits(this.#tables, this.#views, () => this.#clock.now());
  readonly transactions = null;
  readonly claims = new MemoryClaims(this.#tables, {
    now: () => this.#clock.now(),
    within: (work) => this.#within(work),
    epoch: () => this.#epoch,
  });
  readonly retention = retentionOperations({
    within: (work) => this.#within(work),
    reading: async (work) => finish(work(new MemoryRetainedRuns(this.#tables, this.#views), this.#clock.now())),
  });
  readonly shares = memoryShares(this.#tables, (work) => this.#write(work));
  readonly routes = memoryRoutes(this.#tables, (work) => this.#write(work));
  #epoch = 0;
  #nextRunId = 1;
  #closed = false;

  constructor(clock: LedgerClock, turns: Pick<Clock, "soon">) {
    this.#clock = clock;
    this.#turns = turns;
  }

  async own(_worker: WorkerIdentity): Promise<Ownership> {
    return this.#write((now) => ({ epoch: ++this.#epoch, now }));
  }

  async commit({ epoch, units }: Batch): Promise<CommitOutcome> {
    // not within the caller's turn, so that both lanes can be in flight
    await new Promise<void>((resolve) => this.#turns.soon(resolve));
    return this.#write((now) => {
      if (epoch !== this.#epoch) return { outcome: "fenced" };
      const missed: number[] = [];
      for (const [index, unit] of units.entries()) {
        if (this.#isMissed(unit)) missed.push(index);
        else this.#apply(unit, index, now);
      }
      finish(matchKeptEvents(this.#transaction(now), this.#tables.added("subscription").map(decodeSubscription)));
      return { outcome: "committed", now, missed, accepted: this.#tables.added("inbox").map(decodeInbox) };
    });
  }

  #isMissed({ runId, inboxSeq }: Unit): boolean {
    if (inboxSeq === null) return false;
    const [run] = this.#tables.find("run", { id: runId });
    return run !== undefined && Number(run["inbox_seq"]) > inboxSeq;
  }

  #apply(unit: Unit, index: number, now: number): void {
    try {
      for (const write of unit.writes) {
        if (write.write === "insertRun" && !this.#versionSteps.has(write.versionId)) {
          throw new StepwellError("LEDGER_CONFLICT", `There is no version ${write.versionId}`);
        }
        execute(this.#executors, write, now);
      }
    } catch (error) {
      if (!(error instanceof StepwellError)) throw error;
      throw new StepwellError(error.code, error.message, { data: { ...error.data, unit: index, runId: unit.runId }, cause: error });
    }
  }

  async reserveRunIds(count: number): Promise<number> {
    return this.#write(() => this.#takeRunIds(count));
  }

  #takeRunIds(count: number): number {
    const first = this.#nextRunId;
    this.#nextRunId += count;
    return first;
  }

  async putVersion(version: NewVersion): Promise<VersionRow> {
    return this.#write((now) => {
      const { tenant, workflow, hash, definition, steps } = version;
      const stored = this.#tables.findUnique("version", { tenant, workflow, hash });
      if (stored !== undefined) return decodeVersion(stored);
      const id = this.#versionSteps.size + 1;
      const row = {
        id,
        tenant,
        workflow,
        version: version.version,
        hash,
        definition,
        definition_crc: checksum(definition, null),
        created_at: now,
      };
      this.#tables.insert("version", row);
      this.#versionSteps.set(id, structuredClone(steps));
      return decodeVersion(row);
    });
  }

  async getVersion(versionId: number): Promise<VersionRow | undefined> {
    const [row] = this.#tables.find("version", { id: versionId });
    return row === undefined ? undefined : decodeVersion(row);
  }

  async latestVersion(tenant: string, workflow: string, label?: string): Promise<VersionRow | undefined> {
    const rows = [...this.#tables.all("version")].filter((row) => row["tenant"] === tenant && row["workflow"] === workflow);
    const row = rows.findLast((one) => label === undefined || one["version"] === label);
    return row === undefined ? undefined : decodeVersion(row);
  }

  async enqueueRun(run: QueuedRun): Promise<Enqueued> {
    const { publicId, tenant, versionId, idempotencyKey, idempotencyHash } = run;
    return this.#write((now) => {
      const [version] = this.#tables.find("version", { id: versionId });
      const known = idempotencyKey === null ? undefined : this.#byKey(tenant, String(version?.["workflow"]), idempotencyKey);
      if (known !== undefined && idempotencyKey !== null) {
        if (decodeIdempotencyHash(known) !== idempotencyHash) throw keyReused(idempotencyKey);
        return { publicId: String(known["public_id"]), created: false };
      }
      const gather = gatherOf(run);
      if (gather !== null) return finish(gatherStart(this.#transaction(now), run, gather, () => done(this.#takeRunIds(1))));
      const runId = this.#takeRunIds(1);
      this.#apply({ runId, inboxSeq: null, writes: queuedRun(run, runId) }, 0, now);
      return { publicId, created: true };
    });
  }

  #byKey(tenant: string, workflow: string, key: string): MemoryRow | undefined {
    return this.#tables.findUnique("run", { tenant, idempotency_scope: workflow, idempotency_key: key });
  }

  async accept(entry: InboxEntry): Promise<OpenInboxRow> {
    return this.#within((transaction) => acceptEntry(transaction, entry));
  }

  async #within<T>(work: (transaction: Transaction) => Work<T>): Promise<T> {
    return this.#write((now) => finish(work(this.#transaction(now))));
  }

  #transaction(now: number): MemoryTransaction {
    return new MemoryTransaction(this.#tables, this.#views, this.#executors, now);
  }

  async reopenRun(tenant: string, publicId: string, actor: string): Promise<InboxRow> {
    return this.#within((transaction) => reopenRun(transaction, tenant, publicId, actor));
  }

  async getRun(tenant: string, publicId: string): Promise<RunRow | undefined> {
    const row = this.#views.find(tenant, publicId);
    return row === undefined ? undefined : this.#decodeRun(row);
  }

  async findByIdempotencyKey(
    tenant: string,
    workflow: string,
    key: string,
  ): Promise<{ readonly run: RunRow; readonly hash: string } | undefined> {
    const row = this.#byKey(tenant, workflow, key);
    return row === undefined ? undefined : { run: this.#decodeRun(row), hash: decodeIdempotencyHash(row) };
  }

  async listRuns({ tenant, status, workflow, cursor, limit }: RunQuery): Promise<RunPage> {
    const below = idBelow(cursor);
    const rows = this.#runs((run) => run["tenant"] === tenant && Number(run["id"]) < below && (status ?? run["status"]) === run["status"]);
    const runs = rows.map((row) => this.#decodeRun(row)).filter((run) => (workflow ?? run.workflow) === run.workflow);
    return pageOf(runs.toReversed().slice(0, limit + 1), limit);
  }

  async findEnds(tenant: string, publicIds: readonly string[]): Promise<RunEnds> {
    const there = this.#runs((run) => run["tenant"] === tenant && publicIds.includes(String(run["public_id"])));
    const known = new Set(there.map((run) => run["public_id"]));
    return {
      ended: there.filter((run) => run["finished_at"] !== null).map((row) => this.#decodeRun(row)),
      missing: publicIds.filter((publicId) => !known.has(publicId)),
    };
  }

  async listSteps(tenant: string, publicId: string): Promise<readonly StepRunRow[]> {
    return this.#views.of(tenant, publicId, (run) => this.#views.stepRuns(run)).map(decodeStepRun);
  }

  async listAttempts(tenant: string, publicId: string): Promise<readonly AttemptRow[]> {
    return this.#views.of(tenant, publicId, (run) => this.#views.attempts(run)).map(decodeAttempt);
  }

  async listHistory(tenant: string, publicId: string): Promise<readonly HistoryRow[]> {
    return this.#views.of(tenant, publicId, (run) => this.#views.history(run)).map(decodeHistory);
  }

  async unfinished(afterId: number, limit: number): Promise<readonly number[]> {
    const rows = this.#runs((run) => Number(run["id"]) > afterId && run["finished_at"] === null);
    return rows.slice(0, limit).map((row) => Number(row["id"]));
  }

  async loadRun(runId: number): Promise<StoredRun | undefined> {
    const [run] = this.#tables.find("run", { id: runId });
    if (run === undefined) return undefined;
    const ofRun = (table: "step" | "wait" | "inbox" | "event", order: string) =>
      this.#tables.find(table, { run_id: runId }).toSorted((a, b) => Number(a[order]) - Number(b[order]));
    const steps = ofRun("step", "ordinal");
    const finished = new Set(steps.filter((row) => row["finished_at"] !== null).map((row) => row["ordinal"]));
    const needed = withoutPastRounds(steps.filter((row) => row["parent"] === null || !finished.has(row["parent"])).map(decodeStep));
    const lastEvent = ofRun("event", "id").at(-1)?.["revision"];
    const asStored = decodeRun({ ...this.#views.run(run), revision: run["revision"] ?? null });
    return {
      now: this.#clock.now(),
      run: withRevision(asStored, needed, typeof lastEvent === "number" ? lastEvent : null),
      steps: needed,
      lastOrdinal: Number(steps.at(-1)?.["ordinal"] ?? -1),
      waits: ofRun("wait", "ordinal").map(decodeWait),
      inbox: ofRun("inbox", "seq")
        .filter((row) => row["consumed_at"] === null || row["kind"] === "cancel")
        .map(decodeInbox),
      asksAt: run["status"] === "QUEUED" ? this.#views.asksAt(runId) : null,
    };
  }

  async changedElsewhere(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #write<T>(work: (now: number) => T): T {
    if (this.#closed) throw new StepwellError("LEDGER_UNAVAILABLE", "The ledger is closed");
    return this.#tables.transaction(() => work(this.#clock.now()));
  }

  #runs(wanted: (run: MemoryRow) => boolean): readonly MemoryRow[] {
    return [...this.#tables.all("run")].filter(wanted).toSorted((a, b) => Number(a["id"]) - Number(b["id"]));
  }

  #decodeRun(row: MemoryRow): RunRow {
    return decodeRun(this.#views.run(row));
  }
}

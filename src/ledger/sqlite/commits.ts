import { invariant, StepwellError } from "../../model/errors.ts";
import { matchKeptEvents } from "../events.ts";
import type { LedgerClock } from "../ledger-clock.ts";
import type { Ownership, WorkerIdentity } from "../port.ts";
import { COLD_WRITES, READS } from "../sql/reads.ts";
import { SqlTransaction } from "../sql/transaction.ts";
import { finish, type Work } from "../work.ts";
import type { Batch, CommitOutcome, Unit } from "../writes.ts";
import { BatchApplier } from "./apply-batch.ts";
import { sqliteError } from "./errors.ts";
import { InboxHeads } from "./inbox-heads.ts";
import { ROLL_BACK, type SqliteSession } from "./session.ts";
import { SqliteConnection } from "./sqlite-connection.ts";

/** How far the stored high-water mark of the clock may lag; a write per commit would cost a page more in each. */
const CLOCK_LAG_MS = 1_000;

/** Everything that is written goes through here: one transaction, one time stamp, a look at what others wrote meanwhile. */
export class SqliteCommits {
  readonly heads = new InboxHeads();
  readonly #session: SqliteSession;
  readonly #clock: LedgerClock;
  readonly #applier: BatchApplier;
  readonly connection: SqliteConnection;
  #seenVersion: unknown;
  /** The newest inbox row of another process that is known. What is older was there before anybody could read a run through this connection. */
  #seenInbox: number;
  #storedClock = 0;
  #epoch = 0;

  constructor(session: SqliteSession, clock: LedgerClock) {
    this.#session = session;
    this.#clock = clock;
    this.#applier = new BatchApplier(session.db);
    this.connection = new SqliteConnection(session, this.#applier);
    this.#seenInbox = session.number(READS.lastInbox, "id");
  }

  /** Runs `work` in a transaction with the time of the commit. */
  write<T>(work: (now: number) => T): T {
    const result = this.#session.transaction(() => {
      this.#applier.begin();
      this.#lookElsewhere();
      const now = this.#clock.now();
      if (now - this.#storedClock >= CLOCK_LAG_MS) {
        this.#session.get(COLD_WRITES.raiseClock, now);
        this.#storedClock = now;
      }
      return work(now);
    });
    if (result !== ROLL_BACK) for (const { runId, seq } of this.#applier.posted) this.heads.note(runId, seq);
    return result;
  }

  /** Makes this connection's engine the one that may write; every earlier epoch is fenced. */
  own(worker: WorkerIdentity): Ownership {
    const ownership = this.write((now) => {
      const { name, host, pid, version, groups } = worker;
      const served = groups === null ? null : JSON.stringify(groups);
      return { epoch: this.#session.number(COLD_WRITES.own, "epoch", name, host, pid, version, served, now), now };
    });
    this.#epoch = ownership.epoch;
    return ownership;
  }

  /** The ledger's time outside a commit. */
  now(): number {
    this.#clock.seen(this.#session.number(READS.fact, "value", "clock"));
    return this.#clock.now();
  }

  /** Changes whenever another connection has committed. */
  dataVersion(): unknown {
    return this.#session.get("PRAGMA data_version")?.["data_version"];
  }

  /** Runs an operation of the ledger's own in a transaction. */
  async within<T>(work: (transaction: SqlTransaction) => Work<T>): Promise<T> {
    return this.write((now) => finish(work(new SqlTransaction(this.connection, now))));
  }

  /** @throws StepwellError `LEDGER_CONFLICT` with the index of the first unit that breaks a guard or a constraint */
  commit(batch: Batch): CommitOutcome {
    const outcome = this.#attempt(batch, (missed, now) => this.#applyQuickly(batch.units, missed, now));
    if (outcome !== ROLL_BACK) return outcome;
    const careful = this.#attempt(batch, (missed, now) => this.#applyCarefully(batch.units, missed, now));
    invariant(careful !== ROLL_BACK, "the careful way raises what the quick way only suspects");
    return careful;
  }

  #attempt({ epoch, units }: Batch, apply: (missed: Set<number>, now: number) => boolean): CommitOutcome | typeof ROLL_BACK {
    let missed = new Set<number>();
    const outcome = this.write((now): CommitOutcome | typeof ROLL_BACK => {
      if (epoch !== this.#epoch) return { outcome: "fenced" };
      missed = this.heads.missedBy(units);
      if (!apply(missed, now)) return ROLL_BACK;
      const { subscribed } = this.#applier;
      if (subscribed.length > 0) finish(matchKeptEvents(new SqlTransaction(this.connection, now), subscribed));
      return { outcome: "committed", now, missed: [...missed], accepted: this.#applier.posted };
    });
    if (outcome !== ROLL_BACK) this.heads.noteEnded(units, missed);
    return outcome;
  }

  /** False when a guard or a constraint was broken, perhaps by a later unit than the one that is to blame. */
  #applyQuickly(units: readonly Unit[], missed: Set<number>, now: number): boolean {
    try {
      return this.#applier.applyQuickly(units, missed, now);
    } catch (error) {
      if (this.#isConflict(error)) return false;
      throw error;
    }
  }

  #applyCarefully(units: readonly Unit[], missed: Set<number>, now: number): true {
    try {
      this.#applier.applyCarefully(units, missed, now);
      return true;
    } catch (error) {
      if (error instanceof StepwellError || !this.#isConflict(error)) throw error;
      const unit = this.#applier.position;
      const message = error instanceof Error ? error.message : String(error);
      throw new StepwellError("LEDGER_CONFLICT", message, { data: { unit, runId: units[unit]?.runId ?? null }, cause: error });
    }
  }

  #isConflict(error: unknown): boolean {
    const coded = sqliteError(error, this.#session.file);
    return coded instanceof StepwellError && coded.code === "LEDGER_CONFLICT";
  }

  #lookElsewhere(): void {
    const version = this.dataVersion();
    if (version === this.#seenVersion) return;
    this.#storedClock = this.#session.number(READS.fact, "value", "clock");
    this.#clock.seen(this.#storedClock);
    this.#epoch = Number(this.#session.get(READS.owner)?.["epoch"] ?? 0);
    for (const row of this.#session.all(READS.inboxHeads, this.#seenInbox)) {
      this.heads.note(Number(row["run_id"]), Number(row["seq"]));
      this.#seenInbox = Number(row["id"]);
    }
    this.#seenVersion = version;
  }
}

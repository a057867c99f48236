import type { StatementSync } from "node:sqlite";
import { StepwellError } from "../../model/errors.ts";
import type { LedgerClock } from "../ledger-clock.ts";
import type { Ownership, WorkerIdentity } from "../port.ts";
import { COLD_WRITES, READS } from "../sql/reads.ts";
import type { Batch, CommitOutcome, Unit } from "../writes.ts";
import { BatchApplier } from "./apply-batch.ts";
import { sqliteError } from "./errors.ts";
import { InboxHeads } from "./inbox-heads.ts";
import { ROLL_BACK, type SqliteSession } from "./session.ts";

/** How far the stored high-water mark of the clock may lag; a write per commit would cost a page more in each. */
const CLOCK_LAG_MS = 1_000;
const NONE: ReadonlySet<number> = new Set();

/** Everything that is written goes through here: one transaction, one time stamp, a look at what others wrote meanwhile. */
export class SqliteCommits {
  readonly heads = new InboxHeads();
  readonly #session: SqliteSession;
  readonly #clock: LedgerClock;
  readonly #applier: BatchApplier;
  readonly #dataVersion: StatementSync;
  #seenVersion: unknown;
  #storedClock = 0;
  #epoch = 0;

  constructor(session: SqliteSession, clock: LedgerClock) {
    this.#session = session;
    this.#clock = clock;
    this.#applier = new BatchApplier(session.db);
    this.#dataVersion = session.db.prepare("PRAGMA data_version");
  }

  /** Runs `work` in a transaction with the time of the commit. */
  write<T>(work: (now: number) => T): T {
    return this.#session.transaction(() => {
      this.#lookElsewhere();
      const now = this.#clock.now();
      if (now - this.#storedClock >= CLOCK_LAG_MS) {
        this.#session.get(COLD_WRITES.raiseClock, now);
        this.#storedClock = now;
      }
      return work(now);
    });
  }

  /** Makes this connection's engine the one that may write; every earlier epoch is fenced. */
  own(worker: WorkerIdentity): Ownership {
    const ownership = this.write((now) => {
      const { name, host, pid, version } = worker;
      return { epoch: this.#session.number(COLD_WRITES.own, "epoch", name, host, pid, version, now), now };
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
    return this.#dataVersion.get()?.["data_version"];
  }

  /** Writes one unit of a process that need not own the ledger. */
  apply(unit: Unit, now: number): void {
    this.#apply([unit], () => this.#applier.applyCarefully([unit], NONE, now));
  }

  commit(batch: Batch): CommitOutcome {
    return this.#attempt(batch, false) ?? this.#attempt(batch, true) ?? { outcome: "fenced" };
  }

  /** Undefined when the quick way found that some write broke its guard; then nothing was written. */
  #attempt({ epoch, units }: Batch, carefully: boolean): CommitOutcome | undefined {
    let missed = NONE;
    const outcome = this.write((now): CommitOutcome | typeof ROLL_BACK => {
      if (epoch !== this.#epoch) return { outcome: "fenced" };
      missed = this.heads.missedBy(units);
      const followed = this.#apply(units, () => {
        if (!carefully) return this.#applier.applyQuickly(units, missed, now);
        this.#applier.applyCarefully(units, missed, now);
        return true;
      });
      return followed ? { outcome: "committed", now, missed: [...missed] } : ROLL_BACK;
    });
    if (outcome === ROLL_BACK) return undefined;
    this.heads.forgetEnded(units, missed);
    return outcome;
  }

  /** Names the unit in a conflict that SQLite itself reports. */
  #apply<T>(units: readonly Unit[], work: () => T): T {
    try {
      return work();
    } catch (error) {
      const coded = sqliteError(error, this.#session.file);
      if (error instanceof StepwellError || !(coded instanceof StepwellError) || coded.code !== "LEDGER_CONFLICT") throw error;
      const unit = this.#applier.position;
      throw new StepwellError("LEDGER_CONFLICT", coded.message, {
        data: { unit, runId: units[unit]?.runId ?? null },
        cause: error,
      });
    }
  }

  #lookElsewhere(): void {
    const version = this.dataVersion();
    if (version === this.#seenVersion) return;
    this.#storedClock = this.#session.number(READS.fact, "value", "clock");
    this.#clock.seen(this.#storedClock);
    this.#epoch = Number(this.#session.get(READS.owner)?.["epoch"] ?? 0);
    for (const row of this.#session.all(READS.openInboxHeads)) this.heads.note(Number(row["run_id"]), Number(row["seq"]));
    this.#seenVersion = version;
  }
}

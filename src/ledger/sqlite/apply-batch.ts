import type { DatabaseSync, StatementSync } from "node:sqlite";
import { invariant } from "../../model/errors.ts";
import type { LedgerWrite } from "../own-writes.ts";
import { guardBroken } from "../refusals.ts";
import type { InboxRow, SubscriptionRow } from "../rows.ts";
import { decodeInbox } from "../sql/decode-waiting.ts";
import type { HotWrite } from "../sql/description.ts";
import { type AnyWrite, type Executors, execute, executorsBy } from "../sql/executors.ts";
import { type BoundValue, briefWrite, renderWrite } from "../sql/render.ts";
import type { Unit } from "../writes.ts";

/**
 * Applies units inside an open transaction, a prepared statement per write. The quick way counts what should have changed and
 * compares once at the end: asking each statement for its changes costs 7 % of a run. When the sum is wrong, the batch is
 * rolled back and applied the careful way, which finds the write that broke its guard.
 */
export class BatchApplier {
  readonly #totalChanges: StatementSync;
  readonly #quick: Executors;
  readonly #careful: Executors;
  readonly #justPosted: StatementSync;
  #expected = 0;
  #position = 0;
  #posted: InboxRow[] = [];
  #subscribed: SubscriptionRow[] = [];
  /** The new numbers of the inboxes that this transaction has moved on, by run. */
  readonly #moved = new Map<number, number>();

  constructor(db: DatabaseSync) {
    this.#justPosted = db.prepare("SELECT * FROM inbox WHERE id = last_insert_rowid() AND changes() = 1");
    this.#totalChanges = db.prepare("SELECT total_changes() AS total");
    this.#quick = this.#executors(db, false);
    this.#careful = this.#executors(db, true);
  }

  /** Index of the unit that was being applied when an error was raised. */
  get position(): number {
    return this.#position;
  }

  /** Must stand at the beginning of every transaction. */
  begin(): void {
    this.#posted = [];
    this.#subscribed = [];
    this.#moved.clear();
  }

  /** What the transaction has put into inboxes so far. */
  get posted(): readonly InboxRow[] {
    return this.#posted;
  }

  /** The subscriptions that the transaction has inserted so far. */
  get subscribed(): readonly SubscriptionRow[] {
    return this.#subscribed;
  }

  applyOne(write: LedgerWrite, now: number): void {
    execute(this.#careful, write, now);
  }

  /** False when some write changed no row although it must; the caller rolls back and calls `applyCarefully`. */
  applyQuickly(units: readonly Unit[], missed: Set<number>, now: number): boolean {
    const before = this.#countChanges();
    this.#expected = 0;
    this.#apply(this.#quick, units, missed, now);
    return this.#countChanges() - before === this.#expected;
  }

  /** @throws StepwellError `LEDGER_CONFLICT` at the first write that changes no row although it must */
  applyCarefully(units: readonly Unit[], missed: Set<number>, now: number): void {
    this.#apply(this.#careful, units, missed, now);
  }

  #apply(executors: Executors, units: readonly Unit[], missed: Set<number>, now: number): void {
    this.#position = 0;
    for (const unit of units) {
      if (this.#moved.size > 0 && unit.inboxSeq !== null && unit.inboxSeq < (this.#moved.get(unit.runId) ?? 0)) missed.add(this.#position);
      if (missed.size === 0 || !missed.has(this.#position)) {
        for (const write of unit.writes) execute(executors, write, now);
      }
      this.#position++;
    }
  }

  #countChanges(): number {
    const total = this.#totalChanges.get()?.["total"];
    invariant(typeof total === "number", "total_changes() is a number");
    return total;
  }

  #executors(db: DatabaseSync, careful: boolean): Executors {
    const executors = executorsBy((description) =>
      careful || description.noRow === "allow" ? this.#counting(db, description) : this.#trusting(db, description),
    );
    const postInbox: Executors["postInbox"] = (write, now) => {
      executors.postInbox(write, now);
      const row = this.#justPosted.get();
      if (row === undefined) return;
      const posted = decodeInbox(row);
      this.#posted.push(posted);
      this.#moved.set(posted.runId, posted.seq);
    };
    const insertSubscription: Executors["insertSubscription"] = (write, now) => {
      executors.insertSubscription(write, now);
      this.#subscribed.push(write);
    };
    return { ...executors, postInbox, insertSubscription };
  }

  #trusting<W>(db: DatabaseSync, description: HotWrite<W>): (write: W, now: number) => void {
    const full = new BoundWrite(db, description);
    const briefs = (description.brief ?? []).map((brief) => ({
      when: brief.when,
      bound: new BoundWrite(db, briefWrite(description, brief)),
    }));
    return (write, now) => {
      let bound = full;
      for (const brief of briefs) {
        if (!brief.when(write)) continue;
        bound = brief.bound;
        break;
      }
      bound.execute(write, now);
      this.#expected++;
    };
  }

  #counting<W extends AnyWrite>(db: DatabaseSync, description: HotWrite<W>): (write: W, now: number) => void {
    const bound = new BoundWrite(db, description);
    return (write, now) => {
      const changes = bound.changes(write, now);
      this.#expected += changes;
      if (changes > 0 || description.noRow === "allow") return;
      throw guardBroken(write, { unit: this.#position, runId: write.runId ?? null });
    };
  }
}

/** A rendered write with its statements, prepared on first use, one per target status. */
class BoundWrite<W> {
  readonly #statements = new Map<string, StatementSync>();
  readonly #statusOf: (write: W) => string;
  readonly #prepare: (status: string) => StatementSync;
  readonly #readers: readonly ((write: W, now: number) => BoundValue)[];
  /** Filled anew for each write: an array of its own for each would be garbage a million times over. */
  readonly #values: BoundValue[];
  #status = "";
  #statement: StatementSync | undefined;

  constructor(db: DatabaseSync, description: HotWrite<W>) {
    const rendered = renderWrite(description);
    this.#statusOf = description.guard.status?.of ?? (() => "");
    this.#prepare = (status) => db.prepare(rendered.sql(status));
    this.#readers = rendered.values;
    this.#values = rendered.values.map(() => null);
  }

  /** `get` instead of `run`: it builds no result object. */
  execute(write: W, now: number): void {
    this.#read(write, now);
    this.#statementFor(write).get(...this.#values);
  }

  /** Executes and tells how many rows changed. */
  changes(write: W, now: number): number {
    this.#read(write, now);
    return Number(this.#statementFor(write).run(...this.#values).changes);
  }

  #read(write: W, now: number): void {
    let index = 0;
    for (const reader of this.#readers) this.#values[index++] = reader(write, now);
  }

  #statementFor(write: W): StatementSync {
    const status = this.#statusOf(write);
    if (this.#statement !== undefined && status === this.#status) return this.#statement;
    let statement = this.#statements.get(status);
    if (statement === undefined) {
      statement = this.#prepare(status);
      this.#statements.set(status, statement);
    }
    this.#status = status;
    this.#statement = statement;
    return statement;
  }
}

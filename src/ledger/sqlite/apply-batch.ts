import type { DatabaseSync, StatementSync } from "node:sqlite";
import { invariant, StepwellError } from "../../model/errors.ts";
import { type AnyWrite, type ColumnValue, type Executors, execute, executorsBy, type HotWrite } from "../sql/hot-writes.ts";
import { briefWrite, renderWrite } from "../sql/render.ts";
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
  #expected = 0;
  #position = 0;

  constructor(db: DatabaseSync) {
    this.#totalChanges = db.prepare("SELECT total_changes() AS total");
    this.#quick = this.#executors(db, false);
    this.#careful = this.#executors(db, true);
  }

  /** Index of the unit that was being applied when an error was raised. */
  get position(): number {
    return this.#position;
  }

  /** False when some write changed no row although it must; the caller rolls back and calls `applyCarefully`. */
  applyQuickly(units: readonly Unit[], skip: ReadonlySet<number>, now: number): boolean {
    const before = this.#countChanges();
    this.#expected = 0;
    this.#apply(this.#quick, units, skip, now);
    return this.#countChanges() - before === this.#expected;
  }

  /** @throws StepwellError `LEDGER_CONFLICT` at the first write that changes no row although it must */
  applyCarefully(units: readonly Unit[], skip: ReadonlySet<number>, now: number): void {
    this.#apply(this.#careful, units, skip, now);
  }

  #apply(executors: Executors, units: readonly Unit[], skip: ReadonlySet<number>, now: number): void {
    this.#position = 0;
    for (const unit of units) {
      if (skip.size === 0 || !skip.has(this.#position)) {
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
    return executorsBy((description) =>
      careful || description.noRow === "allow" ? this.#counting(db, description) : this.#trusting(db, description),
    );
  }

  #trusting<W>(db: DatabaseSync, description: HotWrite<W>): (write: W, now: number) => void {
    const full = new BoundWrite(db, description);
    const { brief } = description;
    if (brief === undefined) {
      return (write, now) => {
        full.execute(write, now);
        this.#expected++;
      };
    }
    const short = new BoundWrite(db, briefWrite(description, brief.without));
    return (write, now) => {
      (brief.when(write) ? short : full).execute(write, now);
      this.#expected++;
    };
  }

  #counting<W extends AnyWrite>(db: DatabaseSync, description: HotWrite<W>): (write: W, now: number) => void {
    const bound = new BoundWrite(db, description);
    return (write, now) => {
      const changes = bound.changes(write, now);
      this.#expected += changes;
      if (changes === 0 && description.noRow === "refuse") throw this.#refusal(write);
    };
  }

  #refusal(write: AnyWrite): StepwellError {
    return new StepwellError("LEDGER_CONFLICT", `${write.write} of run ${write.runId} does not follow from what the ledger holds`, {
      data: { unit: this.#position, write: write.write, runId: write.runId },
    });
  }
}

/** A rendered write with its statements, prepared on first use, one per target status. */
class BoundWrite<W> {
  readonly #statements = new Map<string, StatementSync>();
  readonly #statusOf: (write: W) => string;
  readonly #prepare: (status: string) => StatementSync;
  readonly #readers: readonly ((write: W, now: number) => ColumnValue)[];
  /** Filled anew for each write: an array of its own for each would be garbage a million times over. */
  readonly #values: ColumnValue[];
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

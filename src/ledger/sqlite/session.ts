import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { invariant, StepwellError } from "../../model/errors.ts";
import { sqliteError } from "./errors.ts";

/** What the work of a transaction returns to have it undone without an error. */
export const ROLL_BACK = Symbol("roll back");

export type SqliteRow = Record<string, SQLOutputValue>;

/** One connection: prepared statements by their text, transactions, coded errors. */
export class SqliteSession {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #broken: StepwellError | undefined;

  constructor(db: DatabaseSync, file: string) {
    this.db = db;
    this.file = file;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
  }

  all(sql: string, ...values: SQLInputValue[]): SqliteRow[] {
    return this.#guard(() => this.#statement(sql).all(...values));
  }

  get(sql: string, ...values: SQLInputValue[]): SqliteRow | undefined {
    return this.#guard(() => this.#statement(sql).get(...values));
  }

  /** The number in the only row's column; for statements that always give one. */
  number(sql: string, column: string, ...values: SQLInputValue[]): number {
    const value = this.get(sql, ...values)?.[column];
    invariant(typeof value === "number", `${sql} gives a number`);
    return value;
  }

  /**
   * Runs `work` in a transaction that has the write lock from its first statement; rolled back when anything fails or it returns `ROLL_BACK`.
   * After an
   * I/O error nothing is written any more: whether the disk has the data is unknown until the file is opened anew (P26).
   */
  transaction<T>(work: () => T): T {
    if (this.#broken !== undefined) throw this.#broken;
    return this.#guard(() => {
      this.#begin.get();
      try {
        const result = work();
        if (result === ROLL_BACK) this.db.exec("ROLLBACK");
        else this.#commit.get();
        return result;
      } catch (error) {
        if (this.db.isTransaction) this.db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#coded(error);
    }
  }

  #coded(error: unknown): unknown {
    const coded = this.db.isOpen ? sqliteError(error, this.file) : closedError(this.file, error);
    if (coded instanceof StepwellError && coded.code === "LEDGER_IO") this.#broken ??= coded;
    return coded;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function closedError(file: string, cause: unknown): StepwellError {
  return new StepwellError("LEDGER_UNAVAILABLE", `${file} is closed`, { data: { file }, cause });
}

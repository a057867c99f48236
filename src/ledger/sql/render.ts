import { checksum } from "./checksum.ts";
import type { Brief, Columns, ColumnValue, HotWrite, Source, Table } from "./description.ts";

type WriteSource<W> = Extract<Source<W>, { readonly from: "write" }>;
/** What is bound: a step's key may be larger than a number of JavaScript can say. */
export type BoundValue = ColumnValue | bigint;
export type ReadValue<W> = (write: W, now: number) => BoundValue;

export interface RenderedWrite<W> {
  /** The statement for one target status; a write without a status guard has a single one. */
  readonly sql: (status: string) => string;
  /** The values of the placeholders, in order. */
  readonly values: readonly ReadValue<W>[];
}

/** How the value of a source that needs no look into the database is found. */
export function readerOf<W>(
  source: Exclude<Source<W>, { readonly from: "once" | "unlessNull" | "row" | "increment" }>,
): (write: W, now: number) => ColumnValue {
  switch (source.from) {
    case "write":
      return source.value;
    case "fixed": {
      const { value } = source;
      return () => value;
    }
    case "clock": {
      const { after, at } = source;
      return (write, now) => {
        const moment = at?.(write) ?? null;
        if (moment !== null) return moment;
        const delay = after(write);
        return delay === null ? null : now + delay;
      };
    }
    case "checksum": {
      const { first, second } = source;
      return (write) => checksum(first(write), second(write));
    }
  }
}

/** Bits of a step's key that hold its ordinal; the run's id stands above them. */
const ORDINAL_BITS = 28;
/** Keys of runs below this are exact as a number, which is bound faster than a bigint. */
const RUNS_BY_NUMBER = 2 ** (53 - ORDINAL_BITS);

/** The same write in its common case; a column that an insert leaves null is not named at all. */
export function briefWrite<W>(write: HotWrite<W>, { set }: Brief<W>): HotWrite<W> {
  const isNamed = (source: Source<W>): boolean => write.action !== "insert" || source.from !== "fixed" || source.value !== null;
  return { ...write, set: Object.fromEntries(Object.entries({ ...write.set, ...set }).filter(([, source]) => isNamed(source))) };
}

/** The SQL of a hot write with placeholders, and the readers of their values. */
export function renderWrite<W>(write: HotWrite<W>): RenderedWrite<W> {
  const bindings = new Bindings<W>();
  const { table, action, key, set } = write;
  if (action === "insert") {
    const keys = bindings.keys(table, key);
    const names = [...keys.map(([column]) => column), ...Object.keys(set)];
    const values = [...keys.map(([, expression]) => expression), ...bindings.expressions(set)];
    const { other } = write.guard;
    const source = other === undefined ? `VALUES (${values.join(", ")})` : `SELECT ${values.join(", ")} WHERE ${bindings.exists(other)}`;
    const sql = `INSERT INTO ${table} (${names.join(", ")}) ${source}`;
    return { sql: () => sql, values: bindings.values };
  }
  const { status } = write.guard;
  // a statement for each target status: the status stands in its text
  const assignments = bindings.pairs(status === undefined ? set : withoutStatus(set), "=");
  const conditions = [...bindings.matches(table, key), ...guardConditions(write, bindings)];
  return {
    sql: (target) => {
      const all = status === undefined ? assignments : [`status = ${literal(target)}`, ...assignments];
      const head = action === "update" ? `UPDATE ${table} SET ${all.join(", ")}` : `DELETE FROM ${table}`;
      return `${head} WHERE ${[...conditions, ...(status === undefined ? [] : [oneOf(status.follows[target] ?? [])])].join(" AND ")}`;
    },
    values: bindings.values,
  };
}

function withoutStatus<W>(set: Columns<W>): Columns<W> {
  return Object.fromEntries(Object.entries(set).filter(([column]) => column !== "status"));
}

export function literal(value: ColumnValue): string {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

function guardConditions<W>({ guard, set }: HotWrite<W>, bindings: Bindings<W>): readonly string[] {
  const growing = Object.fromEntries(Object.entries(set).filter(([column]) => guard.grows?.includes(column)));
  return [...bindings.pairs(growing, "<"), ...(guard.empty ?? []).map((column) => `${column} IS NULL`)];
}

const oneOf = (statuses: readonly string[]): string => `status IN (${statuses.map(literal).join(", ")})`;

class Bindings<W> {
  readonly values: ReadValue<W>[] = [];
  readonly #places = new Map<Source<W>, string>();

  pairs(columns: Columns<W>, operator: "=" | "<"): readonly string[] {
    return Object.entries(columns).map(([column, source]) => `${column} ${operator} ${this.#expression(column, source)}`);
  }

  /**
   * Key columns with their expressions. A step's run and ordinal are one integer, its rowid: it is found in one tree where a key
   * of two columns takes two, which is 5 µs of a run with three steps.
   */
  keys(table: Table, key: Columns<W>): readonly (readonly [string, string])[] {
    const { run_id: run, ordinal, ...rest } = key;
    const isOne = table === "step" && run?.from === "write" && ordinal?.from === "write";
    const first = isOne ? [["key", this.#bind(stepKey(run, ordinal))] as const] : [];
    return [...first, ...Object.entries(isOne ? rest : key).map(([column, source]) => [column, this.#expression(column, source)] as const)];
  }

  matches(table: Table, key: Columns<W>): readonly string[] {
    return this.keys(table, key).map(([column, expression]) => `${column} = ${expression}`);
  }

  exists({ table, key, empty }: { readonly table: Table; readonly key: Columns<W>; readonly empty: readonly string[] }): string {
    const conditions = [...this.matches(table, key), ...empty.map((column) => `${column} IS NULL`)];
    return `EXISTS (SELECT 1 FROM ${table} WHERE ${conditions.join(" AND ")})`;
  }

  expressions(columns: Columns<W>): readonly string[] {
    return Object.entries(columns).map(([column, source]) => this.#expression(column, source));
  }

  #expression(column: string, source: Source<W>): string {
    if (source.from === "once") return `coalesce(${column}, ${this.#expression(column, source.source)})`;
    if (source.from === "unlessNull") return `coalesce(${this.#expression(column, source.source)}, ${column})`;
    if (source.from === "increment") return `${column} + 1`;
    if (source.from === "row")
      return `(SELECT ${source.column} FROM ${source.table} WHERE ${this.matches(source.table, source.key).join(" AND ")})`;
    if (source.from === "fixed") return literal(source.value);
    const place = this.#places.get(source);
    if (place !== undefined) return place;
    this.#places.set(source, `?${this.values.length + 1}`);
    return this.#bind(readerOf(source));
  }

  /** Without a number: each numbered one makes the driver search their names, 2 % of a run; it gets the same number in both forms. */
  #bind(read: ReadValue<W>): string {
    this.values.push(read);
    return "?";
  }
}

/** Both numbers of a step's key as the one that is its rowid, made here because two bound values cost more than one. */
export function stepKey<W>(run: WriteSource<W>, ordinal: WriteSource<W>): (write: W) => number | bigint {
  return (write) => {
    const runId = Number(run.value(write));
    const at = Number(ordinal.value(write));
    return runId < RUNS_BY_NUMBER ? runId * 2 ** ORDINAL_BITS + at : (BigInt(runId) << BigInt(ORDINAL_BITS)) | BigInt(at);
  };
}

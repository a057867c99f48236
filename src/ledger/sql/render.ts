import { checksum } from "./checksum.ts";
import type { Columns, ColumnValue, HotWrite, Source, Table } from "./description.ts";

export type ReadValue<W> = (write: W, now: number) => ColumnValue;

export interface RenderedWrite<W> {
  /** The statement for one target status; a write without a status guard has a single one. */
  readonly sql: (status: string) => string;
  /** The values of `?1`, `?2`, … in order. */
  readonly values: readonly ReadValue<W>[];
}

/** How the value of a source that needs no look into the database is found. */
export function readerOf<W>(source: Exclude<Source<W>, { readonly from: "once" | "row" | "increment" }>): ReadValue<W> {
  switch (source.from) {
    case "write":
      return source.value;
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

/** The same write without the columns that its common case leaves null. */
export function briefWrite<W>(write: HotWrite<W>, without: readonly string[]): HotWrite<W> {
  return { ...write, set: Object.fromEntries(Object.entries(write.set).filter(([column]) => !without.includes(column))) };
}

/** The SQL of a hot write with numbered placeholders, and the readers of their values. */
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
  const assignments = bindings.pairs(set, "=").join(", ");
  const head = action === "update" ? `UPDATE ${table} SET ${assignments}` : `DELETE FROM ${table}`;
  const conditions = [...bindings.matches(table, key), ...guardConditions(write, bindings)];
  const { status } = write.guard;
  return {
    sql: (target) =>
      `${head} WHERE ${[...conditions, ...(status === undefined ? [] : [oneOf(status.follows[target] ?? [])])].join(" AND ")}`,
    values: bindings.values,
  };
}

function guardConditions<W>({ guard, set }: HotWrite<W>, bindings: Bindings<W>): readonly string[] {
  const growing = Object.fromEntries(Object.entries(set).filter(([column]) => guard.grows?.includes(column)));
  return [
    ...bindings.pairs(growing, "<"),
    ...bindings.pairs(guard.upTo ?? {}, "<="),
    ...(guard.empty ?? []).map((column) => `${column} IS NULL`),
  ];
}

const oneOf = (statuses: readonly string[]): string => `status IN (${statuses.map((status) => `'${status}'`).join(", ")})`;

class Bindings<W> {
  readonly values: ReadValue<W>[] = [];
  readonly #places = new Map<Source<W>, string>();

  pairs(columns: Columns<W>, operator: "=" | "<" | "<="): readonly string[] {
    return Object.entries(columns).map(([column, source]) => `${column} ${operator} ${this.#expression(column, source)}`);
  }

  /**
   * Key columns with their expressions. A step's run and ordinal are one integer, its rowid: it is found in one tree where a key
   * of two columns takes two, which is 5 µs of a run with three steps.
   */
  keys(table: Table, key: Columns<W>): readonly (readonly [string, string])[] {
    const pairs = Object.entries(key).map(([column, source]) => [column, this.#expression(column, source)] as const);
    const [run, ordinal, ...rest] = pairs;
    if (table !== "step" || run === undefined || ordinal === undefined) return pairs;
    return [["key", `(${run[1]} << ${ORDINAL_BITS} | ${ordinal[1]})`], ...rest];
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
    if (source.from === "increment") return `${column} + 1`;
    if (source.from === "row")
      return `(SELECT ${source.column} FROM ${source.table} WHERE ${this.matches(source.table, source.key).join(" AND ")})`;
    let place = this.#places.get(source);
    if (place === undefined) {
      this.values.push(readerOf(source));
      place = `?${this.values.length}`;
      this.#places.set(source, place);
    }
    return place;
  }
}

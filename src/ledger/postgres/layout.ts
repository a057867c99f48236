import type { ColumnValue, HotWrite, Source, Table } from "../sql/description.ts";
import { NOW } from "../sql/description.ts";
import { literal, readerOf, stepKey } from "../sql/render.ts";

/**
 * How one kind of write travels: its numbers stand one after the other in the batch's array of numbers, its texts in that of texts,
 * and the statement of the kind picks them out by position.
 */
export interface Layout<W> {
  readonly numbers: readonly ((write: W) => number | bigint | null)[];
  readonly texts: readonly ((write: W) => string | null)[];
  /** The statement over the rows of one kind, inside the function that applies a batch. */
  readonly sql: string;
  /** What must hold of the number of rows that it changes. */
  readonly noRow: HotWrite<W>["noRow"];
  /** It puts a row into an inbox. */
  readonly isPost: boolean;
}

/** The statement and the slots of a write. */
export function layoutOf<W>(write: HotWrite<W>): Layout<W> {
  const slots = new Slots<W>();
  const { action, table, noRow } = write;
  const sql = action === "insert" ? insert(write, slots) : change(write, slots);
  return { numbers: slots.numbers, texts: slots.texts, sql: `${sql};`, noRow, isPost: action === "insert" && table === "inbox" };
}

/**
 * One row for each write of the kind; `n` and `t` say where its numbers and texts begin. The condition is always true: it lets the planner expect five rows
 * instead of a thousand. With a thousand it found it cheaper to walk through all of `x`, of which a status leaves next to nothing by its reckoning, and
 * to park 10,000 runs took the server 767 µs each instead of 48.
 */
function rowsOf<W>({ numbers, texts }: Slots<W>): string {
  return `(SELECT v_n + i * ${numbers.length} AS n, v_t + i * ${texts.length} AS t FROM generate_series(0, v_count - 1) AS i WHERE i + 0 = i) AS w`;
}

function insert<W>({ table, key, set, guard }: HotWrite<W>, slots: Slots<W>): string {
  const columns = [...slots.key(table, key), ...slots.columns(set)];
  const { other } = guard;
  const isThere = other === undefined ? "" : ` WHERE ${slots.exists(other)}`;
  const values = columns.map(([, expression]) => expression).join(", ");
  return `INSERT INTO ${table} (${columns.map(([column]) => column).join(", ")}) SELECT ${values} FROM ${rowsOf(slots)}${isThere}`;
}

function change<W>(write: HotWrite<W>, slots: Slots<W>): string {
  const { table, action, key, set, guard } = write;
  const assignments = slots.columns(set).map(([column, expression]) => `${column} = ${expression}`);
  const growing = slots.columns(Object.fromEntries(Object.entries(set).filter(([column]) => guard.grows?.includes(column))));
  const conditions = [
    ...slots.key(table, key).map(([column, expression]) => `x.${column} = ${expression}`),
    ...growing.map(([column, expression]) => `x.${column} < ${expression}`),
    ...(guard.empty ?? []).map((column) => `x.${column} IS NULL`),
    ...statusCondition(write, slots),
  ].join(" AND ");
  if (action === "update") return `UPDATE ${table} AS x SET ${assignments.join(", ")} FROM ${rowsOf(slots)} WHERE ${conditions}`;
  return `DELETE FROM ${table} AS x USING ${rowsOf(slots)} WHERE ${conditions}`;
}

/** The present status must be one that the new one may follow; targets that may follow the same ones share a condition. */
function statusCondition<W>({ guard, set }: HotWrite<W>, slots: Slots<W>): readonly string[] {
  const source = set["status"];
  if (guard.status === undefined || source === undefined) return [];
  const target = slots.expression("status", source);
  const groups = Map.groupBy(Object.entries(guard.status.follows), ([, before]) => listed(before));
  const parts = [...groups].map(([before, targets]) => {
    const follows = `x.status IN (${before})`;
    return groups.size === 1 ? follows : `(${target} IN (${listed(targets.map(([name]) => name))}) AND ${follows})`;
  });
  return [`(${parts.join(" OR ")})`];
}

const listed = (words: readonly string[]): string => words.map(literal).join(", ");

class Slots<W> {
  readonly numbers: ((write: W) => number | bigint | null)[] = [];
  readonly texts: ((write: W) => string | null)[] = [];
  readonly #places = new Map<Source<W>, string>();

  columns(columns: Readonly<Record<string, Source<W>>>): readonly (readonly [string, string])[] {
    return Object.entries(columns).map(([column, source]) => [column, this.expression(column, source)]);
  }

  /** A step's run and ordinal are one number, as in `sql/render.ts`. */
  key(table: Table, key: Readonly<Record<string, Source<W>>>): readonly (readonly [string, string])[] {
    const { run_id: run, ordinal, ...rest } = key;
    if (table !== "step" || run?.from !== "write" || ordinal?.from !== "write") return this.columns(key);
    return [["key", this.#number(stepKey(run, ordinal))], ...this.columns(rest)];
  }

  exists({
    table,
    key,
    empty,
  }: {
    readonly table: Table;
    readonly key: Readonly<Record<string, Source<W>>>;
    readonly empty: readonly string[];
  }): string {
    const conditions = [
      ...this.key(table, key).map(([column, expression]) => `o.${column} = ${expression}`),
      ...empty.map((column) => `o.${column} IS NULL`),
    ];
    return `EXISTS (SELECT 1 FROM ${table} AS o WHERE ${conditions.join(" AND ")})`;
  }

  expression(column: string, source: Source<W>): string {
    const known = this.#places.get(source);
    if (known !== undefined) return known;
    const expression = this.#make(column, source);
    if (source.from === "write" || source.from === "clock" || source.from === "checksum") this.#places.set(source, expression);
    return expression;
  }

  #make(column: string, source: Source<W>): string {
    switch (source.from) {
      case "once":
        return `coalesce(x.${column}, ${this.expression(column, source.source)})`;
      case "unlessNull":
        return `coalesce(${this.expression(column, source.source)}, x.${column})`;
      case "increment":
        return `x.${column} + 1`;
      case "fixed":
        return literal(source.value);
      case "row":
        return this.#ofRow(source);
      case "clock":
        return this.#clock(source);
      case "checksum":
        return this.#number(withoutTime(source));
      case "write":
        return source.type === "integer" ? this.#number(withoutTime(source)) : this.#text(source.value);
    }
  }

  #ofRow({ table, key, column }: Extract<Source<W>, { readonly from: "row" }>): string {
    const conditions = this.key(table, key).map(([name, expression]) => `o.${name} = ${expression}`);
    return `(SELECT o.${column} FROM ${table} AS o WHERE ${conditions.join(" AND ")})`;
  }

  /** The server's time is not known when the batch is sent. */
  #clock(source: Extract<Source<W>, { readonly from: "clock" }>): string {
    if (source === NOW) return "p_now";
    const delayed = `p_now + ${this.#number(source.after)}`;
    return source.at === undefined ? delayed : `coalesce(${this.#number(source.at)}, ${delayed})`;
  }

  #number(read: (write: W) => number | bigint | null): string {
    this.numbers.push(read);
    return `p_numbers[w.n + ${this.numbers.length}]`;
  }

  #text(read: (write: W) => ColumnValue): string {
    this.texts.push((write) => {
      const found = read(write);
      return found === null ? null : String(found);
    });
    return `p_texts[w.t + ${this.texts.length}]`;
  }
}

function withoutTime<W>(source: Extract<Source<W>, { readonly from: "write" | "checksum" }>): (write: W) => number | null {
  const read = readerOf(source);
  return (write) => {
    const found = read(write, 0);
    return found === null ? null : Number(found);
  };
}

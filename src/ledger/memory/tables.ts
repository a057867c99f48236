import { StepwellError } from "../../model/errors.ts";
import type { ColumnValue, Table } from "../sql/hot-writes.ts";

export type MemoryRow = Readonly<Record<string, ColumnValue>>;

interface Shape {
  /** The first column groups the rows of a run. */
  readonly primary: readonly string[];
  /** Further unique keys; a row with a null in one of the columns is left out. */
  readonly unique: readonly (readonly string[])[];
  /** What an insert may leave open. */
  readonly defaults: MemoryRow;
}

/** What the tables of the SQL backends promise, as far as the memory ledger needs it. */
const SHAPES: Readonly<Record<Table, Shape>> = {
  version: { primary: ["id"], unique: [["tenant", "workflow", "hash"]], defaults: {} },
  run: {
    primary: ["id"],
    unique: [["public_id"], ["tenant", "idempotency_scope", "idempotency_key"]],
    defaults: {
      reason: null,
      parent_run_id: null,
      parent_step: null,
      forked_from: null,
      forked_at_step: null,
      inbox_seq: 0,
      crashes: 0,
      finished_at: null,
      output: null,
      error: null,
      result_crc: null,
    },
  },
  step: { primary: ["run_id", "ordinal"], unique: [], defaults: {} },
  attempt: { primary: ["run_id", "ordinal", "attempt"], unique: [], defaults: {} },
  event: { primary: ["run_id", "id"], unique: [], defaults: {} },
  wait: { primary: ["run_id", "ordinal"], unique: [], defaults: {} },
  inbox: { primary: ["run_id", "seq"], unique: [], defaults: { consumed_at: null } },
};

/** Tables as maps with primary and unique keys, and a journal that undoes what a failed transaction began. */
export class MemoryTables {
  readonly #groups = new Map<Table, Map<ColumnValue, Map<string, MemoryRow>>>();
  readonly #unique = new Map<string, MemoryRow>();
  #undo: (() => void)[] = [];
  #serial = 0;

  /** Undoes everything that `work` did when it throws. */
  transaction<T>(work: () => T): T {
    this.#undo = [];
    try {
      return work();
    } catch (error) {
      for (const undo of this.#undo.toReversed()) undo();
      throw error;
    }
  }

  /** The rows whose columns have the values of `match`; the first column of the primary key must be among them. */
  find(table: Table, match: MemoryRow): readonly MemoryRow[] {
    const { primary } = SHAPES[table];
    const group = this.#groups.get(table)?.get(match[primary[0] ?? ""] ?? null);
    if (group === undefined) return [];
    const exact = group.get(nameOf(table, match));
    if (exact !== undefined && Object.keys(match).length === primary.length) return [exact];
    const columns = Object.entries(match);
    return [...group.values()].filter((row) => columns.every(([column, value]) => row[column] === value));
  }

  *all(table: Table): Generator<MemoryRow> {
    for (const group of this.#groups.get(table)?.values() ?? []) yield* group.values();
  }

  findUnique(table: Table, match: MemoryRow): MemoryRow | undefined {
    return this.#unique.get(uniqueName(table, Object.keys(match), match));
  }

  /** @throws StepwellError `LEDGER_CONFLICT` when a key is taken */
  insert(table: Table, columns: MemoryRow): void {
    const row = { ...SHAPES[table].defaults, ...(table === "event" ? { id: this.#serial++ } : {}), ...columns };
    const taken = [...this.find(table, primaryOf(table, row)), ...uniqueNames(table, row).filter((name) => this.#unique.has(name))];
    if (taken.length > 0) throw new StepwellError("LEDGER_CONFLICT", `${table} ${nameOf(table, row)}: a key is taken`);
    this.#put(table, row, undefined);
  }

  update(table: Table, row: MemoryRow, columns: MemoryRow): void {
    this.#put(table, { ...row, ...columns }, row);
  }

  remove(table: Table, row: MemoryRow): void {
    const group = this.#groupOf(table, row);
    const name = nameOf(table, row);
    group.delete(name);
    this.#undo.push(() => group.set(name, row));
  }

  #put(table: Table, row: MemoryRow, before: MemoryRow | undefined): void {
    const group = this.#groupOf(table, row);
    const name = nameOf(table, row);
    const uniques = uniqueNames(table, row);
    const place = (value: MemoryRow): void => {
      group.set(name, value);
      for (const unique of uniques) this.#unique.set(unique, value);
    };
    place(row);
    this.#undo.push(() => {
      if (before !== undefined) return place(before);
      group.delete(name);
      for (const unique of uniques) this.#unique.delete(unique);
    });
  }

  #groupOf(table: Table, row: MemoryRow): Map<string, MemoryRow> {
    const groups = getOrAdd(this.#groups, table, () => new Map<ColumnValue, Map<string, MemoryRow>>());
    return getOrAdd(groups, row[SHAPES[table].primary[0] ?? ""] ?? null, () => new Map<string, MemoryRow>());
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function primaryOf(table: Table, row: MemoryRow): MemoryRow {
  return Object.fromEntries(SHAPES[table].primary.map((column) => [column, row[column] ?? null]));
}

function nameOf(table: Table, row: MemoryRow): string {
  return SHAPES[table].primary.map((column) => row[column]).join("/");
}

function uniqueNames(table: Table, row: MemoryRow): readonly string[] {
  return SHAPES[table].unique
    .filter((columns) => columns.every((column) => row[column] !== null))
    .map((columns) => uniqueName(table, columns, row));
}

function uniqueName(table: Table, columns: readonly string[], row: MemoryRow): string {
  return `${table} ${columns.map((column) => `${column}=${JSON.stringify(row[column])}`).join(" ")}`;
}

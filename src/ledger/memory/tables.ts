import { StepwellError } from "../../model/errors.ts";
import type { ColumnValue, Table } from "../sql/description.ts";

export type MemoryRow = Readonly<Record<string, ColumnValue>>;

interface Shape {
  /** The first column groups the rows of a run. */
  readonly primary: readonly string[];
  /** Further unique keys; a row with a null in one of the columns, or of another kind than `only`, is left out. */
  readonly unique: readonly { readonly columns: readonly string[]; readonly only?: string }[];
  /** Its column `id` counts up when an insert leaves it open. */
  readonly isNumbered?: true;
  /** What an insert may leave open. */
  readonly defaults: MemoryRow;
}

/** What the tables of the SQL backends promise, as far as the memory ledger needs it. */
const SHAPES: Readonly<Record<Table, Shape>> = {
  version: { primary: ["id"], unique: [{ columns: ["tenant", "workflow", "hash"] }], defaults: {} },
  run: {
    primary: ["id"],
    unique: [{ columns: ["public_id"] }, { columns: ["tenant", "idempotency_scope", "idempotency_key"] }],
    defaults: {
      reason: null,
      parent_run_id: null,
      parent_step: null,
      parent_ordinal: null,
      depth: 0,
      root_run_id: null,
      forked_from: null,
      forked_at_step: null,
      inbox_seq: 0,
      crashes: 0,
      paused_by: null,
      finished_at: null,
      output: null,
      error: null,
      result_crc: null,
    },
  },
  step: { primary: ["run_id", "ordinal"], unique: [{ columns: ["run_id", "path"], only: "checkpoint" }], defaults: {} },
  attempt: { primary: ["run_id", "ordinal", "attempt"], unique: [], defaults: {} },
  event: { primary: ["run_id", "id"], unique: [], isNumbered: true, defaults: {} },
  wait: { primary: ["run_id", "ordinal"], unique: [], defaults: {} },
  inbox: {
    primary: ["run_id", "seq"],
    unique: [{ columns: ["run_id", "signal_id"] }],
    isNumbered: true,
    defaults: { consumed_at: null },
  },
  subscription: { primary: ["run_id", "ordinal", "member"], unique: [], isNumbered: true, defaults: {} },
  event_kept: { primary: ["id"], unique: [{ columns: ["tenant", "event", "event_id"] }], isNumbered: true, defaults: {} },
  task: {
    primary: ["run_id", "id"],
    unique: [{ columns: ["public_id"] }],
    isNumbered: true,
    defaults: {
      status: "READY",
      attempt: 0,
      failures: 0,
      lease_token: null,
      worker: null,
      lease_until: null,
      closed_at: null,
      decided_by: null,
      revision: 1,
      result_crc: null,
      decision: null,
      error: null,
    },
  },
  event_key: { primary: ["kept_id", "field"], unique: [], defaults: {} },
  removed_run: { primary: ["run_id"], unique: [], defaults: {} },
  admission_note: { primary: ["run_id", "id"], unique: [], isNumbered: true, defaults: {} },
  limiter: { primary: ["id"], unique: [{ columns: ["tenant", "name"] }], defaults: {} },
  slot: { primary: ["limiter_id", "run_id"], unique: [], defaults: {} },
  queue_partition: { primary: ["id"], unique: [{ columns: ["name"] }], defaults: {} },
  queue_entry: { primary: ["partition_id", "rank", "run_id"], unique: [], defaults: {} },
  turn: { primary: ["worker_group", "tenant"], unique: [], defaults: {} },
  gathering: { primary: ["tenant", "name"], unique: [], defaults: {} },
  route: { primary: ["tenant", "workflow", "topic"], unique: [], defaults: {} },
  tenant_share: { primary: ["tenant"], unique: [], defaults: {} },
};

/** Tables as maps with primary and unique keys, and a journal that undoes what a failed transaction began. */
export class MemoryTables {
  readonly #groups = new Map<Table, Map<ColumnValue, Map<string, MemoryRow>>>();
  readonly #unique = new Map<string, MemoryRow>();
  #undo: (() => void)[] = [];
  readonly #added = new Map<Table, MemoryRow[]>();
  readonly #lastIds = new Map<Table, number>();

  /** Undoes everything that `work` did when it throws. */
  transaction<T>(work: () => T): T {
    this.#undo = [];
    this.#added.clear();
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
    const columns = Object.entries(match);
    if (columns.length === primary.length && primary.every((column) => match[column] !== undefined)) {
      const exact = group.get(nameOf(table, match));
      return exact === undefined ? [] : [exact];
    }
    return [...group.values()].filter((row) => columns.every(([column, value]) => row[column] === value));
  }

  /** The rows that the present transaction, or the last one, has inserted. */
  added(table: Table): readonly MemoryRow[] {
    return this.#added.get(table) ?? [];
  }

  *all(table: Table): Generator<MemoryRow> {
    for (const group of this.#groups.get(table)?.values() ?? []) yield* group.values();
  }

  findUnique(table: Table, match: MemoryRow): MemoryRow | undefined {
    return this.#unique.get(uniqueName(table, Object.keys(match), match));
  }

  /** @throws StepwellError `LEDGER_CONFLICT` when a key is taken */
  insert(table: Table, columns: MemoryRow): void {
    const { defaults, isNumbered } = SHAPES[table];
    const lastId = this.#lastIds.get(table) ?? 0;
    const row = { ...defaults, ...(isNumbered === true ? { id: lastId + 1 } : {}), ...columns };
    const taken = [...this.find(table, primaryOf(table, row)), ...uniqueNames(table, row).filter((name) => this.#unique.has(name))];
    if (taken.length > 0) throw new StepwellError("LEDGER_CONFLICT", `${table} ${nameOf(table, row)}: a key is taken`);
    if (isNumbered === true) {
      this.#lastIds.set(table, lastId + 1);
      this.#undo.push(() => this.#lastIds.set(table, lastId));
    }
    getOrAdd(this.#added, table, () => []).push(row);
    this.#put(table, row, undefined);
  }

  update(table: Table, row: MemoryRow, columns: MemoryRow): void {
    this.#put(table, { ...row, ...columns }, row);
  }

  remove(table: Table, row: MemoryRow): void {
    const group = this.#groupOf(table, row);
    const name = nameOf(table, row);
    const uniques = uniqueNames(table, row);
    group.delete(name);
    // or every run that was ever stored would leave some
    if (group.size === 0) this.#groups.get(table)?.delete(row[SHAPES[table].primary[0] ?? ""] ?? null);
    for (const unique of uniques) this.#unique.delete(unique);
    this.#undo.push(() => {
      this.#groupOf(table, row).set(name, row);
      for (const unique of uniques) this.#unique.set(unique, row);
    });
  }

  #put(table: Table, row: MemoryRow, before: MemoryRow | undefined): void {
    const name = nameOf(table, row);
    const uniques = uniqueNames(table, row);
    const place = (value: MemoryRow): void => {
      this.#groupOf(table, row).set(name, value);
      for (const unique of uniques) this.#unique.set(unique, value);
    };
    place(row);
    this.#undo.push(() => {
      if (before !== undefined) return place(before);
      this.#groupOf(table, row).delete(name);
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
  const [first = "", ...others] = SHAPES[table].primary;
  let name = `${row[first] ?? ""}`;
  for (const column of others) name += `/${row[column] ?? ""}`;
  return name;
}

const NO_NAMES: readonly string[] = [];

function uniqueNames(table: Table, row: MemoryRow): readonly string[] {
  const { unique } = SHAPES[table];
  if (unique.length === 0) return NO_NAMES;
  return unique
    .filter(({ columns, only = row["kind"] }) => columns.every((column) => row[column] !== null) && row["kind"] === only)
    .map(({ columns }) => uniqueName(table, columns, row));
}

function uniqueName(table: Table, columns: readonly string[], row: MemoryRow): string {
  return `${table} ${columns.map((column) => `${column}=${JSON.stringify(row[column])}`).join(" ")}`;
}

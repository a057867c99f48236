import { guardBroken } from "../refusals.ts";
import type { Columns, ColumnValue, HotWrite, Source } from "../sql/description.ts";
import { type AnyWrite, type Executors, executorsBy } from "../sql/executors.ts";
import { readerOf } from "../sql/render.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";

/** The hot writes interpreted on maps: the same descriptions from which SQL is rendered. */
export function memoryExecutors(tables: MemoryTables): Executors {
  return executorsBy((description) => (write, now) => apply(tables, description, write, now));
}

function apply<W extends AnyWrite>(tables: MemoryTables, description: HotWrite<W>, write: W, now: number): void {
  const { table, action, key, set, noRow } = description;
  const values = (columns: Columns<W>, row: MemoryRow): MemoryRow =>
    Object.fromEntries(
      Object.entries(columns).map(([column, source]) => [column, valueOf(tables, source, row[column] ?? null, write, now)]),
    );
  if (action === "insert") {
    const { other } = description.guard;
    const [found] = other === undefined ? [] : tables.find(other.table, values(other.key, {}));
    const isMissing = other !== undefined && (found === undefined || other.empty.some((column) => found[column] !== null));
    if (isMissing && noRow === "allow") return;
    if (isMissing) throw guardBroken(write);
    tables.insert(table, { ...values(key, {}), ...values(set, {}) });
    return;
  }
  const rows = tables.find(table, values(key, {})).filter((row) => holds(description, write, row, values(set, row)));
  if (rows.length === 0 && noRow === "refuse") {
    throw guardBroken(write);
  }
  for (const row of rows) {
    if (action === "update") tables.update(table, row, values(set, row));
    else tables.remove(table, row);
  }
}

function valueOf<W>(tables: MemoryTables, source: Source<W>, present: ColumnValue, write: W, now: number): ColumnValue {
  if (source.from === "once") return present ?? valueOf(tables, source.source, present, write, now);
  if (source.from === "increment") return Number(present) + 1;
  if (source.from !== "row") return readerOf(source)(write, now);
  const key: Record<string, ColumnValue> = {};
  for (const [column, part] of Object.entries(source.key)) key[column] = valueOf(tables, part, null, write, now);
  return (tables.findUnique(source.table, key) ?? tables.find(source.table, key)[0])?.[source.column] ?? null;
}

function holds<W>({ guard }: HotWrite<W>, write: W, row: MemoryRow, next: MemoryRow): boolean {
  const isGrowing = (column: string): boolean => {
    const [present, value] = [row[column], next[column]];
    return typeof present === "number" && typeof value === "number" && present < value;
  };
  const { status, grows = [], empty = [] } = guard;
  return (
    (status === undefined || (status.follows[status.of(write)] ?? []).includes(String(row["status"]))) &&
    grows.every(isGrowing) &&
    empty.every((column) => row[column] === null)
  );
}

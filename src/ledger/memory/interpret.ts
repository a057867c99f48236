import { guardBroken } from "../refusals.ts";
import type { ColumnValue, HotWrite, Source } from "../sql/description.ts";
import { type AnyWrite, type Executors, executorsBy } from "../sql/executors.ts";
import { readerOf } from "../sql/render.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";

/** The hot writes interpreted on maps: the same descriptions from which SQL is rendered. */
export function memoryExecutors(tables: MemoryTables): Executors {
  return executorsBy((description) => {
    const listed = { description, key: Object.entries(description.key), set: Object.entries(description.set) };
    return (write, now) => apply(tables, listed, write, now);
  });
}

/** A description with its columns listed once. */
interface Listed<W> {
  readonly description: HotWrite<W>;
  readonly key: readonly Column<W>[];
  readonly set: readonly Column<W>[];
}

type Column<W> = readonly [name: string, source: Source<W>];

const NO_ROW: MemoryRow = {};

function apply<W extends AnyWrite>(tables: MemoryTables, { description, key, set }: Listed<W>, write: W, now: number): void {
  const { table, action, noRow } = description;
  if (action === "insert") {
    const { other } = description.guard;
    const [found] = other === undefined ? [] : tables.find(other.table, rowOf(tables, Object.entries(other.key), NO_ROW, write, now));
    const isMissing = other !== undefined && (found === undefined || other.empty.some((column) => found[column] !== null));
    if (isMissing && noRow === "allow") return;
    if (isMissing) throw guardBroken(write);
    tables.insert(table, { ...rowOf(tables, key, NO_ROW, write, now), ...rowOf(tables, set, NO_ROW, write, now) });
    return;
  }
  let changed = 0;
  for (const row of tables.find(table, rowOf(tables, key, NO_ROW, write, now))) {
    const next = rowOf(tables, set, row, write, now);
    if (!holds(description, write, row, next)) continue;
    changed += 1;
    if (action === "update") tables.update(table, row, next);
    else tables.remove(table, row);
  }
  if (changed === 0 && noRow === "refuse") throw guardBroken(write);
}

function rowOf<W>(tables: MemoryTables, columns: readonly Column<W>[], present: MemoryRow, write: W, now: number): MemoryRow {
  const row: Record<string, ColumnValue> = {};
  for (const [column, source] of columns) row[column] = valueOf(tables, source, present[column] ?? null, write, now);
  return row;
}

function valueOf<W>(tables: MemoryTables, source: Source<W>, present: ColumnValue, write: W, now: number): ColumnValue {
  switch (source.from) {
    case "write":
      return source.value(write);
    case "fixed":
      return source.value;
    case "once":
      return present ?? valueOf(tables, source.source, present, write, now);
    case "unlessNull":
      return valueOf(tables, source.source, present, write, now) ?? present;
    case "increment":
      return Number(present) + 1;
    case "row": {
      const key = rowOf(tables, Object.entries(source.key), NO_ROW, write, now);
      return (tables.findUnique(source.table, key) ?? tables.find(source.table, key)[0])?.[source.column] ?? null;
    }
    default:
      return readerOf(source)(write, now);
  }
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

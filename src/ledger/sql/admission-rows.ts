import type { AdmissionNote, AdmissionRows, AdmissionTable, PartitionLimit, TurnRow, WeightedTurn } from "../admission/rows.ts";
import type { Route, TenantShare } from "../placement.ts";
import type { NoteKind } from "../rows.ts";
import { Fields, nameOf, type RawRow } from "./fields.ts";
import type { Words } from "./words.ts";

type SqlValue = string | number | null;

interface Column<R> {
  readonly name: string;
  readonly type: "integer" | "text";
  readonly write: (row: R) => SqlValue;
}

/** How rows of a table are written; its key stands first. */
interface RowShape<R> {
  readonly keys: number;
  readonly columns: readonly Column<R>[];
  readonly decode: (fields: Fields) => R;
}

const integer = <R>(name: string, write: (row: R) => number | null): Column<R> => ({ name, type: "integer", write });
const text = <R>(name: string, write: (row: R) => string | null): Column<R> => ({ name, type: "text", write });

const LIMITER: RowShape<AdmissionRows["limiter"]> = {
  keys: 1,
  columns: [
    integer("id", (row) => row.id),
    text("tenant", (row) => row.tenant),
    text("name", (row) => row.name),
    integer("version_id", (row) => row.versionId),
    integer("limited_to", (row) => row.limitedTo),
    integer("period_ms", (row) => row.periodMs),
    integer("held", (row) => row.held),
    integer("used_until_us", (row) => row.usedUntilUs),
    integer("open_at", (row) => row.openAt),
    integer("partitions", (row) => row.partitions),
    integer("aside", (row) => row.aside),
  ],
  decode: (fields) => ({
    id: fields.integer("id"),
    tenant: fields.text("tenant"),
    name: fields.text("name"),
    versionId: fields.integer("version_id"),
    limitedTo: fields.integer("limited_to"),
    periodMs: fields.integerOrNull("period_ms"),
    held: fields.integer("held"),
    usedUntilUs: fields.integer("used_until_us"),
    openAt: fields.integer("open_at"),
    partitions: fields.integer("partitions"),
    aside: fields.integer("aside"),
  }),
};

const SLOT: RowShape<AdmissionRows["slot"]> = {
  keys: 2,
  columns: [
    integer("limiter_id", (row) => row.limiterId),
    integer("run_id", (row) => row.runId),
    integer("is_until_end", (row) => row.isUntilEnd),
  ],
  decode: (fields) => ({
    limiterId: fields.integer("limiter_id"),
    runId: fields.integer("run_id"),
    isUntilEnd: fields.integer("is_until_end"),
  }),
};

const PARTITION: RowShape<AdmissionRows["queue_partition"]> = {
  keys: 1,
  columns: [
    integer("id", (row) => row.id),
    text("name", (row) => row.name),
    text("worker_group", (row) => row.workerGroup),
    text("tenant", (row) => row.tenant),
    text("limits", (row) => JSON.stringify(row.limits)),
    integer("head", (row) => row.head),
    integer("aside_for", (row) => row.asideFor),
  ],
  decode: (fields) => ({
    id: fields.integer("id"),
    name: fields.text("name"),
    workerGroup: fields.text("worker_group"),
    tenant: fields.text("tenant"),
    // nobody but `valuesOf` writes it
    limits: JSON.parse(fields.text("limits")) as readonly PartitionLimit[],
    head: fields.integer("head"),
    asideFor: fields.integerOrNull("aside_for"),
  }),
};

const ENTRY: RowShape<AdmissionRows["queue_entry"]> = {
  keys: 3,
  columns: [integer("partition_id", (row) => row.partitionId), integer("rank", (row) => row.rank), integer("run_id", (row) => row.runId)],
  decode: (fields) => ({ partitionId: fields.integer("partition_id"), rank: fields.integer("rank"), runId: fields.integer("run_id") }),
};

const TURN: RowShape<AdmissionRows["turn"]> = {
  keys: 2,
  columns: [
    text("worker_group", (row) => row.workerGroup),
    text("tenant", (row) => row.tenant),
    integer("ready", (row) => row.ready),
    integer("pass", (row) => row.pass),
  ],
  decode: (fields) => ({
    workerGroup: fields.text("worker_group"),
    tenant: fields.text("tenant"),
    ready: fields.integer("ready"),
    pass: fields.integer("pass"),
  }),
};

const GATHERING: RowShape<AdmissionRows["gathering"]> = {
  keys: 2,
  columns: [
    text("tenant", (row) => row.tenant),
    text("name", (row) => row.name),
    integer("run_id", (row) => row.runId),
    integer("first_at", (row) => row.firstAt),
    integer("items", (row) => row.items),
  ],
  decode: (fields) => ({
    tenant: fields.text("tenant"),
    name: fields.text("name"),
    runId: fields.integer("run_id"),
    firstAt: fields.integer("first_at"),
    items: fields.integer("items"),
  }),
};

const SHAPES: { readonly [T in AdmissionTable]: RowShape<AdmissionRows[T]> } = {
  limiter: LIMITER,
  slot: SLOT,
  queue_partition: PARTITION,
  queue_entry: ENTRY,
  turn: TURN,
  gathering: GATHERING,
};

/** Its columns in order, of a row as it is stored. */
export function valuesOf<T extends AdmissionTable>(table: T, row: AdmissionRows[T]): readonly SqlValue[] {
  return SHAPES[table].columns.map(({ write }) => write(row));
}

/** By column, as a row is stored; the key alone when `isKey`. */
export function columnsOf<T extends AdmissionTable>(table: T, row: AdmissionRows[T], isKey = false): Record<string, SqlValue> {
  const { columns, keys } = SHAPES[table];
  return Object.fromEntries((isKey ? columns.slice(0, keys) : columns).map(({ name, write }) => [name, write(row)]));
}

export function decodeRow<T extends AdmissionTable>(table: T, row: RawRow): AdmissionRows[T] {
  return SHAPES[table].decode(new Fields(row, `A row of ${table}`, {}));
}

/** ?1 rows as JSON arrays of their columns. */
const given = ({ type }: Pick<Column<never>, "type">, index: number): string =>
  type === "integer" ? `CAST(given.value ->> ${index} AS INTEGER)` : `given.value ->> ${index}`;

function put<R>(table: string, { columns, keys }: RowShape<R>): string {
  const names = columns.map(({ name }) => name);
  const others = names.slice(keys).map((name) => `${name} = excluded.${name}`);
  const conflict = others.length === 0 ? "NOTHING" : `UPDATE SET ${others.join(", ")}`;
  return `INSERT INTO ${table} (${names.join(", ")}) SELECT ${columns.map(given).join(", ")} FROM json_each(?1) given WHERE 1 = 1
    ON CONFLICT (${names.slice(0, keys).join(", ")}) DO ${conflict}`;
}

function drop<R>(table: string, { columns, keys }: RowShape<R>): string {
  const key = columns.slice(0, keys);
  const names = key.map(({ name }) => name).join(", ");
  return `DELETE FROM ${table} WHERE (${names}) IN (SELECT ${key.map(given).join(", ")} FROM json_each(?1) given)`;
}

const statements = (make: <R>(table: string, shape: RowShape<R>) => string): Readonly<Record<AdmissionTable, string>> => ({
  limiter: make("limiter", LIMITER),
  slot: make("slot", SLOT),
  queue_partition: make("queue_partition", PARTITION),
  queue_entry: make("queue_entry", ENTRY),
  turn: make("turn", TURN),
  gathering: make("gathering", GATHERING),
});

/** Statements that insert or replace rows, and that delete them by their keys. */
export const PUT = statements(put);
export const DROP = statements(drop);

const NOTES: Words<NoteKind> = { asks: true, parked: true, ended: true };

/** A row of `admission_note` with what its run says; `found` is null when that has gone. */
export function decodeNote(row: RawRow): AdmissionNote {
  const fields = new Fields(row, `Note ${nameOf(row["id"])} of admission`, {});
  const run = {
    id: fields.integer("id"),
    runId: fields.integer("run_id"),
    note: fields.oneOf(NOTES, "note"),
  };
  if (fields.integerOrNull("found") === null) return { ...run, run: null };
  return {
    ...run,
    run: {
      tenant: fields.text("tenant"),
      workerGroup: fields.text("worker_group"),
      versionId: fields.integer("version_id"),
      admission: fields.textOrNull("admission"),
      createdAt: fields.integer("created_at"),
      hasStarted: fields.integerOrNull("started_at") !== null,
      hasEnded: fields.integerOrNull("finished_at") !== null,
      isPaused: fields.textOrNull("paused_by") !== null,
    },
  };
}

export function decodeShare(row: RawRow): TenantShare {
  const fields = new Fields(row, `The share of tenant ${nameOf(row["tenant"])}`, {});
  return { tenant: fields.text("tenant"), weight: fields.integer("weight"), most: fields.integerOrNull("most") };
}

/** A tenant without a share of its own has the weight 1. */
export function weighted(turn: TurnRow, weight: unknown): WeightedTurn {
  return { turn, weight: typeof weight === "number" ? weight : 1 };
}

export function decodeRoute(row: RawRow): Route {
  const fields = new Fields(row, "A row of route", {});
  const part = (column: string): string | null => fields.text(column) || null;
  return { tenant: part("tenant"), workflow: part("workflow"), topic: part("topic"), group: fields.text("worker_group") };
}

/** The key of a route, as it is stored. */
export const placeOf = ({ tenant, workflow, topic }: Omit<Route, "group">): readonly [string, string, string] => [
  tenant ?? "",
  workflow ?? "",
  topic ?? "",
];

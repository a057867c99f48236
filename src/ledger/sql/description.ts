import { RUN_STATUSES, RUN_TRANSITIONS, type RunStatus, STEP_STATUSES, STEP_TRANSITIONS, type StepStatus } from "../../model/status.ts";
import type { LedgerWrite } from "../own-writes.ts";

export type WriteKind = LedgerWrite["write"];
export type WriteOf<K extends WriteKind> = Extract<LedgerWrite, { readonly write: K }>;
export type Table =
  | "run"
  | "step"
  | "attempt"
  | "event"
  | "wait"
  | "inbox"
  | "version"
  | "subscription"
  | "event_kept"
  | "event_key"
  | "task"
  | "removed_run"
  | "admission_note"
  | "limiter"
  | "slot"
  | "queue_partition"
  | "queue_entry"
  | "turn"
  | "tenant_share"
  | "gathering"
  | "route";
export type ColumnValue = string | number | null;

/** Where the value of a column comes from. One source object used for several columns is bound once. */
export type Source<W> =
  | { readonly from: "write"; readonly type: "text" | "integer"; readonly value: (write: W) => ColumnValue }
  /** The same value in every write: part of the statement, not bound. */
  | { readonly from: "fixed"; readonly value: ColumnValue }
  /** The absolute time that `at` gives, else the commit's time plus a delay in milliseconds; a delay of null gives null. */
  | { readonly from: "clock"; readonly after: (write: W) => number | null; readonly at?: (write: W) => number | null }
  /** The CRC-32 of payload columns, null when all of them are. */
  | { readonly from: "checksum"; readonly first: (write: W) => string | null; readonly second: (write: W) => string | null }
  /** The column's present value; the other source only while that is null. */
  | { readonly from: "once"; readonly source: Source<W> }
  /** What the other source gives; the column's present value while that is null. */
  | { readonly from: "unlessNull"; readonly source: Source<W> }
  /** One more than the column's present value. */
  | { readonly from: "increment" }
  /** A column of another row; null when there is no such row. */
  | { readonly from: "row"; readonly table: Table; readonly key: Columns<W>; readonly column: string };

export type Columns<W> = Readonly<Record<string, Source<W>>>;

/** A common case of a write, in which these columns are known or have a simpler source: each value that is not bound saves 0.1 µs. */
export interface Brief<W> {
  readonly set: Columns<W>;
  readonly when: (write: W) => boolean;
}

/** One hot write as data: the dialects render it, the memory ledger interprets it. */
export interface HotWrite<W> {
  readonly table: Table;
  readonly action: "insert" | "update" | "delete";
  /** Columns that identify the row; an insert sets them too. The first one groups the rows of a run. */
  readonly key: Columns<W>;
  readonly set: Columns<W>;
  /** Its common cases, the most frequent first. */
  readonly brief?: readonly Brief<W>[];
  readonly guard: Guard<W>;
  /** `refuse`: a write that changes no row is a `LEDGER_CONFLICT`. */
  readonly noRow: "refuse" | "allow";
}

/** What must hold of the row that an update or delete finds; of an insert, only `other` can be asked. */
export interface Guard<W> {
  /** The status that the write gives, and for each of them the statuses that it may follow. */
  readonly status?: { readonly of: (write: W) => string; readonly follows: Readonly<Record<string, readonly string[]>> };
  /** Columns whose value must be below the one that the write sets. */
  readonly grows?: readonly string[];
  /** Columns that must be null. */
  readonly empty?: readonly string[];
  /** A row of another table that must be there, with these columns null. */
  readonly other?: { readonly table: Table; readonly key: Columns<W>; readonly empty: readonly string[] };
}

function follows<S extends string>(
  statuses: readonly S[],
  transitions: Readonly<Record<S, readonly S[]>>,
  targets: readonly S[],
  again = false,
) {
  const table: Record<string, readonly string[]> = {};
  for (const target of targets) {
    table[target] = statuses.filter((status) => transitions[status].includes(target) || (again && status === target));
  }
  return table;
}

export const runFollows = (targets: readonly RunStatus[], again?: boolean) => follows(RUN_STATUSES, RUN_TRANSITIONS, targets, again);
export const stepFollows = (targets: readonly StepStatus[], again?: boolean) => follows(STEP_STATUSES, STEP_TRANSITIONS, targets, again);
export const text = <W>(read: (write: W) => string | null): Source<W> => ({ from: "write", type: "text", value: read });
export const integer = <W>(read: (write: W) => number | null): Source<W> => ({ from: "write", type: "integer", value: read });
export const fixed = (constant: ColumnValue): Source<unknown> => ({ from: "fixed", value: constant });
export const once = <W>(source: Source<W>): Source<W> => ({ from: "once", source });
export const unlessNull = <W>(source: Source<W>): Source<W> => ({ from: "unlessNull", source });
export const after = <W>(delay: (write: W) => number | null): Source<W> => ({ from: "clock", after: delay });
export const checksum = <W>(first: (write: W) => string | null, second: (write: W) => string | null = () => null): Source<W> => ({
  from: "checksum",
  first,
  second,
});

export const NOTHING = fixed(null);
export const NOW = after<unknown>(() => 0);
export const RUN_ID = integer<{ readonly runId: number }>((write) => write.runId);
const ORDINAL = integer<{ readonly ordinal: number }>((write) => write.ordinal);
export const REVISION = integer<{ readonly revision: number }>((write) => write.revision);
export const REASON = text<{ readonly reason: string | null }>((write) => write.reason);
export const STATUS = text<{ readonly status: string }>((write) => write.status);
export const OUTPUT = text<{ readonly output: string | null }>((write) => write.output);
export const ERROR = text<{ readonly error: string | null }>((write) => write.error);
export const FAILURES = integer<{ readonly failures: number }>((write) => write.failures);
export const ATTEMPT = integer<{ readonly attempt: number }>((write) => write.attempt);
export const RESULT_CRC = checksum<{ readonly output: string | null; readonly error: string | null }>(
  (write) => write.output,
  (write) => write.error,
);
export const ERROR_CRC = checksum<{ readonly error: string | null }>(
  () => null,
  (write) => write.error,
);
export const STEP_KEY = { run_id: RUN_ID, ordinal: ORDINAL };

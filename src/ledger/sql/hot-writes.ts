import { RUN_STATUSES, RUN_TRANSITIONS, type RunStatus, STEP_STATUSES, STEP_TRANSITIONS, type StepStatus } from "../../model/status.ts";
import type { Write } from "../writes.ts";

export type WriteKind = Write["write"];
export type WriteOf<K extends WriteKind> = Extract<Write, { readonly write: K }>;
export type Table = "run" | "step" | "attempt" | "event" | "wait" | "inbox" | "version";
export type ColumnValue = string | number | null;

/** Where the value of a column comes from. One source object used for several columns is bound once. */
export type Source<W> =
  | { readonly from: "write"; readonly value: (write: W) => ColumnValue }
  /** The commit's time plus a delay in milliseconds; a delay of null gives null. */
  | { readonly from: "clock"; readonly after: (write: W) => number | null }
  /** The CRC-32 of payload columns, null when all of them are. */
  | { readonly from: "checksum"; readonly first: (write: W) => string | null; readonly second: (write: W) => string | null }
  /** The column's present value; the other source only while that is null. */
  | { readonly from: "once"; readonly source: Source<W> }
  /** A column of another row; null when there is no such row. */
  | { readonly from: "row"; readonly table: Table; readonly key: Columns<W>; readonly column: string };

export type Columns<W> = Readonly<Record<string, Source<W>>>;

/** One hot write as data: the dialects render it, the memory ledger interprets it. */
export interface HotWrite<W> {
  readonly table: Table;
  readonly action: "insert" | "update" | "delete";
  /** Columns that identify the row; an insert sets them too. The first one groups the rows of a run. */
  readonly key: Columns<W>;
  readonly set: Columns<W>;
  /** An insert's common case in which these columns stay null: binding fewer values makes it 5 % of a run cheaper. */
  readonly brief?: { readonly without: readonly string[]; readonly when: (write: W) => boolean };
  readonly guard: Guard<W>;
  /** `refuse`: a write that changes no row is a `LEDGER_CONFLICT`. */
  readonly noRow: "refuse" | "allow";
}

/** What must hold of the row that an update or delete finds. */
export interface Guard<W> {
  /** The status that the write gives, and for each of them the statuses that it may follow. */
  readonly status?: { readonly of: (write: W) => string; readonly follows: Readonly<Record<string, readonly string[]>> };
  /** Columns whose value must be below the one that the write sets. */
  readonly grows?: readonly string[];
  /** Columns that must not be above the given value. */
  readonly upTo?: Columns<W>;
  /** Columns that must be null. */
  readonly empty?: readonly string[];
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

const runFollows = (targets: readonly RunStatus[], again?: boolean) => follows(RUN_STATUSES, RUN_TRANSITIONS, targets, again);
const stepFollows = (targets: readonly StepStatus[], again?: boolean) => follows(STEP_STATUSES, STEP_TRANSITIONS, targets, again);
const value = <W>(read: (write: W) => ColumnValue): Source<W> => ({ from: "write", value: read });
const fixed = (constant: ColumnValue) => value<unknown>(() => constant);
const once = <W>(source: Source<W>): Source<W> => ({ from: "once", source });
const after = <W>(delay: (write: W) => number | null): Source<W> => ({ from: "clock", after: delay });
const checksum = <W>(first: (write: W) => string | null, second: (write: W) => string | null = () => null): Source<W> => ({
  from: "checksum",
  first,
  second,
});

const NOTHING = fixed(null);
const NOW = after<unknown>(() => 0);
const RUN_ID = value<{ readonly runId: number }>((write) => write.runId);
const ORDINAL = value<{ readonly ordinal: number }>((write) => write.ordinal);
const REVISION = value<{ readonly revision: number }>((write) => write.revision);
const REASON = value<{ readonly reason: string | null }>((write) => write.reason);
const STATUS = value<{ readonly status: string }>((write) => write.status);
const OUTPUT = value<{ readonly output: string | null }>((write) => write.output);
const ERROR = value<{ readonly error: string | null }>((write) => write.error);
const FAILURES = value<{ readonly failures: number }>((write) => write.failures);
const ATTEMPT = value<{ readonly attempt: number }>((write) => write.attempt);
const RESULT_CRC = checksum<{ readonly output: string | null; readonly error: string | null }>(
  (write) => write.output,
  (write) => write.error,
);
const ERROR_CRC = checksum<{ readonly error: string | null }>(
  () => null,
  (write) => write.error,
);
const STEP_KEY = { run_id: RUN_ID, ordinal: ORDINAL };

const insertRun: HotWrite<WriteOf<"insertRun">> = (() => {
  const started = after<WriteOf<"insertRun">>((write) => (write.status === "RUNNING" ? 0 : null));
  return {
    table: "run",
    action: "insert",
    key: { id: RUN_ID },
    set: {
      public_id: value((write) => write.publicId),
      tenant: value((write) => write.tenant),
      version_id: value((write) => write.versionId),
      status: STATUS,
      input: value((write) => write.input),
      input_crc: checksum((write) => write.input),
      labels: value((write) => write.labels),
      initiator: value((write) => write.initiator),
      trigger: value((write) => write.trigger),
      environment: value((write) => write.environment),
      idempotency_scope: {
        from: "row",
        table: "version",
        key: { id: value((write) => (write.idempotencyKey === null ? null : write.versionId)) },
        column: "workflow",
      },
      idempotency_key: value((write) => write.idempotencyKey),
      idempotency_hash: value((write) => write.idempotencyHash),
      owner_epoch: value((write) => write.ownerEpoch),
      deadline_at: after((write) => write.deadlineInMs),
      created_revision: REVISION,
      started_revision: value((write) => (write.status === "RUNNING" ? write.revision : null)),
      revision: REVISION,
      created_at: NOW,
      started_at: started,
    },
    guard: {},
    noRow: "refuse",
  };
})();

const startRun: HotWrite<WriteOf<"startRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: fixed("RUNNING"),
    reason: REASON,
    owner_epoch: value((write) => write.ownerEpoch),
    crashes: value((write) => write.crashes),
    revision: REVISION,
    started_revision: once(REVISION),
    started_at: once(NOW),
  },
  // RUNNING → RUNNING is an engine that takes over what a dead one left behind.
  guard: { status: { of: () => "RUNNING", follows: runFollows(["RUNNING"], true) } },
  noRow: "refuse",
};

const suspendRun: HotWrite<WriteOf<"suspendRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: fixed("SUSPENDED"),
    reason: REASON,
    owner_epoch: value((write) => write.ownerEpoch),
    crashes: value((write) => write.crashes),
    revision: REVISION,
  },
  guard: { status: { of: () => "SUSPENDED", follows: runFollows(["SUSPENDED"]) } },
  noRow: "refuse",
};

const endRun: HotWrite<WriteOf<"endRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: STATUS,
    reason: REASON,
    output: OUTPUT,
    error: ERROR,
    result_crc: RESULT_CRC,
    owner_epoch: NOTHING,
    revision: REVISION,
    finished_at: NOW,
  },
  guard: { status: { of: (write) => write.status, follows: runFollows(["SUCCEEDED", "FAILED", "CANCELLED"]) } },
  noRow: "refuse",
};

const insertStep: HotWrite<WriteOf<"insertStep">> = (() => {
  const startedRevision = value<WriteOf<"insertStep">>((write) => (write.attempt > 0 ? write.revision : null));
  const started = after<WriteOf<"insertStep">>((write) => (write.attempt > 0 ? 0 : null));
  return {
    table: "step",
    action: "insert",
    key: STEP_KEY,
    set: {
      status: STATUS,
      reason: REASON,
      attempt: ATTEMPT,
      failures: FAILURES,
      input: value((write) => write.input),
      selected: value((write) => write.selected),
      input_crc: checksum(
        (write) => write.input,
        (write) => write.selected,
      ),
      output: OUTPUT,
      error: ERROR,
      result_crc: RESULT_CRC,
      idempotency_key: value((write) => write.idempotencyKey),
      started_revision: startedRevision,
      attempt_revision: startedRevision,
      revision: REVISION,
      started_at: started,
      attempt_started_at: started,
      finished_at: after((write) => (write.status === "RUNNING" || write.status === "SUSPENDED" ? null : 0)),
    },
    brief: {
      without: ["reason", "selected", "output", "error", "result_crc", "finished_at"],
      when: (write) =>
        write.status === "RUNNING" && write.reason === null && write.selected === null && write.output === null && write.error === null,
    },
    guard: {},
    noRow: "refuse",
  };
})();

const restartStep: HotWrite<WriteOf<"restartStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: fixed("RUNNING"),
    reason: REASON,
    attempt: ATTEMPT,
    output: NOTHING,
    error: NOTHING,
    result_crc: NOTHING,
    started_revision: once(REVISION),
    attempt_revision: REVISION,
    revision: REVISION,
    started_at: once(NOW),
    attempt_started_at: NOW,
  },
  guard: { status: { of: () => "RUNNING", follows: stepFollows(["RUNNING"], true) }, grows: ["attempt"] },
  noRow: "refuse",
};

const suspendStep: HotWrite<WriteOf<"suspendStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: fixed("SUSPENDED"),
    reason: REASON,
    failures: FAILURES,
    output: NOTHING,
    error: ERROR,
    result_crc: ERROR_CRC,
    revision: REVISION,
  },
  guard: { status: { of: () => "SUSPENDED", follows: stepFollows(["SUSPENDED"]) } },
  noRow: "refuse",
};

const settleStep: HotWrite<WriteOf<"settleStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: STATUS,
    reason: REASON,
    failures: FAILURES,
    output: OUTPUT,
    error: ERROR,
    result_crc: RESULT_CRC,
    revision: REVISION,
    finished_at: NOW,
  },
  guard: { status: { of: (write) => write.status, follows: stepFollows(["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"]) } },
  noRow: "refuse",
};

const insertAttempt: HotWrite<WriteOf<"insertAttempt">> = {
  table: "attempt",
  action: "insert",
  key: { ...STEP_KEY, attempt: ATTEMPT },
  set: {
    status: STATUS,
    revision: REVISION,
    // Known only while the step row still holds this attempt, so this write stands before `restartStep`.
    started_at: { from: "row", table: "step", key: { ...STEP_KEY, attempt: ATTEMPT }, column: "attempt_started_at" },
    finished_at: NOW,
    error: ERROR,
    error_crc: ERROR_CRC,
  },
  guard: {},
  noRow: "refuse",
};

const insertEvent: HotWrite<WriteOf<"insertEvent">> = {
  table: "event",
  action: "insert",
  key: { run_id: RUN_ID },
  set: {
    revision: REVISION,
    event: value((write) => write.event),
    actor: value((write) => write.actor),
    at: NOW,
    detail: value((write) => write.detail),
    detail_crc: checksum((write) => write.detail),
  },
  guard: {},
  noRow: "refuse",
};

const insertWait: HotWrite<WriteOf<"insertWait">> = {
  table: "wait",
  action: "insert",
  key: STEP_KEY,
  set: { kind: value((write) => write.kind), key: value((write) => write.key), due_at: after((write) => write.dueInMs) },
  guard: {},
  noRow: "refuse",
};

const deleteWait: HotWrite<WriteOf<"deleteWait">> = {
  table: "wait",
  action: "delete",
  key: STEP_KEY,
  set: {},
  guard: {},
  noRow: "allow",
};

const consumeInbox: HotWrite<WriteOf<"consumeInbox">> = {
  table: "inbox",
  action: "update",
  key: { run_id: RUN_ID },
  set: { consumed_at: NOW },
  guard: { upTo: { seq: value((write) => write.seq) }, empty: ["consumed_at"] },
  noRow: "allow",
};

/** One executor for each kind of write. */
export type Executors = { readonly [K in WriteKind]: (write: WriteOf<K>, now: number) => void };

/** What every write has, whatever its kind. */
export interface AnyWrite {
  readonly write: WriteKind;
  readonly runId: number;
}

/** Makes the executor of each kind from its description. */
export function executorsBy(make: <W extends AnyWrite>(description: HotWrite<W>) => (write: W, now: number) => void): Executors {
  return {
    insertRun: make(insertRun),
    startRun: make(startRun),
    suspendRun: make(suspendRun),
    endRun: make(endRun),
    insertStep: make(insertStep),
    restartStep: make(restartStep),
    suspendStep: make(suspendStep),
    settleStep: make(settleStep),
    insertAttempt: make(insertAttempt),
    insertEvent: make(insertEvent),
    insertWait: make(insertWait),
    deleteWait: make(deleteWait),
    consumeInbox: make(consumeInbox),
  };
}

/** Hands a write to the executor of its kind; the most frequent kinds first. */
export function execute(executors: Executors, write: Write, now: number): void {
  switch (write.write) {
    case "settleStep":
      return executors.settleStep(write, now);
    case "insertStep":
      return executors.insertStep(write, now);
    case "insertRun":
      return executors.insertRun(write, now);
    case "endRun":
      return executors.endRun(write, now);
    case "startRun":
      return executors.startRun(write, now);
    case "suspendRun":
      return executors.suspendRun(write, now);
    case "restartStep":
      return executors.restartStep(write, now);
    case "suspendStep":
      return executors.suspendStep(write, now);
    case "insertAttempt":
      return executors.insertAttempt(write, now);
    case "insertEvent":
      return executors.insertEvent(write, now);
    case "insertWait":
      return executors.insertWait(write, now);
    case "deleteWait":
      return executors.deleteWait(write, now);
    case "consumeInbox":
      return executors.consumeInbox(write, now);
  }
}

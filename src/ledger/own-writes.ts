import type { JsonText, TaskStatus } from "./rows.ts";
import type { Write } from "./writes.ts";

/** Writes that the ledger's own operations make, beside those of which units consist. */
export type OwnWrite =
  | ReopenRun
  | ReopenStep
  | DeleteStep
  | ArchiveAttempt
  | UpdateTask
  | DeleteSubscription
  | InsertKeptEvent
  | InsertEventKey
  | SettleKeptEvent
  | DeleteEventKeys
  | DeleteKeptEvent;

export type LedgerWrite = Write | OwnWrite;

export interface DeleteSubscription {
  readonly write: "deleteSubscription";
  readonly runId: number;
  readonly ordinal: number;
  readonly member: number;
}

/** An event that was published: kept with its data until it is matched, then only its id until it expires. */
export interface InsertKeptEvent {
  readonly write: "insertKeptEvent";
  readonly tenant: string;
  readonly event: string;
  readonly eventId: string;
  /** Null when it was delivered at once. */
  readonly data: JsonText | null;
  readonly retainMs: number;
}

export interface InsertEventKey {
  readonly write: "insertEventKey";
  readonly tenant: string;
  readonly event: string;
  readonly eventId: string;
  readonly field: string;
  readonly value: string;
}

export interface SettleKeptEvent {
  readonly write: "settleKeptEvent";
  readonly keptId: number;
}

export interface DeleteEventKeys {
  readonly write: "deleteEventKeys";
  readonly keptId: number;
}

export interface DeleteKeptEvent {
  readonly write: "deleteKeptEvent";
  readonly keptId: number;
}

/** The new state of a task whose revision is the one that was seen. */
export interface UpdateTask {
  readonly write: "updateTask";
  readonly runId: number;
  readonly taskId: number;
  readonly seen: number;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly failures: number;
  readonly leaseToken: string | null;
  readonly worker: string | null;
  readonly leaseUntil: number | null;
  readonly availableAt: number | null;
  readonly closedAt: number | null;
  readonly decidedBy: string | null;
  readonly decision: JsonText | null;
  readonly error: JsonText | null;
}

/** FAILED → SUSPENDED. */
export interface ReopenRun {
  readonly write: "reopenRun";
  readonly runId: number;
  readonly deadlineInMs: number | null;
  /** How far it is with its slots: see `SLOTS`. */
  readonly slots: number | null;
  readonly revision: number;
}

/** FAILED or CANCELLED → SUSPENDED, with all attempts that its policy gives. */
export interface ReopenStep {
  readonly write: "reopenStep";
  readonly runId: number;
  readonly ordinal: number;
  readonly reason: "retry" | "steps";
  readonly error: JsonText | null;
  readonly revision: number;
}

export interface DeleteStep {
  readonly write: "deleteStep";
  readonly runId: number;
  readonly ordinal: number;
}

/** The last attempt of a step that failed; it stands before `reopenStep`, which forgets when that was. */
export interface ArchiveAttempt {
  readonly write: "archiveAttempt";
  readonly runId: number;
  readonly ordinal: number;
  readonly attempt: number;
  readonly error: JsonText;
  readonly revision: number;
}

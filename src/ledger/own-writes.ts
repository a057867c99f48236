import type { JsonText } from "./rows.ts";
import type { Write } from "./writes.ts";

/** Writes that the ledger's own operations make, beside those of which units consist. */
export type OwnWrite = DeleteSubscription | InsertKeptEvent | InsertEventKey | SettleKeptEvent | DeleteEventKeys | DeleteKeptEvent;

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
  readonly keptId: number;
  readonly tenant: string;
  readonly event: string;
  readonly eventId: string;
  /** Null when it was delivered at once. */
  readonly data: JsonText | null;
  readonly retainMs: number;
}

export interface InsertEventKey {
  readonly write: "insertEventKey";
  readonly keptId: number;
  readonly tenant: string;
  readonly event: string;
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

import type { Json } from "../../model/json.ts";
import type { NoteKind } from "../rows.ts";

/** What admission stores. Only the transaction that admits writes these rows, and there is one at a time. */
export interface AdmissionRows {
  readonly limiter: LimiterRow;
  readonly slot: SlotRow;
  readonly queue_partition: PartitionRow;
  readonly queue_entry: EntryRow;
  readonly turn: TurnRow;
  readonly gathering: GatheringRow;
}
export type AdmissionTable = keyof AdmissionRows;

export interface LimiterRow {
  readonly id: number;
  readonly tenant: string;
  /** Unique within the tenant. */
  readonly name: string;
  /** The version of the workflow that said `limitedTo`: a newer one says it anew. */
  readonly versionId: number;
  /** At least 1. */
  readonly limitedTo: number;
  /** Null for one that limits concurrency. */
  readonly periodMs: number | null;
  readonly held: number;
  /** Of a rate: until when the admissions so far have used it up, microseconds of the ledger's clock (GCRA's theoretical arrival time). */
  readonly usedUntilUs: number;
  /** Of a rate: when one more may be admitted, by the ledger's clock. */
  readonly openAt: number;
  /** Partitions whose runs need it, and of those the ones that stand aside for it. */
  readonly partitions: number;
  readonly aside: number;
}

export interface SlotRow {
  readonly limiterId: number;
  readonly runId: number;
  /** 1 for one that the run keeps while it is parked. */
  readonly isUntilEnd: number;
}

export interface PartitionRow {
  readonly id: number;
  /** The worker group, the tenant and the ids of the limiters. */
  readonly name: string;
  readonly workerGroup: string;
  readonly tenant: string;
  readonly limits: readonly PartitionLimit[];
  /** The rank of its first run. */
  readonly head: number;
  /** The limiter that it stands aside for. */
  readonly asideFor: number | null;
}

/** A limiter of a partition, and what the newest of its runs says about it. */
export type PartitionLimit = {
  readonly limiter: number;
  readonly onLimit: "queue" | "reject" | "cancel-running";
  readonly isUntilEnd: number;
} & { readonly [key: string]: Json };

export interface EntryRow {
  readonly partitionId: number;
  readonly rank: number;
  readonly runId: number;
}

/** The runs of a partition that are next. */
export interface Front {
  readonly partitionId: number;
  readonly entries: readonly EntryRow[];
  /** The rank of the one behind them; null when they are all. */
  readonly next: number | null;
}

export interface TurnRow {
  readonly workerGroup: string;
  /** "" for the row that holds the group's virtual time. */
  readonly tenant: string;
  /** Its partitions that do not stand aside. */
  readonly ready: number;
  /** Virtual time: the least is next. */
  readonly pass: number;
}

/** A turn, and the weight of its tenant. */
export interface WeightedTurn {
  readonly turn: TurnRow;
  readonly weight: number;
}

export interface AdmissionNote {
  readonly id: number;
  readonly runId: number;
  readonly note: NoteKind;
  /** Null once the run has gone. */
  readonly run: NotedRun | null;
}

/** What there is to know of a run that asks for its turn. */
export interface NotedRun {
  readonly tenant: string;
  readonly workerGroup: string;
  readonly versionId: number;
  /** JSON text of its `Admission`; null for one that asks for nothing. */
  readonly admission: string | null;
  readonly createdAt: number;
  readonly hasStarted: boolean;
  readonly hasEnded: boolean;
  readonly isPaused: boolean;
}

/** A run that has not been admitted and that starts with the same key join. */
export interface GatheringRow {
  readonly tenant: string;
  readonly name: string;
  readonly runId: number;
  /** When its first start came, by the ledger's clock. */
  readonly firstAt: number;
  /** How many inputs it has; 0 where the last one counts. */
  readonly items: number;
}

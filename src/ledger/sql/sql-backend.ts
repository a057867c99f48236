import type { CallerTransactions } from "../caller-transactions.ts";
import type { Claims } from "../claims.ts";
import type { OwnerEvents, Ownership, WorkerIdentity } from "../port.ts";
import type { Work } from "../work.ts";
import type { Batch, CommitOutcome } from "../writes.ts";
import type { RawRow } from "./fields.ts";
import type { SqlConnection, SqlTransaction, SqlValue } from "./transaction.ts";

/** What a dialect adds to the statements that are written once. */
export interface SqlBackend {
  readonly lanes: number;
  readonly isShared: boolean;
  rows(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]>;
  /** What engines ask all the time: its rows are found by index, whatever a planner makes of tables that it knows nothing of. */
  search(sql: string, ...values: SqlValue[]): Promise<readonly RawRow[]>;
  /** Several reads that see the same state. */
  snapshot<T>(work: (connection: Pick<SqlConnection, "rows">) => Work<T>): Promise<T>;
  /** The reads of one run, which see the same state; `now` is the ledger's clock. */
  readRun<T>(runId: number, work: (connection: Pick<SqlConnection, "rows">, now: number) => Work<T>): Promise<T>;
  within<T>(work: (transaction: SqlTransaction) => Work<T>): Promise<T>;
  /** Whether a worker lives that drives runs of a group. */
  isServed(workerGroup: string): Promise<boolean>;
  /** The ledger's clock. */
  now(): Promise<number>;
  readonly claims: Claims;
  readonly transactions: CallerTransactions | null;
  own(worker: WorkerIdentity, events: OwnerEvents): Promise<Ownership>;
  commit(batch: Batch): Promise<CommitOutcome>;
  changedElsewhere(): Promise<boolean>;
  close(): Promise<void>;
}

import type { SqlClient } from "../model/sql-client.ts";
import type { InsertRun, Unit } from "./writes.ts";

/** Transactions that write tables of a caller's own in the ledger's database, and the ledger with them. */
export interface CallerTransactions {
  /** Begins one on a connection that nobody else uses meanwhile. */
  begin(): Promise<StepTransaction>;
  /**
   * Inserts a QUEUED run into the transaction that a client of the caller's has open: it exists once that commits. A key that another
   * transaction is just using is waited for.
   * @throws StepwellError `TRANSACTION_INVALID` for a client without an open transaction, `LEDGER_CONFLICT` when the key was used meanwhile
   */
  insert(client: SqlClient, run: InsertRun): Promise<void>;
}

/** The transaction of one attempt of a step. One of the two methods ends it. */
export interface StepTransaction {
  readonly client: SqlClient;
  /** Writes the end of the step and commits it with everything else; only `committed` means that anything was written. */
  commit(epoch: number, unit: Unit): Promise<TransactionEnd>;
  rollback(): Promise<void>;
}

/**
 * `refused`: the step has ended otherwise, or its run is another engine's. `fenced`: so is everything that this engine had. `ended`: the
 * caller has ended the transaction itself.
 */
export type TransactionEnd = "committed" | "refused" | "fenced" | "ended";

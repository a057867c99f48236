import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import { StepwellError } from "../../model/errors.ts";
import type { SqlClient } from "../../model/sql-client.ts";
import type { CallerTransactions, StepTransaction, TransactionEnd } from "../caller-transactions.ts";
import { asks } from "../queued-run.ts";
import type { SqlTransaction } from "../sql/transaction.ts";
import type { Work } from "../work.ts";
import type { InsertRun, Unit } from "../writes.ts";
import { BatchEncoder } from "./encode-batch.ts";
import { isUnknownOutcome } from "./errors.ts";
import { FUNCTIONS, MARKS } from "./functions.ts";
import { type AskingHost, untilAnswered } from "./until-answered.ts";

/** Marks the transaction, so that one that the caller has ended meanwhile is noticed. */
const MARK = "SELECT set_config($1, $2, true)";
const SETTLED = "SELECT 1 AS settled FROM step WHERE key = (?1 << 28) + ?2 AND status = 'SUCCEEDED'";

export interface CallerHost extends AskingHost {
  exactTime(): number | null;
  readonly floor: number;
  told(now: number): void;
  within<T>(work: (transaction: SqlTransaction) => Work<T>): Promise<T>;
}

/** Transactions of those who write tables of their own and the ledger in one commit. */
export class PostgresCallerTransactions implements CallerTransactions {
  readonly #host: CallerHost;

  constructor(host: CallerHost) {
    this.#host = host;
  }

  async begin(): Promise<StepTransaction> {
    const { connections } = this.#host;
    const client = await connections.borrow();
    const mark = randomUUID();
    try {
      await client.query("BEGIN");
      await client.query(MARK, [MARKS.step, mark]);
    } catch (cause) {
      client.release(true);
      throw connections.coded(cause);
    }
    return new PostgresStepTransaction(this.#host, client, mark);
  }

  async insert(client: SqlClient, run: InsertRun): Promise<void> {
    const { connections, floor } = this.#host;
    const { stages, numbers, texts } = encoder.encode([{ runId: run.runId, inboxSeq: null, writes: [run, asks(run.runId)] }]);
    const mark = randomUUID();
    const values = [mark, this.#host.exactTime(), floor, stages, Buffer.from(numbers), Buffer.from(texts)];
    let isInside: unknown;
    try {
      await client.query(MARK, [MARKS.start, mark]);
      const text = `SELECT ${connections.place.schema}.${FUNCTIONS.insert}($1, $2, $3, $4, $5, $6) AS is_inside`;
      isInside = (await client.query(text, values)).rows[0]?.["is_inside"];
    } catch (cause) {
      throw connections.coded(cause);
    }
    if (isInside === true) return;
    throw new StepwellError("TRANSACTION_INVALID", "The client has no open transaction", {
      hint: "Begin one on it first: the run exists once that commits, and never does if it does not.",
    });
  }
}

/** The transaction of one attempt. The ledger's locks are taken last and held for one round trip. */
class PostgresStepTransaction implements StepTransaction {
  readonly client: SqlClient;
  readonly #pooled: PoolClient;
  readonly #host: CallerHost;
  readonly #mark: string;

  constructor(host: CallerHost, client: PoolClient, mark: string) {
    this.#host = host;
    this.client = client;
    this.#pooled = client;
    this.#mark = mark;
  }

  async commit(epoch: number, unit: Unit): Promise<TransactionEnd> {
    const end = await this.#settle(epoch, unit);
    if (end !== "committed") {
      await this.rollback();
      return end;
    }
    try {
      await this.#pooled.query("COMMIT");
    } catch (cause) {
      const error = this.#host.connections.coded(cause);
      this.#pooled.release(true);
      if (!(error instanceof StepwellError) || !isUnknownOutcome(error)) throw error;
      return this.#resolve(epoch, unit, error);
    }
    this.#pooled.release();
    return "committed";
  }

  async rollback(): Promise<void> {
    try {
      await this.#pooled.query("ROLLBACK");
      this.#pooled.release();
    } catch {
      // a connection that does not answer has no transaction any more once the server has noticed
      this.#pooled.release(true);
    }
  }

  /** What is not answered here is not written: only COMMIT makes it so. */
  async #settle(epoch: number, { runId, writes }: Unit): Promise<TransactionEnd> {
    const { connections } = this.#host;
    const { stages, numbers, texts } = encoder.encode([{ runId, inboxSeq: null, writes }]);
    const values = [this.#mark, epoch, this.#host.exactTime(), this.#host.floor, runId, stages, Buffer.from(numbers), Buffer.from(texts)];
    try {
      const text = `SELECT outcome, now FROM ${connections.place.schema}.${FUNCTIONS.settle}($1, $2, $3, $4, $5, $6, $7, $8)`;
      const [row] = (await this.#pooled.query<Record<string, unknown>>({ text, values })).rows;
      return this.#endOf(row ?? {});
    } catch (cause) {
      const error = connections.coded(cause);
      if (error instanceof StepwellError && error.code === "LEDGER_CONFLICT") return "refused";
      await this.rollback();
      throw error;
    }
  }

  #endOf({ outcome, now }: Record<string, unknown>): TransactionEnd {
    switch (outcome) {
      case "committed":
        this.#host.told(Number(now));
        return "committed";
      case "fenced":
        return "fenced";
      case "missed":
        return "refused";
      default:
        return "ended";
    }
  }

  /**
   * The answer to COMMIT was lost. It held the run's row, so whoever holds that now sees whether the step has settled: nothing of the
   * transaction can follow.
   *
   * @throws StepwellError `lost`, when it has not
   */
  async #resolve(epoch: number, { runId, writes }: Unit, lost: StepwellError): Promise<TransactionEnd> {
    const ordinal = writes.find((write) => write.write === "settleStep")?.ordinal ?? 0;
    const isSettled = await untilAnswered(this.#host, epoch, lost, () =>
      this.#host.within(function* (transaction) {
        yield* transaction.hold({ runs: [runId] });
        return (yield* transaction.rows(SETTLED, runId, ordinal)).length > 0;
      }),
    );
    if (isSettled === false) throw lost;
    return isSettled === true ? "committed" : "fenced";
  }
}

const encoder = new BatchEncoder();

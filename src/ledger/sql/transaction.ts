import type { AdmissionTables } from "../admission/tables.ts";
import type { LedgerWrite } from "../own-writes.ts";
import type { EndedStep, InboxRow, RunRow, SubscriptionRow, TaskRow } from "../rows.ts";
import type { EventKey, Held, KeptEvent, PublishedEvent, RetainedRuns, Transaction } from "../transaction.ts";
import type { Work } from "../work.ts";
import type { PostInbox } from "../writes.ts";
import { SqlAdmissionTables } from "./admission-tables.ts";
import { decodeEndedStep, decodeRun } from "./decode.ts";
import { decodeInbox, decodeSubscription, decodeTask, keptEventOf } from "./decode-waiting.ts";
import type { RawRow } from "./fields.ts";
import { READS } from "./reads.ts";
import { SqlRetainedRuns } from "./retention.ts";

export type SqlValue = string | number | null;

/** An open transaction of a connection, in the words of its dialect. */
export interface SqlConnection {
  rows(sql: string, ...values: SqlValue[]): Work<readonly RawRow[]>;
  /** A statement whose answer nobody needs: it may still be on its way when the next one is sent, and fails the transaction at its end. */
  send(sql: string, ...values: SqlValue[]): Work<void>;
  /**
   * Gives back the rows that the write has put into inboxes.
   * @throws StepwellError `LEDGER_CONFLICT`
   */
  write(write: LedgerWrite, now: number): Work<readonly InboxRow[]>;
  hold(held: Held): Work<void>;
  /** Those of `READS.claimableTasks`; a backend with several writers leaves out what another one is just claiming. */
  claimableTasks(tenant: string, topic: string, now: number, limit: number): Work<readonly RawRow[]>;
}

export class SqlTransaction implements Transaction {
  readonly now: number;
  readonly retained: RetainedRuns;
  readonly admission: AdmissionTables;
  readonly #connection: SqlConnection;

  constructor(connection: SqlConnection, now: number) {
    this.#connection = connection;
    this.now = now;
    this.retained = new SqlRetainedRuns(connection);
    this.admission = new SqlAdmissionTables(connection, now);
  }

  rows(sql: string, ...values: SqlValue[]): Work<readonly RawRow[]> {
    return this.#connection.rows(sql, ...values);
  }

  *apply(write: LedgerWrite): Work<void> {
    yield* this.#connection.write(write, this.now);
  }

  *post(write: PostInbox): Work<InboxRow | undefined> {
    return (yield* this.#connection.write(write, this.now))[0];
  }

  *hold(held: Held): Work<void> {
    yield* this.#connection.hold(held);
  }

  *run(tenant: string, publicId: string): Work<RunRow | undefined> {
    return (yield* this.#connection.rows(READS.run, tenant, publicId)).map(decodeRun)[0];
  }

  *runId(tenant: string, publicId: string): Work<number | undefined> {
    return (yield* this.#connection.rows(READS.runId, tenant, publicId)).map((row) => Number(row["id"]))[0];
  }

  *signal(runId: number, signalId: string): Work<InboxRow | undefined> {
    return (yield* this.#connection.rows(READS.signal, runId, signalId)).map(decodeInbox)[0];
  }

  *awaits(runId: number, name: string): Work<boolean> {
    return (yield* this.#connection.rows(READS.awaits, runId, name)).length > 0;
  }

  *subscriptions({ tenant, event, field, value }: EventKey): Work<readonly SubscriptionRow[]> {
    return (yield* this.#connection.rows(READS.subscriptions, tenant, event, field, value)).map(decodeSubscription);
  }

  *isSubscribed({ runId, ordinal, member }: SubscriptionRow): Work<boolean> {
    return (yield* this.#connection.rows(READS.subscribed, runId, ordinal, member)).length > 0;
  }

  *keptEvent(tenant: string, event: string, eventId: string): Work<PublishedEvent | undefined> {
    const [row] = yield* this.#connection.rows(READS.keptEvent, tenant, event, eventId);
    return row === undefined ? undefined : { id: Number(row["id"]), isKept: row["is_kept"] === 1, expiresAt: Number(row["expires_at"]) };
  }

  *keptEvents({ tenant, event, field, value }: EventKey, after: number, limit: number): Work<readonly KeptEvent[]> {
    const rows = yield* this.#connection.rows(READS.keptEvents, tenant, event, field, value, this.now, after, limit);
    return rows.map(keptEventOf);
  }

  *expiredEvents(limit: number): Work<readonly number[]> {
    return (yield* this.#connection.rows(READS.expiredEvents, this.now, limit)).map((row) => Number(row["id"]));
  }

  *task(tenant: string, publicId: string): Work<TaskRow | undefined> {
    return (yield* this.#connection.rows(READS.task, tenant, publicId)).map(decodeTask)[0];
  }

  *claimableTasks(tenant: string, topic: string, limit: number): Work<readonly TaskRow[]> {
    return (yield* this.#connection.claimableTasks(tenant, topic, this.now, limit)).map(decodeTask);
  }

  *allSteps(runId: number): Work<readonly EndedStep[]> {
    return (yield* this.#connection.rows(READS.allSteps, runId)).map(decodeEndedStep);
  }

  *hasAttempt(runId: number, ordinal: number, attempt: number): Work<boolean> {
    return (yield* this.#connection.rows(READS.attempt, runId, ordinal, attempt)).length > 0;
  }
}

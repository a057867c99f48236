import { createHash } from "node:crypto";
import type { LedgerWrite } from "../own-writes.ts";
import type { InboxRow } from "../rows.ts";
import { decodeInbox } from "../sql/decode-waiting.ts";
import type { RawRow } from "../sql/fields.ts";
import { READS } from "../sql/reads.ts";
import type { SqlConnection, SqlValue } from "../sql/transaction.ts";
import type { EventKey, Held } from "../transaction.ts";
import { answer, done, type Work } from "../work.ts";
import { prepared, type Queryable } from "./connections.ts";
import { BatchEncoder } from "./encode-batch.ts";
import { FUNCTIONS } from "./functions.ts";

const APPLY = `SELECT ${FUNCTIONS.apply}(?1, ?2, ?3, ?4, ?5) AS posted`;
const HOLD = {
  retention: "SELECT pg_advisory_xact_lock('removed_run'::regclass::oid::bigint)",
  admission: "SELECT pg_advisory_xact_lock('admission_note'::regclass::oid::bigint)",
  event: "SELECT pg_advisory_xact_lock(?1)",
  runs: "SELECT id FROM run WHERE id = ANY(?1) ORDER BY id FOR NO KEY UPDATE",
  runOfTask: "SELECT id FROM run WHERE id = (SELECT run_id FROM task WHERE public_id = ?1 AND tenant = ?2) FOR NO KEY UPDATE",
  task: "SELECT id FROM task WHERE public_id = ?1 AND tenant = ?2 FOR NO KEY UPDATE",
  claimable: `SELECT public_id FROM task WHERE tenant = ?1 AND topic = ?2 AND available_at <= ?3 AND (expires_at IS NULL OR expires_at > ?3)
    ORDER BY available_at, id LIMIT ?4 FOR NO KEY UPDATE SKIP LOCKED`,
} as const;

/** The lock that publishers of an event and those who begin to wait for it share. */
export function eventLock({ tenant, event }: Pick<EventKey, "tenant" | "event">): bigint {
  return createHash("sha256")
    .update(JSON.stringify([tenant, event]))
    .digest()
    .readBigInt64BE();
}

const encoder = new BatchEncoder();

/** The open transaction of a connection. */
export class PostgresConnection implements SqlConnection {
  readonly #client: Queryable;
  readonly #epoch: number;
  readonly #sent: Promise<unknown>[] = [];
  /** The first that failed: those behind it are told only that the transaction has. */
  #failed: { readonly cause: unknown } | undefined;

  /** @param epoch of the worker that hears of what it writes from itself; 0 when none does */
  constructor(client: Queryable, epoch: number) {
    this.#client = client;
    this.#epoch = epoch;
  }

  *rows(sql: string, ...values: SqlValue[]): Work<readonly RawRow[]> {
    return (yield* this.#ask(sql, values)).rows;
  }

  send(sql: string, ...values: SqlValue[]): Work<void> {
    return this.#send(sql, values);
  }

  /**
   * Everything that was sent has been done.
   * @throws what the first statement that failed was answered
   */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#sent);
    if (this.#failed !== undefined) throw this.#failed.cause;
  }

  *write(write: LedgerWrite, now: number): Work<readonly InboxRow[]> {
    const { stages, numbers, texts } = encoder.encodeOne(write);
    const { rows } = yield* this.#ask(APPLY, [this.#epoch, now, stages, Buffer.from(numbers), Buffer.from(texts)]);
    return postedRows(rows[0]?.["posted"]);
  }

  *hold(held: Held): Work<void> {
    if ("retention" in held) {
      yield* this.#send(HOLD.retention, []);
    } else if ("admission" in held) {
      yield* this.#send(HOLD.admission, []);
    } else if ("event" in held) {
      yield* this.#send(HOLD.event, [eventLock(held.event)]);
    } else if ("runs" in held) {
      yield* this.#send(HOLD.runs, [held.runs]);
    } else {
      const { publicId, tenant } = held.task;
      yield* this.#send(HOLD.runOfTask, [publicId, tenant]);
      yield* this.#send(HOLD.task, [publicId, tenant]);
    }
  }

  *claimableTasks(tenant: string, topic: string, now: number, limit: number): Work<readonly RawRow[]> {
    const { rows } = yield* this.#ask(HOLD.claimable, [tenant, topic, now, limit]);
    const tasks: RawRow[] = [];
    for (const row of rows) tasks.push(...(yield* this.#ask(READS.task, [tenant, row["public_id"]])).rows);
    return tasks;
  }

  #ask(sql: string, values: readonly unknown[]) {
    return answer(this.#query(sql, values));
  }

  #send(sql: string, values: readonly unknown[]): Work<void> {
    this.#sent.push(this.#query(sql, values));
    return done(undefined);
  }

  #query(sql: string, values: readonly unknown[]) {
    const answered = this.#client.query<Record<string, unknown>>({ ...prepared(sql), values: [...values] });
    answered.catch((cause: unknown) => {
      this.#failed ??= { cause };
    });
    return answered;
  }
}

/** Inbox rows as the functions give them, a JSON array or null. */
export function postedRows(posted: unknown): readonly InboxRow[] {
  return Array.isArray(posted) ? posted.map(decodeInbox) : [];
}

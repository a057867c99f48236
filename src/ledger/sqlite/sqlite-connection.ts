import type { LedgerWrite } from "../own-writes.ts";
import type { InboxRow } from "../rows.ts";
import type { RawRow } from "../sql/fields.ts";
import { READS } from "../sql/reads.ts";
import type { SqlConnection, SqlValue } from "../sql/transaction.ts";
import { done, type Work } from "../work.ts";
import type { BatchApplier } from "./apply-batch.ts";
import type { SqliteSession } from "./session.ts";

/** The open transaction of the connection: it has the write lock, so that nobody else changes anything. */
export class SqliteConnection implements SqlConnection {
  readonly #session: SqliteSession;
  readonly #applier: BatchApplier;

  constructor(session: SqliteSession, applier: BatchApplier) {
    this.#session = session;
    this.#applier = applier;
  }

  rows(sql: string, ...values: SqlValue[]): Work<readonly RawRow[]> {
    return done(this.#session.all(sql, ...values));
  }

  send(sql: string, ...values: SqlValue[]): Work<void> {
    this.#session.all(sql, ...values);
    return done(undefined);
  }

  write(write: LedgerWrite, now: number): Work<readonly InboxRow[]> {
    const before = this.#applier.posted.length;
    this.#applier.applyOne(write, now);
    return done(this.#applier.posted.slice(before));
  }

  hold(): Work<void> {
    return done(undefined);
  }

  claimableTasks(tenant: string, topic: string, now: number, limit: number): Work<readonly RawRow[]> {
    return this.rows(READS.claimableTasks, tenant, topic, now, limit);
  }
}

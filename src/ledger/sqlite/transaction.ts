import type { LedgerWrite } from "../own-writes.ts";
import type { EndedStep, InboxRow, KeptEventRow, RunRow, SubscriptionRow, TaskRow } from "../rows.ts";
import { decodeEndedStep, decodeRun } from "../sql/decode.ts";
import { decodeInbox, decodeKeptEvent, decodeSubscription, decodeTask } from "../sql/decode-waiting.ts";
import { READS } from "../sql/reads.ts";
import type { PublishedEvent, Transaction } from "../transaction.ts";
import type { PostInbox } from "../writes.ts";
import type { BatchApplier } from "./apply-batch.ts";
import type { SqliteSession } from "./session.ts";

/** The open transaction of a connection. */
export class SqliteTransaction implements Transaction {
  readonly now: number;
  readonly #session: SqliteSession;
  readonly #applier: BatchApplier;

  constructor(session: SqliteSession, applier: BatchApplier, now: number) {
    this.#session = session;
    this.#applier = applier;
    this.now = now;
  }

  apply(write: LedgerWrite): void {
    this.#applier.applyOne(write, this.now);
  }

  post(write: PostInbox): InboxRow | undefined {
    const before = this.#applier.posted.length;
    this.apply(write);
    return this.#applier.posted[before];
  }

  run(tenant: string, publicId: string): RunRow | undefined {
    const row = this.#session.get(READS.run, tenant, publicId);
    return row === undefined ? undefined : decodeRun(row);
  }

  runId(tenant: string, publicId: string): number | undefined {
    const row = this.#session.get(READS.runId, tenant, publicId);
    return row === undefined ? undefined : Number(row["id"]);
  }

  signal(runId: number, signalId: string): InboxRow | undefined {
    const row = this.#session.get(READS.signal, runId, signalId);
    return row === undefined ? undefined : decodeInbox(row);
  }

  awaits(runId: number, name: string): boolean {
    return this.#session.get(READS.awaits, runId, name) !== undefined;
  }

  subscriptions(tenant: string, event: string, field: string, value: string): readonly SubscriptionRow[] {
    return this.#session.all(READS.subscriptions, tenant, event, field, value).map(decodeSubscription);
  }

  isSubscribed({ runId, ordinal, member }: SubscriptionRow): boolean {
    return this.#session.get(READS.subscribed, runId, ordinal, member) !== undefined;
  }

  keptEvent(tenant: string, event: string, eventId: string): PublishedEvent | undefined {
    const row = this.#session.get(READS.keptEvent, tenant, event, eventId);
    return row === undefined ? undefined : { id: Number(row["id"]), isKept: row["is_kept"] === 1, expiresAt: Number(row["expires_at"]) };
  }

  *keptEvents(tenant: string, event: string, field: string, value: string): Iterable<KeptEventRow> {
    for (const row of this.#session.each(READS.keptEvents, tenant, event, field, value, this.now)) yield decodeKeptEvent(row);
  }

  expiredEvents(limit: number): readonly number[] {
    return this.#session.all(READS.expiredEvents, this.now, limit).map((row) => Number(row["id"]));
  }

  nextEventId(): number {
    return this.#session.number(READS.nextEventId, "id");
  }

  task(tenant: string, publicId: string): TaskRow | undefined {
    const row = this.#session.get(READS.task, tenant, publicId);
    return row === undefined ? undefined : decodeTask(row);
  }

  claimableTasks(tenant: string, topic: string, limit: number): readonly TaskRow[] {
    return this.#session.all(READS.claimableTasks, tenant, topic, this.now, limit).map(decodeTask);
  }

  allSteps(runId: number): readonly EndedStep[] {
    return this.#session.all(READS.allSteps, runId).map(decodeEndedStep);
  }

  hasAttempt(runId: number, ordinal: number, attempt: number): boolean {
    return this.#session.get(READS.attempt, runId, ordinal, attempt) !== undefined;
  }
}

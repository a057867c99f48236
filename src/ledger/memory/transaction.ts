import type { AdmissionTables } from "../admission/tables.ts";
import type { LedgerWrite } from "../own-writes.ts";
import type { EndedStep, InboxRow, RunRow, SubscriptionRow, TaskRow } from "../rows.ts";
import { decodeEndedStep, decodeRun } from "../sql/decode.ts";
import { decodeInbox, decodeSubscription, decodeTask, keptEventOf } from "../sql/decode-waiting.ts";
import type { Table } from "../sql/description.ts";
import { type Executors, execute } from "../sql/executors.ts";
import type { EventKey, KeptEvent, PublishedEvent, RetainedRuns, Transaction } from "../transaction.ts";
import { done, type Work } from "../work.ts";
import type { PostInbox } from "../writes.ts";
import { MemoryAdmissionTables } from "./admission.ts";
import { awaitsSignal } from "./claims.ts";
import { MemoryRetainedRuns } from "./retention.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";
import type { MemoryViews } from "./views.ts";

/** A transaction on the tables; `MemoryTables.transaction` undoes it. */
export class MemoryTransaction implements Transaction {
  readonly now: number;
  readonly retained: RetainedRuns;
  readonly admission: AdmissionTables;
  readonly #tables: MemoryTables;
  readonly #views: MemoryViews;
  readonly #executors: Executors;

  constructor(tables: MemoryTables, views: MemoryViews, executors: Executors, now: number) {
    this.#tables = tables;
    this.#views = views;
    this.#executors = executors;
    this.now = now;
    this.retained = new MemoryRetainedRuns(tables, views);
    this.admission = new MemoryAdmissionTables(tables, now);
  }

  apply(write: LedgerWrite): Work<void> {
    execute(this.#executors, write, this.now);
    return done(undefined);
  }

  hold(): Work<void> {
    return done(undefined);
  }

  post(write: PostInbox): Work<InboxRow | undefined> {
    const before = this.#tables.added("inbox").length;
    execute(this.#executors, write, this.now);
    const row = this.#tables.added("inbox")[before];
    return done(row === undefined ? undefined : decodeInbox(row));
  }

  run(tenant: string, publicId: string): Work<RunRow | undefined> {
    const row = this.#views.find(tenant, publicId);
    return done(row === undefined ? undefined : decodeRun(this.#views.run(row)));
  }

  runId(tenant: string, publicId: string): Work<number | undefined> {
    const row = this.#views.find(tenant, publicId);
    return done(row === undefined ? undefined : Number(row["id"]));
  }

  signal(runId: number, signalId: string): Work<InboxRow | undefined> {
    const row = this.#tables.findUnique("inbox", { run_id: runId, signal_id: signalId });
    return done(row === undefined ? undefined : decodeInbox(row));
  }

  awaits(runId: number, name: string): Work<boolean> {
    return done(awaitsSignal(this.#tables, runId, name));
  }

  subscriptions(key: EventKey): Work<readonly SubscriptionRow[]> {
    return done(this.#where("subscription", { ...key }, "id").map(decodeSubscription));
  }

  isSubscribed({ runId, ordinal, member }: SubscriptionRow): Work<boolean> {
    return done(this.#tables.find("subscription", { run_id: runId, ordinal, member }).length > 0);
  }

  keptEvent(tenant: string, event: string, eventId: string): Work<PublishedEvent | undefined> {
    const row = this.#tables.findUnique("event_kept", { tenant, event, event_id: eventId });
    return done(
      row === undefined ? undefined : { id: Number(row["id"]), isKept: row["data"] !== null, expiresAt: Number(row["expires_at"]) },
    );
  }

  keptEvents(key: EventKey, after: number, limit: number): Work<readonly KeptEvent[]> {
    const keys = this.#where("event_key", { ...key }, "kept_id").filter((row) => Number(row["kept_id"]) > after);
    const events = keys.flatMap((row) => this.#tables.find("event_kept", { id: row["kept_id"] ?? null }));
    return done(
      events
        .filter((row) => Number(row["expires_at"]) > this.now)
        .slice(0, limit)
        .map(keptEventOf),
    );
  }

  expiredEvents(limit: number): Work<readonly number[]> {
    const events = this.#where("event_kept", {}, "expires_at").filter((row) => Number(row["expires_at"]) <= this.now);
    return done(events.slice(0, limit).map((row) => Number(row["id"])));
  }

  task(tenant: string, publicId: string): Work<TaskRow | undefined> {
    const row = this.#tables.findUnique("task", { public_id: publicId });
    return done(row?.["tenant"] === tenant ? this.#views.tasks([row]).map(decodeTask)[0] : undefined);
  }

  claimableTasks(tenant: string, topic: string, limit: number): Work<readonly TaskRow[]> {
    const isDue = (row: MemoryRow): boolean =>
      row["available_at"] !== null &&
      Number(row["available_at"]) <= this.now &&
      (row["expires_at"] === null || Number(row["expires_at"]) > this.now);
    const rows = this.#where("task", { tenant, topic }, "id")
      .filter(isDue)
      .toSorted((a, b) => Number(a["available_at"]) - Number(b["available_at"]));
    return done(this.#views.tasks(rows.slice(0, limit)).map(decodeTask));
  }

  allSteps(runId: number): Work<readonly EndedStep[]> {
    const rows = this.#tables.find("step", { run_id: runId }).toSorted((a, b) => Number(a["ordinal"]) - Number(b["ordinal"]));
    const hasRun = (row: MemoryRow): boolean =>
      row["started_revision"] !== null && Number(row["started_revision"]) < Number(row["revision"]);
    return done(rows.map((row) => decodeEndedStep({ ...row, has_run: hasRun(row) ? 1 : 0 })));
  }

  hasAttempt(runId: number, ordinal: number, attempt: number): Work<boolean> {
    return done(this.#tables.find("attempt", { run_id: runId, ordinal, attempt }).length > 0);
  }

  #where(table: Table, match: MemoryRow, order: string): readonly MemoryRow[] {
    const columns = Object.entries(match);
    const rows = [...this.#tables.all(table)].filter((row) => columns.every(([column, value]) => row[column] === value));
    return rows.toSorted((a, b) => Number(a[order]) - Number(b[order]));
  }
}

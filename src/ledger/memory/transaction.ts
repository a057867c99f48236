import type { LedgerWrite } from "../own-writes.ts";
import type { EndedStep, InboxRow, KeptEventRow, RunRow, SubscriptionRow, TaskRow } from "../rows.ts";
import { decodeEndedStep, decodeRun } from "../sql/decode.ts";
import { decodeInbox, decodeKeptEvent, decodeSubscription, decodeTask } from "../sql/decode-waiting.ts";
import type { Table } from "../sql/description.ts";
import { type Executors, execute } from "../sql/executors.ts";
import type { PublishedEvent, Transaction } from "../transaction.ts";
import type { PostInbox } from "../writes.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";
import type { MemoryViews } from "./views.ts";

/** A transaction on the tables; `MemoryTables.transaction` undoes it. */
export class MemoryTransaction implements Transaction {
  readonly now: number;
  readonly #tables: MemoryTables;
  readonly #views: MemoryViews;
  readonly #executors: Executors;

  constructor(tables: MemoryTables, views: MemoryViews, executors: Executors, now: number) {
    this.#tables = tables;
    this.#views = views;
    this.#executors = executors;
    this.now = now;
  }

  apply(write: LedgerWrite): void {
    execute(this.#executors, write, this.now);
  }

  post(write: PostInbox): InboxRow | undefined {
    const before = this.#tables.added("inbox").length;
    this.apply(write);
    const row = this.#tables.added("inbox")[before];
    return row === undefined ? undefined : decodeInbox(row);
  }

  run(tenant: string, publicId: string): RunRow | undefined {
    const row = this.#views.find(tenant, publicId);
    return row === undefined ? undefined : decodeRun(this.#views.run(row));
  }

  runId(tenant: string, publicId: string): number | undefined {
    const row = this.#views.find(tenant, publicId);
    return row === undefined ? undefined : Number(row["id"]);
  }

  signal(runId: number, signalId: string): InboxRow | undefined {
    const row = this.#tables.findUnique("inbox", { run_id: runId, signal_id: signalId });
    return row === undefined ? undefined : decodeInbox(row);
  }

  awaits(runId: number, name: string): boolean {
    return this.#tables.find("wait", { run_id: runId }).some((wait) => wait["kind"] === "signal" && wait["key"] === name);
  }

  subscriptions(tenant: string, event: string, field: string, value: string): readonly SubscriptionRow[] {
    return this.#where("subscription", { tenant, event, field, value }, "id").map(decodeSubscription);
  }

  isSubscribed({ runId, ordinal, member }: SubscriptionRow): boolean {
    return this.#tables.find("subscription", { run_id: runId, ordinal, member }).length > 0;
  }

  keptEvent(tenant: string, event: string, eventId: string): PublishedEvent | undefined {
    const row = this.#tables.findUnique("event_kept", { tenant, event, event_id: eventId });
    return row === undefined ? undefined : { id: Number(row["id"]), isKept: row["data"] !== null, expiresAt: Number(row["expires_at"]) };
  }

  *keptEvents(tenant: string, event: string, field: string, value: string): Iterable<KeptEventRow> {
    const keys = this.#where("event_key", { tenant, event, field, value }, "kept_id");
    const events = keys.flatMap((key) => this.#tables.find("event_kept", { id: key["kept_id"] ?? null }));
    for (const row of events) if (Number(row["expires_at"]) > this.now) yield decodeKeptEvent(row);
  }

  expiredEvents(limit: number): readonly number[] {
    const events = this.#where("event_kept", {}, "expires_at").filter((row) => Number(row["expires_at"]) <= this.now);
    return events.slice(0, limit).map((row) => Number(row["id"]));
  }

  nextEventId(): number {
    return Math.max(0, ...this.#where("event_kept", {}, "id").map((row) => Number(row["id"]))) + 1;
  }

  task(tenant: string, publicId: string): TaskRow | undefined {
    const row = this.#tables.findUnique("task", { public_id: publicId });
    return row?.["tenant"] === tenant ? decodeTask(this.#views.task(row)) : undefined;
  }

  claimableTasks(tenant: string, topic: string, limit: number): readonly TaskRow[] {
    const isDue = (row: MemoryRow): boolean =>
      row["available_at"] !== null &&
      Number(row["available_at"]) <= this.now &&
      (row["expires_at"] === null || Number(row["expires_at"]) > this.now);
    const rows = this.#where("task", { tenant, topic }, "id")
      .filter(isDue)
      .toSorted((a, b) => Number(a["available_at"]) - Number(b["available_at"]));
    return rows.slice(0, limit).map((row) => decodeTask(this.#views.task(row)));
  }

  allSteps(runId: number): readonly EndedStep[] {
    const rows = this.#tables.find("step", { run_id: runId }).toSorted((a, b) => Number(a["ordinal"]) - Number(b["ordinal"]));
    const hasRun = (row: MemoryRow): boolean =>
      row["started_revision"] !== null && Number(row["started_revision"]) < Number(row["revision"]);
    return rows.map((row) => decodeEndedStep({ ...row, has_run: hasRun(row) ? 1 : 0 }));
  }

  hasAttempt(runId: number, ordinal: number, attempt: number): boolean {
    return this.#tables.find("attempt", { run_id: runId, ordinal, attempt }).length > 0;
  }

  #where(table: Table, match: MemoryRow, order: string): readonly MemoryRow[] {
    const columns = Object.entries(match);
    const rows = [...this.#tables.all(table)].filter((row) => columns.every(([column, value]) => row[column] === value));
    return rows.toSorted((a, b) => Number(a[order]) - Number(b[order]));
  }
}

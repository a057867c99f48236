import type { RunTurn } from "../claims.ts";
import type { WaitReads } from "../port.ts";
import { type InboxRow, type RunRow, SLOTS, type WaitView } from "../rows.ts";
import { decodeRun } from "../sql/decode.ts";
import { decodeInbox, decodeTurn, decodeWaitView } from "../sql/decode-waiting.ts";
import { dueOfParked } from "./claims.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";
import type { MemoryViews } from "./views.ts";

/** Ranks are of one length. */
const placeOf = (row: MemoryRow): number => Number(row["rank"]) * 1e6 + Number(row["run_id"]);

export class MemoryWaits implements WaitReads {
  readonly #tables: MemoryTables;
  readonly #views: MemoryViews;
  readonly #now: () => number;

  constructor(tables: MemoryTables, views: MemoryViews, now: () => number) {
    this.#tables = tables;
    this.#views = views;
    this.#now = now;
  }

  async now(): Promise<number> {
    return this.#now();
  }

  async nextDue(): Promise<number | null> {
    return dueOfParked(this.#tables)[0]?.dueAt ?? null;
  }

  async listWaits(tenant: string, publicId: string): Promise<readonly WaitView[]> {
    return this.#views.of(tenant, publicId, (run) => this.#views.waits(run)).map(decodeWaitView);
  }

  async turnOf(tenant: string, publicId: string): Promise<RunTurn | undefined> {
    const run = this.#views.find(tenant, publicId);
    if (run === undefined || run["slots"] !== SLOTS.asked || run["finished_at"] !== null) return undefined;
    const entries = [...this.#tables.all("queue_entry")];
    const entry = entries.find((row) => row["run_id"] === run["id"]);
    const [partition] = entry === undefined ? [] : this.#tables.find("queue_partition", { id: entry["partition_id"] ?? null });
    const isBefore = (row: MemoryRow): boolean => row["partition_id"] === entry?.["partition_id"] && placeOf(row) < placeOf(entry ?? row);
    const [limiter] = this.#tables.find("limiter", { id: partition?.["aside_for"] ?? null });
    return decodeTurn(
      {
        worker_group: run["worker_group"],
        partition_id: partition?.["id"] ?? null,
        noted_at: this.#views.asksAt(run["id"] ?? null),
        ahead: entries.filter(isBefore).length,
        ...(limiter ?? { name: null }),
      },
      true,
    );
  }

  async listSignals(tenant: string, publicId: string): Promise<readonly InboxRow[]> {
    const signals = this.#views.of(tenant, publicId, (run) => this.#tables.find("inbox", { run_id: run["id"] ?? null }));
    return signals.map(decodeInbox).toSorted((a, b) => a.seq - b.seq);
  }

  async listChildren(tenant: string, publicId: string): Promise<readonly RunRow[]> {
    const children = this.#views.of(tenant, publicId, (parent) =>
      [...this.#tables.all("run")].filter((run) => run["parent_run_id"] === parent["id"] && run["tenant"] === tenant),
    );
    return children.map((run) => decodeRun(this.#views.run(run))).toSorted((a, b) => a.id - b.id);
  }
}

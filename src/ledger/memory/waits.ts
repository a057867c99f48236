import type { WaitReads } from "../port.ts";
import type { InboxRow, RunRow, WaitView } from "../rows.ts";
import { decodeRun } from "../sql/decode.ts";
import { decodeInbox, decodeWaitView } from "../sql/decode-waiting.ts";
import { dueOfParked } from "./claims.ts";
import type { MemoryTables } from "./tables.ts";
import type { MemoryViews } from "./views.ts";

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

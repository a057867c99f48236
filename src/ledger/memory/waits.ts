import type { DueRun, WaitReads } from "../port.ts";
import type { InboxRow, RunRow, WaitView } from "../rows.ts";
import { decodeRun } from "../sql/decode.ts";
import { decodeInbox, decodeWaitView } from "../sql/decode-waiting.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";
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
    return this.#dueOfParked()[0]?.dueAt ?? null;
  }

  async due(after: DueRun | undefined, limit: number): Promise<readonly DueRun[]> {
    const now = this.#now();
    const due = this.#dueOfParked().filter((each) => each.dueAt <= now && (after === undefined || order(each, after) > 0));
    return due.filter((each, index) => index === 0 || order(each, due[index - 1] ?? each) !== 0).slice(0, limit);
  }

  #dueOfParked(): readonly DueRun[] {
    const due: DueRun[] = [];
    for (const { run_id: runId, due_at: dueAt } of this.#tables.all("wait")) {
      if (typeof runId !== "number" || typeof dueAt !== "number") continue;
      const [run] = this.#tables.find("run", { id: runId });
      const isParked = run?.["status"] === "SUSPENDED" && run["owner_epoch"] === null && !isHeld(run);
      if (isParked) due.push({ runId, dueAt });
    }
    return due.toSorted(order);
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

/** A person must let it go; time does not. */
const isHeld = (run: MemoryRow): boolean => run["paused_by"] !== null || run["reason"] === "quarantined";

const order = (a: DueRun, b: DueRun): number => a.dueAt - b.dueAt || a.runId - b.runId;

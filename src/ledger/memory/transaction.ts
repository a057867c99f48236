import type { InboxRow, RunRow } from "../rows.ts";
import { decodeInbox, decodeRun } from "../sql/decode.ts";
import { type Executors, execute } from "../sql/executors.ts";
import type { Transaction } from "../transaction.ts";
import type { PostInbox, Write } from "../writes.ts";
import type { MemoryTables } from "./tables.ts";
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

  apply(write: Write): void {
    execute(this.#executors, write, this.now);
  }

  post(write: PostInbox): InboxRow | undefined {
    const before = this.#tables.added("inbox").length;
    this.apply(write);
    const row = this.#tables.added("inbox")[before];
    return row === undefined ? undefined : decodeInbox(row);
  }

  run(tenant: string, publicId: string): RunRow | undefined {
    const row = this.#tables.findUnique("run", { public_id: publicId });
    return row?.["tenant"] === tenant ? decodeRun(this.#views.run(row)) : undefined;
  }

  signal(runId: number, signalId: string): InboxRow | undefined {
    const row = this.#tables.findUnique("inbox", { run_id: runId, signal_id: signalId });
    return row === undefined ? undefined : decodeInbox(row);
  }

  awaits(runId: number, name: string): boolean {
    return this.#tables.find("wait", { run_id: runId }).some((wait) => wait["kind"] === "signal" && wait["key"] === name);
  }
}

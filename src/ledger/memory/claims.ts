import { admit } from "../admission/admit.ts";
import type { Admissions, Claims, DueRun, Pickup } from "../claims.ts";
import type { OpenInboxRow } from "../rows.ts";
import { SLOTS } from "../rows.ts";
import { decodeInbox } from "../sql/decode-waiting.ts";
import type { Within } from "../transaction.ts";
import { done } from "../work.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";

interface ClaimingLedger {
  now(): number;
  readonly within: Within;
  /** Of the engine that owns it. */
  epoch(): number;
}

/** Everything that was admitted is the one engine's: to look is to claim. */
export class MemoryClaims implements Claims {
  readonly #tables: MemoryTables;
  readonly #ledger: ClaimingLedger;

  constructor(tables: MemoryTables, ledger: ClaimingLedger) {
    this.#tables = tables;
    this.#ledger = ledger;
  }

  async admit(epoch: number, limit: number): Promise<Admissions> {
    const isOwner = done(epoch === this.#ledger.epoch());
    return this.#ledger.within((transaction) => admit(transaction, { workerGroups: null, epoch, limit, isOwner }));
  }

  async runs(pickup: Pickup, afterId: number, limit: number): Promise<readonly number[]> {
    const runs = [...this.#tables.all("run")].filter((run) => run["finished_at"] === null && isFor(pickup, run));
    const ids = runs.map((run) => Number(run["id"])).filter((id) => id > afterId);
    return ids.toSorted((a, b) => a - b).slice(0, limit);
  }

  async due(after: DueRun | undefined, limit: number): Promise<readonly DueRun[]> {
    const now = this.#ledger.now();
    const due = dueOfParked(this.#tables).filter((each) => each.dueAt <= now && (after === undefined || order(each, after) > 0));
    return due.filter((each, index) => index === 0 || order(each, due[index - 1] ?? each) !== 0).slice(0, limit);
  }

  async one(): Promise<boolean> {
    return true;
  }

  async sent(afterId: number, limit: number): Promise<readonly OpenInboxRow[]> {
    const isOpen = (row: MemoryRow): boolean => {
      const [run] = this.#tables.find("run", { id: row["run_id"] ?? null });
      return row["consumed_at"] === null && Number(row["id"]) > afterId && run?.["finished_at"] === null;
    };
    const rows = [...this.#tables.all("inbox")].filter(isOpen).map(decodeInbox);
    const page = rows.toSorted((a, b) => a.id - b.id).slice(0, limit);
    return page.map((row) => ({ ...row, isAwaited: row.kind !== "signal" || awaitsSignal(this.#tables, row.runId, row.name) }));
  }
}

/** Whether an open wait of a run has this signal's name. */
export function awaitsSignal(tables: MemoryTables, runId: number, name: string | null): boolean {
  return tables.find("wait", { run_id: runId }).some((wait) => wait["kind"] === "signal" && wait["key"] === name);
}

/** Every due time of a parked run. */
export function dueOfParked(tables: MemoryTables): readonly DueRun[] {
  const due: DueRun[] = [];
  for (const { run_id: runId, ordinal, due_at: dueAt } of tables.all("wait")) {
    if (typeof runId !== "number" || typeof dueAt !== "number") continue;
    const [run] = tables.find("run", { id: runId });
    const isParked =
      run?.["status"] === "SUSPENDED" && run["owner_epoch"] === null && !isHeld(run) && (run["slots"] !== SLOTS.asked || ordinal === -1);
    if (isParked) due.push({ runId, dueAt });
  }
  return due.toSorted(order);
}

/** A person must let it go; time does not. */
const isHeld = (run: MemoryRow): boolean => run["paused_by"] !== null || run["reason"] === "quarantined";

const order = (a: DueRun, b: DueRun): number => a.dueAt - b.dueAt || a.runId - b.runId;

function isFor(pickup: Pickup, { status, reason, paused_by: pausedBy, owner_epoch: owner }: MemoryRow): boolean {
  if (pausedBy !== null) return false;
  if (pickup === "no_worker") return status === "SUSPENDED" && reason === "no_worker";
  return status === "RUNNING" || owner !== null || (status === "SUSPENDED" && reason === "shutdown");
}

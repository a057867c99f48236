import type { Ledger, StoredRun } from "../../ledger/port.ts";
import type { RunRow, WaitRow } from "../../ledger/rows.ts";
import { storedDetail } from "../step-wait.ts";

/**
 * Whether only somebody outside can let a run go on: a person, a worker, or whoever sends a signal or an event. `unread`: something
 * has been sent that no engine has acted on yet, so it cannot be said.
 */
export type NeedsOthers = "yes" | "no" | "unread";

/**
 * @param soonMs a deadline that ends a wait for others within this time is waited for like any other time
 */
export async function needsOthers(ledger: Ledger, tenant: string, publicId: string, soonMs: number): Promise<NeedsOthers> {
  const run = await ledger.getRun(tenant, publicId);
  if (run === undefined || run.status !== "SUSPENDED" || isMovedByTime(run)) return "no";
  const stored = await ledger.loadRun(run.id);
  if (stored === undefined) return "no";
  if (hasUnread(stored)) return "unread";
  if (run.pausedBy !== null || run.reason === "quarantined") return "yes";
  const soon = (await ledger.waits.now()) + soonMs;
  const waits = stored.waits.filter(({ ordinal, dueAt }) => ordinal >= 0 || isWithin(dueAt, soon));
  let answer: NeedsOthers = waits.length === 0 ? "no" : "yes";
  for (const wait of waits) {
    answer = await isForOthers(ledger, tenant, wait, soon, soonMs);
    if (answer !== "yes") break;
  }
  return answer;
}

/** Says so without a look at its waits, of which there may be very many. */
function isMovedByTime({ reason, pausedBy }: RunRow): boolean {
  return pausedBy === null && (reason === "timer" || reason === "retry" || reason === "shutdown");
}

async function isForOthers(ledger: Ledger, tenant: string, wait: WaitRow, soon: number, soonMs: number): Promise<NeedsOthers> {
  switch (wait.kind) {
    case "signal":
    case "event":
    case "task":
      return isWithin(wait.dueAt, soon) ? "no" : "yes";
    case "child":
      return wait.key === null ? "no" : needsOthers(ledger, tenant, wait.key, soonMs);
    case "no_worker":
      return "yes";
    case "resume":
    case "retry":
    case "timeout":
    case "timer":
    case "delay":
      return "no";
  }
}

function isWithin(dueAt: number | null, soon: number): boolean {
  return dueAt !== null && dueAt <= soon;
}

/** A signal that nobody waits for is only kept, and so are the first of several events that are all waited for. */
function hasUnread({ inbox, waits }: StoredRun): boolean {
  const open = inbox.filter(({ consumedAt }) => consumedAt === null);
  const awaited = new Set(waits.filter(({ kind }) => kind === "signal").map(({ key }) => key));
  if (open.some(({ kind, name }) => (kind === "signal" ? awaited.has(name) : kind !== "event"))) return true;
  const come = Map.groupBy(open, ({ kind, ordinal }) => (kind === "event" ? ordinal : null));
  return waits.some((wait) => isComplete(wait, come.get(wait.ordinal)?.length ?? 0));
}

function isComplete(wait: WaitRow, come: number): boolean {
  if (come === 0) return false;
  const { mode, events = [] } = storedDetail(wait);
  return mode !== "all" || come >= events.filter(({ optional }) => !optional).length;
}

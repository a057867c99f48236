import type { Ledger, StoredRun } from "../../ledger/port.ts";
import type { InboxRow, RunRow, WaitRow } from "../../ledger/rows.ts";
import { isJsonObject, parseJson } from "../../model/json.ts";

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
  return open.some((row) => {
    if (row.kind === "signal") return waits.some(({ kind, key }) => kind === "signal" && key === row.name);
    if (row.kind !== "event") return true;
    const wait = waits.find(({ ordinal }) => ordinal === row.ordinal);
    return wait !== undefined && isComplete(wait, open);
  });
}

function isComplete({ detail, ordinal }: WaitRow, open: readonly InboxRow[]): boolean {
  const parsed = detail === null ? {} : parseJson(detail);
  const { mode, events } = isJsonObject(parsed) ? parsed : {};
  const required = Array.isArray(events) ? events.filter((event) => isJsonObject(event) && event["optional"] !== true).length : 0;
  const come = open.filter((row) => row.kind === "event" && row.ordinal === ordinal).length;
  return mode !== "all" || come >= required;
}

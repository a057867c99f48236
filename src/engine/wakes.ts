import type { InboxRow } from "../ledger/rows.ts";
import type { RecordedError } from "../model/errors.ts";
import { isJsonObject, type Json, parseJsonOrNull } from "../model/json.ts";
import { readError } from "./recorded-error.ts";
import type { RunInbox } from "./run-inbox.ts";
import type { StepWait } from "./step-wait.ts";

/** What ended a wait, and the inbox rows that it used up. */
export interface WakeUp {
  readonly kind: "timer" | "signal" | "event" | "task" | "child" | "timeout";
  readonly key: string | null;
  readonly result: { readonly ok: true; readonly payload: Json } | { readonly ok: false; readonly error: RecordedError };
  readonly rows: readonly InboxRow[];
}

/**
 * What has come for a wait, if it is enough to end it. What was accepted after the deadline came too late.
 *
 * @param now the ledger's clock
 */
export function wakeUpOf(wait: StepWait, ordinal: number, inbox: RunInbox, now: number): WakeUp | undefined {
  const { kind, key, dueAt } = wait;
  const inTime = (row: InboxRow): boolean => dueAt === null || row.acceptedAt <= dueAt;
  switch (kind) {
    case "signal": {
      const row = inbox.signal(key ?? "");
      if (row !== undefined && inTime(row)) return { kind, key, result: { ok: true, payload: parseJsonOrNull(row.payload) }, rows: [row] };
      break;
    }
    case "event": {
      const woken = eventsOf(
        wait,
        inbox.addressed(ordinal).filter((row) => row.kind === "event" && inTime(row)),
      );
      if (woken !== undefined) return woken;
      break;
    }
    case "task":
    case "child": {
      const row = inbox.addressed(ordinal).find((one) => one.kind === kind && inTime(one));
      if (row !== undefined) return { kind, key, result: resultOf(parseJsonOrNull(row.payload)), rows: [row] };
      break;
    }
    default:
      break;
  }
  return dueAt !== null && dueAt <= now ? overdue(wait) : undefined;
}

/** Its time is over: for a timer that is what it waited for. */
function overdue({ kind, key, detail }: StepWait): WakeUp | undefined {
  if (kind === "timer") return { kind, key, result: { ok: true, payload: detail.partial ?? null }, rows: [] };
  if (kind !== "signal" && kind !== "event" && kind !== "task" && kind !== "child") return undefined;
  return { kind: "timeout", key, result: { ok: true, payload: { timedOut: true } }, rows: [] };
}

/** any: the first event that came. all: once every event that is not optional has come; each event counts once. */
function eventsOf({ key, detail }: StepWait, rows: readonly InboxRow[]): WakeUp | undefined {
  const { events = [], mode = "any" } = detail;
  const first = new Map<number, InboxRow>();
  for (const row of rows) {
    const member = memberOf(row);
    if (!first.has(member)) first.set(member, row);
  }
  if (first.size === 0) return undefined;
  const isComplete = mode === "any" || events.every(({ optional }, member) => optional || first.has(member));
  if (!isComplete) return undefined;
  const [earliest] = first.values();
  const seen = (row: InboxRow | undefined): Json => (row === undefined ? null : eventOf(row));
  const payload = mode === "any" ? seen(earliest) : events.map((_, member) => seen(first.get(member)));
  return { kind: "event", key, result: { ok: true, payload }, rows };
}

/** The place of an event among those that its wait expects. */
export function memberOf(row: InboxRow): number {
  const payload = parseJsonOrNull(row.payload);
  const member = isJsonObject(payload) ? payload["member"] : undefined;
  return typeof member === "number" ? member : -1;
}

/** What the step gets of an event. */
function eventOf(row: InboxRow): Json {
  const payload = parseJsonOrNull(row.payload);
  if (!isJsonObject(payload)) return payload;
  const { event = null, id = null, data = null } = payload;
  return { event, id, data };
}

/** The payload of a task or child: how it ended. */
function resultOf(payload: Json): WakeUp["result"] {
  if (!isJsonObject(payload)) return { ok: true, payload };
  return payload["ok"] === false
    ? { ok: false, error: readError(payload["error"] ?? null) }
    : { ok: true, payload: payload["payload"] ?? null };
}

import type { InboxEntry } from "./port.ts";
import { runFinished, runNotFound } from "./refusals.ts";
import type { InboxRow, OpenInboxRow } from "./rows.ts";
import type { Transaction } from "./transaction.ts";

/** Puts what a caller sends into the inbox of its run, once for each signal id. */
export function acceptEntry(transaction: Transaction, entry: InboxEntry): OpenInboxRow {
  const { tenant, publicId, kind, name = null, signalId, payload, actor } = entry;
  const runId = transaction.runId(tenant, publicId);
  if (runId === undefined) throw runNotFound(publicId);
  const known = signalId === undefined ? undefined : transaction.signal(runId, signalId);
  if (known !== undefined) return withAwaited(transaction, known);
  const row = transaction.post({
    write: "postInbox",
    runId,
    targetRunId: runId,
    kind,
    ordinal: null,
    name,
    payload: payload === null ? null : JSON.stringify(payload),
    actor,
    ...(signalId === undefined ? {} : { signalId }),
  });
  if (row === undefined) throw runFinished(publicId);
  return withAwaited(transaction, row);
}

/** With whether anything is there for it yet: of a signal, an open wait for its name. */
export function withAwaited(transaction: Transaction, row: InboxRow): OpenInboxRow {
  return { ...row, isAwaited: row.kind !== "signal" || (row.name !== null && transaction.awaits(row.runId, row.name)) };
}

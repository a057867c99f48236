import type { InboxEntry } from "./port.ts";
import { runFinished, runNotFound } from "./refusals.ts";
import type { InboxRow, OpenInboxRow } from "./rows.ts";
import type { Transaction } from "./transaction.ts";
import type { Work } from "./work.ts";

/** Puts what a caller sends into the inbox of its run, once for each signal id. */
export function* acceptEntry(transaction: Transaction, entry: InboxEntry): Work<OpenInboxRow> {
  const { tenant, publicId, kind, name = null, signalId, payload, actor } = entry;
  const runId = yield* transaction.runId(tenant, publicId);
  if (runId === undefined) throw runNotFound(publicId);
  const known = signalId === undefined ? undefined : yield* transaction.signal(runId, signalId);
  if (known !== undefined) return yield* withAwaited(transaction, known);
  const row = yield* transaction.post({
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
  return yield* withAwaited(transaction, row);
}

/** With whether anything is there for it yet: of a signal, an open wait for its name. */
function* withAwaited(transaction: Transaction, row: InboxRow): Work<OpenInboxRow> {
  return { ...row, isAwaited: row.kind !== "signal" || (row.name !== null && (yield* transaction.awaits(row.runId, row.name))) };
}

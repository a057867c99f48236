import type { QueuedRun } from "./port.ts";
import { SLOTS } from "./rows.ts";
import type { InsertNote, InsertRun } from "./writes.ts";

/** A run that waits for its turn, from a process that does not own the ledger. */
export const queuedRun = (run: QueuedRun, runId: number): readonly [InsertRun, InsertNote] => [queuedInsert(run, runId), asks(runId)];

export function queuedInsert(run: QueuedRun, runId: number): InsertRun {
  return { ...run, write: "insertRun", runId, status: "QUEUED", ownerEpoch: null, parent: null, slots: SLOTS.asked, revision: 1 };
}

/** What stands beside the insert of a run that waits for its turn. */
export const asks = (runId: number, dueInMs = 0): InsertNote => ({ write: "insertNote", runId, note: "asks", dueInMs });

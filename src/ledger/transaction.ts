import type { InboxRow, RunRow } from "./rows.ts";
import type { PostInbox, Write } from "./writes.ts";

/** An open transaction of any backend: what the operations need that are written once for all of them. */
export interface Transaction {
  /** The time of the commit. */
  readonly now: number;
  /** @throws StepwellError `LEDGER_CONFLICT` when the write breaks a guard */
  apply(write: Write): void;
  /** Accepts a row into an inbox; undefined when its run has ended. */
  post(write: PostInbox): InboxRow | undefined;

  run(tenant: string, publicId: string): RunRow | undefined;
  /** The signal that a run accepted under an id of its sender. */
  signal(runId: number, signalId: string): InboxRow | undefined;
  /** Whether an open wait of the run has this signal's name. */
  awaits(runId: number, name: string): boolean;
}

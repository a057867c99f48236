import type { InboxRow } from "../ledger/rows.ts";
import type { RunJournal } from "./run-journal.ts";

/** What a run does about what it was sent. */
export interface InboxTarget {
  /** The row is taken up by the commit that is being gathered. */
  accepted(row: InboxRow): void;
  cancel(): void;
  /** Nothing starts and no wait ends until somebody resumes the run; what runs is recorded when it ends. */
  pause(actor: string): void;
  /** Somebody lets the run go on, if anything holds it. */
  release(): void;
  /** Something for its steps. */
  receive(row: InboxRow): void;
}

/**
 * Whether what is decided and not yet on disk must be taken back for it. A command goes before everything that was decided without it; what
 * ends waits only does if one was taken for expired that it may have come for in time: the ledger's time can be heard of before it is.
 */
export function overturns(row: InboxRow, { expiredUntil }: Pick<RunJournal, "expiredUntil">): boolean {
  return isCommand(row) || row.acceptedAt <= expiredUntil;
}

/** Whether it is for the run itself; the others end waits of its steps. */
function isCommand({ kind }: InboxRow): boolean {
  return kind === "cancel" || kind === "pause" || kind === "resume" || kind === "retry";
}

/**
 * Applies what was accepted, in that order, but a cancel first: nothing that came with it begins a step any more. One that an
 * earlier commit took up is still in force.
 */
export function applyInbox(run: InboxTarget, inbox: readonly InboxRow[]): void {
  const cancels = inbox.filter(({ kind }) => kind === "cancel");
  for (const row of cancels) {
    run.accepted(row);
    run.cancel();
  }
  for (const row of inbox) if (row.kind !== "cancel" && row.consumedAt === null) applyRow(run, row, cancels.length > 0);
}

function applyRow(run: InboxTarget, row: InboxRow, isCancelled: boolean): void {
  switch (row.kind) {
    case "pause":
    case "resume":
    case "retry":
      run.accepted(row);
      if (row.kind === "pause" && !isCancelled) run.pause(row.actor);
      else if (row.kind === "resume") run.release();
      break;
    default:
      run.receive(row);
  }
}

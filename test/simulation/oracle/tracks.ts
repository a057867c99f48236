import type { InboxRow, StepKind, WaitKind } from "../../../src/ledger/rows.ts";
import type { InsertRun } from "../../../src/ledger/writes.ts";
import type { RunStatus, StepStatus } from "../../../src/model/status.ts";
import type { Program } from "../programs/construct.ts";

/** A moment by two clocks. */
export interface Moment {
  readonly trueMs: number;
  readonly ledgerMs: number;
}

/** A wait that is in the ledger. */
export interface WaitTrack {
  readonly kind: WaitKind;
  readonly key: string | null;
  /** When it may end at the earliest, or at the latest, by true time and by the ledger's. */
  readonly due: Moment | null;
  readonly childRunId: number | null;
  readonly detail: string | null;
}

/** What the ledger was made to hold of a step, followed write by write. */
export interface StepTrack {
  readonly ordinal: number;
  readonly path: string;
  readonly kind: StepKind;
  readonly parent: number | null;
  status: StepStatus;
  reason: string | null;
  attempt: number;
  /** Position in the log of the newest RUNNING. */
  startedAt: number;
  /** Position in the log of its end; -1 before. */
  settledAt: number;
  failures: number;
  /** Recorded attempts that failed, by attempt. */
  readonly failed: Set<number>;
  wait: WaitTrack | null;
  output: string | null;
  error: string | null;
  /** A crash hid its outcome, and it must not start twice. */
  isUnknown: boolean;
  /** Its wait lasted as long as it might. */
  hasTimedOut: boolean;
  /** The run that its newest attempt started. */
  childRunId: number | null;
}

export interface InboxTrack {
  readonly row: InboxRow;
  isConsumed: boolean;
}

export interface RunTrack {
  readonly insert: InsertRun;
  /** Undefined for one whose workflow the simulation did not make. */
  readonly program: Program | undefined;
  status: RunStatus;
  reason: string | null;
  pausedBy: string | null;
  readonly steps: Map<number, StepTrack>;
  readonly byPath: Map<string, StepTrack>;
  readonly inbox: InboxTrack[];
  /** Position in the log of the first accepted cancel. */
  cancelledAt: number | null;
  /** When it first ran, by true time and by the ledger's. */
  began: Moment | null;
  /** Position in the log of the first row that its own timeout ended. */
  timedOutAt: number | null;
  revision: number;
  /** Recoveries since an attempt came back. */
  recoveries: number;
  /** Since when no engine knows of it, as a position in the log and a moment; null while one does. */
  parkedAt: { readonly position: number; readonly trueMs: number } | null;
  /** By process: when it read the run last. */
  readonly loads: Map<string, number>;
}

/** A wait that a unit ended. */
export interface DroppedWait {
  readonly step: StepTrack;
  readonly wait: WaitTrack;
  /** The run was paused when it ended. */
  readonly isPaused: boolean;
}

/** Since when no step of a run may begin, as a position in the log: it was cancelled, or its timeout has ended something. */
export function cutAt({ cancelledAt, timedOutAt }: RunTrack): number | null {
  if (cancelledAt === null || timedOutAt === null) return cancelledAt ?? timedOutAt;
  return Math.min(cancelledAt, timedOutAt);
}

export function whereIs(run: RunTrack, path: string): string {
  return `step ${path} of run ${run.insert.publicId}`;
}

/** The path under which a program knows a step of a body: without the numbers of items and rounds. */
export function declaredAs(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "");
}

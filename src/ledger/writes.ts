import type { Scalar } from "../model/json.ts";
import type { RunReason, StepReason, TerminalRunStatus, TerminalStepStatus } from "../model/status.ts";
import type { AttemptRow, InboxKind, InboxRow, JsonText, NoteKind, StepRow, WaitKind } from "./rows.ts";

/**
 * The hot writes: everything that driving a run changes. They carry no times: the ledger stamps `now` once per commit into
 * every row, and due times are given as delays from it. Each is one statement, described as data in `sql/hot-writes.ts`.
 */
export type Write =
  | InsertRun
  | StartRun
  | SuspendRun
  | EndRun
  | PauseRun
  | InsertStep
  | RestartStep
  | ResumeStep
  | SuspendStep
  | SettleStep
  | InsertAttempt
  | InsertEvent
  | InsertWait
  | DeleteWait
  | ConsumeInbox
  | PostInbox
  | InsertSubscription
  | DeleteSubscriptions
  | InsertTask
  | CloseTask
  | RequeueRun
  | InsertNote;

/**
 * A new run. RUNNING stamps `started_at`; QUEUED leaves it for `startRun`. One that is to be admitted has `slots` 2, no owner, and an `InsertNote`
 * beside it that says so.
 */
export interface InsertRun {
  readonly write: "insertRun";
  readonly runId: number;
  readonly publicId: string;
  readonly tenant: string;
  readonly versionId: number;
  readonly status: "QUEUED" | "RUNNING";
  readonly input: JsonText;
  readonly labels: JsonText | null;
  readonly initiator: string;
  readonly trigger: string;
  readonly environment: string;
  readonly idempotencyKey: string | null;
  /** SHA-256 of what was asked; another request under the same key differs here. */
  readonly idempotencyHash: string | null;
  readonly ownerEpoch: number | null;
  readonly deadlineInMs: number | null;
  readonly parent: RunParent | null;
  readonly workerGroup: string;
  /** JSON text of its `Admission`; null for one without limits. */
  readonly admission: JsonText | null;
  /** How far it is with its slots: see `SLOTS`; null for one that needs none. */
  readonly slots: number | null;
  readonly revision: number;
}

/** Where a child run hangs. It goes into the unit that suspends its parent's step. */
export interface RunParent {
  readonly runId: number;
  /** Path and ordinal of the step that waits for it. */
  readonly step: string;
  readonly ordinal: number;
  /** 1 for a child of a run without a parent. */
  readonly depth: number;
  readonly rootRunId: number;
}

/**
 * QUEUED, SUSPENDED or (after a crash) RUNNING → RUNNING, now owned by `ownerEpoch`. `started_at` keeps the first start, `deadline_at` what
 * follows from it.
 */
export interface StartRun {
  readonly write: "startRun";
  readonly runId: number;
  readonly reason: RunReason | null;
  readonly ownerEpoch: number;
  /** What `runs.crashes` becomes. */
  readonly crashes: number;
  readonly deadlineInMs: number | null;
  readonly revision: number;
}

/** RUNNING → SUSPENDED, or another reason for a run that is SUSPENDED. `ownerEpoch: null` releases the run. */
export interface SuspendRun {
  readonly write: "suspendRun";
  readonly runId: number;
  readonly reason: RunReason;
  readonly ownerEpoch: number | null;
  readonly crashes: number;
  /** How far it is with its slots from now on: see `SLOTS`; null: as far as it was. An `InsertNote` says what changes. */
  readonly slots: number | null;
  readonly revision: number;
}

/** A QUEUED run that an engine had for a command goes back and asks for its turn anew. */
export interface RequeueRun {
  readonly write: "requeueRun";
  readonly runId: number;
}

/** What admission must hear of a run. */
export interface InsertNote {
  readonly write: "insertNote";
  readonly runId: number;
  readonly note: NoteKind;
  /** It is read no earlier. */
  readonly dueInMs: number;
}

/** RUNNING, SUSPENDED or QUEUED → terminal; releases the run. */
export interface EndRun {
  readonly write: "endRun";
  readonly runId: number;
  readonly status: TerminalRunStatus;
  readonly reason: RunReason | null;
  readonly output: JsonText | null;
  readonly error: JsonText | null;
  readonly revision: number;
}

/** Pauses a run that has not ended, or with `pausedBy` null lets it go on: a paused run is not given out as due or queued. */
export interface PauseRun {
  readonly write: "pauseRun";
  readonly runId: number;
  readonly pausedBy: string | null;
  readonly revision: number;
}

/**
 * The first row of a step: its start (RUNNING), or, for a step that settles in the commit that decides it (skipped, cancelled,
 * a switch, a `with` that cannot be evaluated), its end. A block is inserted SUSPENDED; a scope with its end. `attempt` 0 means
 * that it never started. A root step that is no block has the kind `step` and neither path nor uses nor parent: its version
 * knows them.
 */
export interface InsertStep extends Omit<StepRow, "startedAt" | "attemptStartedAt" | "finishedAt"> {
  readonly write: "insertStep";
}

/** SUSPENDED or RUNNING (after a crash) → RUNNING with the next attempt. */
export interface RestartStep {
  readonly write: "restartStep";
  readonly runId: number;
  readonly ordinal: number;
  readonly reason: StepReason | null;
  readonly attempt: number;
  readonly revision: number;
}

/** SUSPENDED → RUNNING in the same attempt: the operator is told what ended its wait. */
export interface ResumeStep {
  readonly write: "resumeStep";
  readonly runId: number;
  readonly ordinal: number;
  readonly revision: number;
}

/** RUNNING → SUSPENDED, or another reason for a step that is SUSPENDED. `output` is partial; `error` is the failure that the next attempt follows. */
export interface SuspendStep {
  readonly write: "suspendStep";
  readonly runId: number;
  readonly ordinal: number;
  readonly reason: StepReason;
  readonly failures: number;
  readonly output: JsonText | null;
  readonly error: JsonText | null;
  readonly revision: number;
}

/** RUNNING or SUSPENDED → terminal. */
export interface SettleStep {
  readonly write: "settleStep";
  readonly runId: number;
  readonly ordinal: number;
  readonly status: TerminalStepStatus;
  readonly reason: StepReason | null;
  readonly failures: number;
  readonly output: JsonText | null;
  readonly error: JsonText | null;
  readonly revision: number;
}

/** An attempt that ended and that another followed, or a late result that no longer counts (DISCARDED). */
export interface InsertAttempt {
  readonly write: "insertAttempt";
  readonly runId: number;
  readonly ordinal: number;
  readonly attempt: number;
  readonly status: AttemptRow["status"];
  readonly error: JsonText | null;
  readonly revision: number;
}

/** A run-level event of the history that no row of its own already shows. */
export interface InsertEvent {
  readonly write: "insertEvent";
  readonly runId: number;
  readonly event: string;
  readonly detail: JsonText | null;
  readonly actor: string;
  readonly revision: number;
}

/** A step has one wait at a time. */
export interface InsertWait {
  readonly write: "insertWait";
  readonly runId: number;
  readonly ordinal: number;
  readonly kind: WaitKind;
  readonly key: string | null;
  readonly dueInMs: number | null;
  /** An absolute due time; it goes before `dueInMs`. */
  readonly dueAt: number | null;
  readonly childRunId: number | null;
  readonly detail: JsonText | null;
}

export interface DeleteWait {
  readonly write: "deleteWait";
  readonly runId: number;
  readonly ordinal: number;
}

/** Marks exactly one inbox row consumed, in the commit of what it causes; one that is consumed already is a conflict. */
export interface ConsumeInbox {
  readonly write: "consumeInbox";
  readonly runId: number;
  readonly seq: number;
}

/**
 * Accepts a row into the inbox of another run, or of the own one, in the commit that causes it; nothing when that run has
 * ended.
 */
export interface PostInbox {
  readonly write: "postInbox";
  /** The run that causes it. */
  readonly runId: number;
  readonly targetRunId: number;
  readonly kind: InboxKind;
  readonly ordinal: number | null;
  readonly name: string | null;
  readonly payload: JsonText | null;
  readonly actor: string;
  readonly signalId?: string;
}

/** Fields of an event's data and what they must be. */
export type Equalities = Readonly<Record<string, Scalar>>;

/**
 * One event that a waiting step looks for. Events that were kept are matched in the same commit. A match ends the subscription;
 * with the mode `any` it ends all of the step.
 */
export interface InsertSubscription {
  readonly write: "insertSubscription";
  readonly runId: number;
  readonly ordinal: number;
  /** Position among the events that the step waits for. */
  readonly member: number;
  readonly mode: "any" | "all";
  readonly tenant: string;
  readonly event: string;
  readonly where: Equalities;
}

export interface DeleteSubscriptions {
  readonly write: "deleteSubscriptions";
  readonly runId: number;
  readonly ordinal: number;
}

/** A work item that somebody else completes, for the step that waits for it. */
export interface InsertTask {
  readonly write: "insertTask";
  readonly runId: number;
  readonly ordinal: number;
  readonly publicId: string;
  readonly tenant: string;
  readonly task: ApprovalRequest | WorkRequest;
  readonly expiresInMs: number | null;
  /** It goes before `expiresInMs`. */
  readonly expiresAt: number | null;
}

export interface ApprovalRequest {
  readonly type: "approval";
  readonly title: string;
  readonly description: string | null;
  readonly form: JsonText | null;
  readonly assignees: readonly string[];
  readonly groups: readonly string[];
  readonly onReject: "fail" | "continue";
}

export interface WorkRequest {
  readonly type: "work";
  readonly topic: string;
  readonly payload: JsonText;
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
  readonly leaseMs: number;
}

/** Ends the step's task when it is still open. */
export interface CloseTask {
  readonly write: "closeTask";
  readonly runId: number;
  readonly ordinal: number;
  readonly status: "CANCELLED" | "EXPIRED";
}

/** All that one run changes in one commit; it is written whole or not at all. */
export interface Unit {
  readonly runId: number;
  /** The `inbox_seq` under which this was decided; null for a run that the unit itself inserts. */
  readonly inboxSeq: number | null;
  readonly writes: readonly Write[];
}

export interface Batch {
  /** Epoch of the worker that writes; an older one than the ledger's is fenced. */
  readonly epoch: number;
  readonly units: readonly Unit[];
}

export type CommitOutcome =
  /**
   * `missed` holds the indexes of the units that were left out because their run's inbox had moved on, also by an earlier unit
   * of the same batch. `accepted` holds all rows that the commit put into inboxes, in the order of their ids.
   */
  | {
      readonly outcome: "committed";
      readonly now: number;
      readonly missed: readonly number[];
      readonly accepted: readonly InboxRow[];
    }
  /** Nothing was written: another engine owns the ledger now. */
  | { readonly outcome: "fenced" };

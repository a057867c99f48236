import type { Json } from "../model/json.ts";
import type { RunReason, RunStatus, StepReason, StepStatus } from "../model/status.ts";

/** Text of a JSON value, as it is stored. The ledger never looks inside. */
export type JsonText = string;

/** A registered, immutable version of a workflow. */
export interface VersionRow {
  readonly id: number;
  readonly tenant: string;
  readonly workflow: string;
  readonly version: string | null;
  /** SHA-256 (hex) of the canonical JSON of the definition. */
  readonly hash: string;
  readonly definition: JsonText;
  readonly createdAt: number;
}

/** A step of a version; `version_steps` holds these once, so that PENDING steps of a run need no rows of their own. */
export interface VersionStep {
  readonly ordinal: number;
  readonly path: string;
  readonly uses: string;
}

/** A run as it is stored. Times are milliseconds of the ledger's clock. */
export interface RunRow {
  /** Internal key: small, growing, unique in the ledger. */
  readonly id: number;
  /** UUIDv7, the only key that leaves the ledger. */
  readonly publicId: string;
  readonly tenant: string;
  readonly versionId: number;
  readonly workflow: string;
  readonly version: string | null;
  readonly status: RunStatus;
  readonly reason: RunReason | null;
  readonly input: JsonText;
  readonly output: JsonText | null;
  readonly error: JsonText | null;
  readonly labels: JsonText | null;
  readonly initiator: string;
  readonly trigger: string;
  readonly environment: string;
  readonly idempotencyKey: string | null;
  readonly parentRunId: number | null;
  readonly parentStep: string | null;
  readonly parentOrdinal: number | null;
  /** Runs above this one: 0 for a run that no other one started. */
  readonly depth: number;
  /** The run at the top; null for a run that is there itself. */
  readonly rootRunId: number | null;
  readonly forkedFrom: number | null;
  readonly forkedAtStep: string | null;
  /** The worker epoch that owns the run, null when nobody does. */
  readonly ownerEpoch: number | null;
  /** Number of the last accepted signal, cancel or decision. */
  readonly inboxSeq: number;
  readonly revision: number;
  /** Recoveries since a step last settled; three quarantine the run. */
  readonly crashes: number;
  /** Who paused it; null while it is not paused. */
  readonly pausedBy: string | null;
  /** Workers that serve this group drive it. */
  readonly workerGroup: string;
  /** JSON text of its `Admission`; null for one without limits. */
  readonly admission: JsonText | null;
  /** How far it is with its slots: see `SLOTS`; null for one that needs none. */
  readonly slots: number | null;
  readonly deadlineAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** How far a run is with its slots, as its row says; null for one that needs none. */
export const SLOTS = { idle: 0, held: 1, asked: 2 } as const;

/** What admission must hear of a run. `asks`: it wants its turn. `parked`, `ended`: it leaves the slots that it does not keep. */
export type NoteKind = "asks" | "parked" | "ended";

/**
 * What a row of `step` stands for. `item` and `round` are scopes that have settled; `block` is a step that owns scopes;
 * `compensation` undoes a step.
 */
export type StepKind = "step" | "block" | "item" | "round" | "compensation" | "checkpoint";

/** A step of a run as it is stored; its current attempt lives here, earlier ones in `AttemptRow`. */
export interface StepRow {
  readonly runId: number;
  readonly ordinal: number;
  readonly kind: StepKind;
  /** For example `lines[3].price`; null for a root step, whose version knows it. */
  readonly path: string | null;
  /** Operator of a step with a path of its own. */
  readonly uses: string | null;
  /** Ordinal of the scope or block that it belongs to; null for a root step. */
  readonly parent: number | null;
  readonly status: Exclude<StepStatus, "PENDING">;
  readonly reason: StepReason | null;
  /** 1 for the first try; 0 for a step that never started. Only grows, also over crashes. */
  readonly attempt: number;
  /** Attempts that count against `retry.maxAttempts`. */
  readonly failures: number;
  /** The evaluated `with`; retries reuse it. */
  readonly input: JsonText | null;
  readonly output: JsonText | null;
  readonly error: JsonText | null;
  /** Ordinals that a switch selected. */
  readonly selected: JsonText | null;
  readonly idempotencyKey: string | null;
  readonly revision: number;
  readonly startedAt: number | null;
  readonly attemptStartedAt: number | null;
  readonly finishedAt: number | null;
}

/** A step as `runs retry` looks at it. */
export interface EndedStep extends StepRow {
  /** An attempt of it was started; false for a step that settled in the commit that decided it. */
  readonly hasRun: boolean;
}

export interface AttemptRow {
  readonly runId: number;
  readonly ordinal: number;
  readonly attempt: number;
  readonly status: "FAILED" | "LOST" | "DISCARDED";
  readonly error: JsonText | null;
  readonly revision: number;
  readonly startedAt: number | null;
  readonly finishedAt: number;
}

/**
 * `timeout` is the run's own deadline, kept while it is parked; its ordinal is -1. `delay` is the pause between two rounds. `resume` keeps what ended a wait until
 * the step's operator has been told of it.
 */
export type WaitKind = "resume" | "retry" | "no_worker" | "timeout" | "timer" | "delay" | "signal" | "event" | "task" | "child";

/** Why a suspended step or run is not running, and what ends that: one for each step. */
export interface WaitRow {
  readonly runId: number;
  readonly ordinal: number;
  readonly kind: WaitKind;
  readonly key: string | null;
  readonly dueAt: number | null;
  readonly childRunId: number | null;
  /** What the engine must know to end the wait. */
  readonly detail: JsonText | null;
  readonly since: number;
}

/** A wait as it is shown to callers. */
export interface WaitView {
  readonly ordinal: number;
  /** Null for what the run itself waits for. */
  readonly path: string | null;
  readonly kind: WaitKind;
  readonly key: string | null;
  readonly dueAt: number | null;
  /** Public id of the child. */
  readonly childRunId: string | null;
  readonly detail: JsonText | null;
  readonly since: number;
}

/**
 * `resume` lets a run go on that was paused, or is held because it took engines down. `retry` reopened a FAILED run. The
 * payload of `task` and `child` is `{ok: true, payload}` or `{ok: false, error}`, that of `event` `{member, event, id, data}`.
 */
export type InboxKind = "cancel" | "pause" | "resume" | "signal" | "event" | "task" | "child" | "retry";

export interface InboxRow {
  /** Position in acceptance order over all runs. */
  readonly id: number;
  readonly runId: number;
  /** Position in acceptance order, from 1; equals `runs.inbox_seq` at acceptance. */
  readonly seq: number;
  readonly kind: InboxKind;
  /** Name of a signal or event. */
  readonly name: string | null;
  /** The step that it is for, where it is for one. */
  readonly ordinal: number | null;
  /** Given by the sender of a signal: the same one again changes nothing. */
  readonly signalId: string | null;
  readonly payload: JsonText | null;
  readonly actor: string;
  readonly acceptedAt: number;
  /** When a commit took it up; null while none has. */
  readonly consumedAt: number | null;
}

/** An inbox row that no commit has consumed. */
export interface OpenInboxRow extends InboxRow {
  /** False for a signal whose name no open wait of its run has: it is kept, and nobody need act on it. */
  readonly isAwaited: boolean;
}

/** An open subscription of a waiting step. */
export interface SubscriptionRow {
  readonly runId: number;
  readonly ordinal: number;
  readonly member: number;
  readonly mode: "any" | "all";
  readonly tenant: string;
  readonly event: string;
  readonly where: Readonly<Record<string, string | number | boolean>>;
}

/** An event that waits for the first subscription that matches. */
export interface KeptEventRow {
  readonly id: number;
  readonly eventId: string;
  readonly data: Json;
}

/** DEAD_LETTER is open: a person may restore it. */
export type TaskStatus = "READY" | "CLAIMED" | "RETRY_WAIT" | "DEAD_LETTER" | "DONE" | "CANCELLED" | "EXPIRED";

/** A work item that a person or a remote worker completes. */
export interface TaskRow {
  readonly id: number;
  readonly publicId: string;
  readonly tenant: string;
  readonly runId: number;
  readonly ordinal: number;
  /** Public id of the run, and path of the step. */
  readonly run: string;
  readonly step: string;
  readonly type: "approval" | "work";
  readonly topic: string | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly form: JsonText | null;
  readonly assignees: readonly string[];
  readonly groups: readonly string[];
  readonly payload: JsonText | null;
  readonly onReject: "fail" | "continue" | null;
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
  readonly leaseMs: number;
  readonly status: TaskStatus;
  /** Times that it was claimed; only grows. */
  readonly attempt: number;
  /** Attempts that failed or did not come back since it was made or restored. */
  readonly failures: number;
  /** Who has it, under which token and how long; a secret between the ledger and the worker. */
  readonly leaseToken: string | null;
  readonly worker: string | null;
  readonly leaseUntil: number | null;
  /** When it may be claimed next; null for an approval and for what is not to be claimed. */
  readonly availableAt: number | null;
  readonly expiresAt: number | null;
  readonly createdAt: number;
  readonly closedAt: number | null;
  readonly decidedBy: string | null;
  readonly decision: JsonText | null;
  readonly error: JsonText | null;
  readonly revision: number;
}

/** One line of a run's history: run-level events and step transitions in revision order. */
export interface HistoryRow {
  readonly revision: number;
  readonly at: number;
  /** For example `run.started`, `step.succeeded`, `run.recovered`. */
  readonly event: string;
  readonly step: string | null;
  readonly attempt: number | null;
  readonly detail: JsonText | null;
  readonly actor: string | null;
}

/** A step of a run with its definition, PENDING ones included: the rows of the view `step_runs`. */
export interface StepRunRow {
  readonly ordinal: number;
  readonly path: string;
  readonly uses: string;
  readonly status: StepStatus;
  readonly reason: StepReason | null;
  readonly attempt: number;
  readonly input: JsonText | null;
  readonly output: JsonText | null;
  readonly error: JsonText | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

import type { TaskStatus } from "../ledger/rows.ts";
import type { RecordedError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { SqlClient } from "../model/sql-client.ts";
import type { RunReason, RunStatus, StepReason, StepStatus, TerminalStepStatus } from "../model/status.ts";
import type { OperatorContext } from "../operators/operator.ts";

/** How a run stands; what `result` resolves with once it has ended. */
export interface RunOutcome {
  readonly id: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly status: RunStatus;
  readonly reason: RunReason | null;
  readonly output: Json;
  readonly error: RecordedError | null;
}

/** A run with all its steps, PENDING ones included: what `get` gives and `stepwell run --json` prints. */
export interface RunResult extends RunOutcome {
  readonly steps: readonly StepResult[];
}

export interface StepResult {
  readonly id: string;
  readonly status: StepStatus;
  readonly reason: StepReason | null;
  readonly attempt: number;
  readonly output: Json;
  readonly error: RecordedError | null;
  /** ISO 8601, the ledger's clock; null while it has not happened. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** A run as lists show it. */
export interface RunSummary {
  readonly id: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly status: RunStatus;
  readonly reason: RunReason | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** Runs, newest first; `next` is the cursor of the page that follows. */
export interface RunPageResult {
  readonly runs: readonly RunSummary[];
  readonly next: string | undefined;
}

export interface StartOptions {
  /** Two starts with one key are one run; another workflow or input under the same key is `IDEMPOTENCY_KEY_REUSED`. */
  readonly idempotencyKey?: string;
  /** Who or what asked for the run; kept in the history. Default `api`. */
  readonly initiator?: string;
  /** What kind of trigger started it. Default `call`. */
  readonly trigger?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * A client of `pg` with an open transaction in the database of the ledger: the run exists once that commits, and never if it does not.
   * It is stored QUEUED, and whoever has room takes it up. `NOT_SUPPORTED` where the ledger is not in PostgreSQL.
   */
  readonly transaction?: SqlClient;
}

export interface SignalOptions {
  /** The same id again is the same signal: it is accepted and changes nothing. */
  readonly id?: string;
  /** Who sends it; kept in the history. Default `api`. */
  readonly actor?: string;
}

export interface PublishOptions {
  /** The same id of the same event again is the same event: it changes nothing. */
  readonly id?: string;
  /** How long an event that nobody waits for is kept for the first who does: a duration. Default `24h`. */
  readonly retain?: string | number;
}

/** What became of an event. */
export interface PublishResult {
  /** How many steps waited for it. */
  readonly delivered: number;
  /** Nobody waited for it: it is kept. */
  readonly kept: boolean;
  /** It was published before under this id. */
  readonly duplicate: boolean;
}

/** What a step waits for that somebody else does: a person (approval) or a remote worker (work). */
export interface TaskDetail {
  readonly id: string;
  /** Id of the run, and path of its step. */
  readonly run: string;
  readonly step: string;
  readonly type: "approval" | "work";
  readonly topic: string | null;
  readonly title: string | null;
  readonly description: string | null;
  /** Who may decide; nobody named: everybody. */
  readonly assignees: readonly string[];
  readonly groups: readonly string[];
  readonly status: TaskStatus;
  /** Times that a worker claimed it. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly worker: string | null;
  readonly decidedBy: string | null;
  /** JSON Schema 2020-12 of what is filled in. */
  readonly form: Json;
  readonly payload: Json;
  readonly decision: Json;
  readonly error: Json;
  /** ISO 8601, the ledger's clock; null while it has not happened, or never will. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly closedAt: string | null;
}

/** A task that a worker has claimed: `token` speaks for it until `leaseUntil`. */
export interface LeasedTask extends TaskDetail {
  readonly token: string;
  readonly leaseUntil: string;
}

export interface TaskFilter {
  readonly status?: TaskStatus;
  readonly topic?: string;
  /** Id of a run. */
  readonly run?: string;
  /** Only what this person, or one of `groups`, may decide. */
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly cursor?: string;
  /** Default 50. */
  readonly limit?: number;
}

export interface TaskPageResult {
  readonly tasks: readonly TaskDetail[];
  readonly next: string | undefined;
}

export interface Decision {
  /** Who decides, and the groups that he or she is in. */
  readonly by: string;
  readonly groups?: readonly string[];
  readonly comment?: string;
  /** What was filled in. */
  readonly form?: unknown;
}

export interface PollOptions {
  /** Name of the worker, for those who look at the task. */
  readonly worker: string;
  /** Default 1. */
  readonly limit?: number;
}

/** How an engine is known in its ledger. */
export interface EngineIdentity {
  readonly name: string;
  /** Grows with every engine that has owned the ledger. */
  readonly epoch: number;
}

export interface Concurrency {
  /** Attempts that execute at once over all runs; further ready steps wait as PENDING. Default 1,024. */
  readonly steps?: number;
  /** Runs held in memory at once; further ones wait as QUEUED. Default 4,096. */
  readonly runs?: number;
}

/** What has happened, told after it is durable. Listeners must not throw; one that does is reported and goes on. */
export type LifecycleEvent =
  | { readonly type: "run.queued" | "run.started" | "run.recovered" | "run.resumed"; readonly run: RunRef }
  | { readonly type: "run.suspended"; readonly run: RunRef; readonly reason: RunReason }
  | {
      readonly type: "run.ended";
      readonly run: RunRef;
      readonly status: RunStatus;
      readonly reason: RunReason | null;
      readonly error: RecordedError | null;
    }
  | {
      readonly type: "step.started";
      readonly run: RunRef;
      readonly step: string;
      readonly attempt: number;
      /** Of a step that repeats steps of its own: how many items it has, or how many rounds at most. */
      readonly block?: { readonly kind: "foreach" | "loop"; readonly total: number };
    }
  /** An item or a round of a block, `lines[3]`, has ended. */
  | {
      readonly type: "item.settled";
      readonly run: RunRef;
      readonly step: string;
      readonly status: TerminalStepStatus;
      readonly error: RecordedError | null;
    }
  | {
      readonly type: "step.retrying";
      readonly run: RunRef;
      readonly step: string;
      readonly attempt: number;
      readonly error: RecordedError;
      /** Milliseconds until the next attempt. */
      readonly delayMs: number;
    }
  | {
      readonly type: "step.suspended";
      readonly run: RunRef;
      readonly step: string;
      readonly attempt: number;
      /** What it waits for, and by which name. */
      readonly kind: "timer" | "signal" | "event" | "task" | "child";
      readonly key: string | null;
      /** By which a person knows it: the title of an approval, the topic of work, the workflow of a child. */
      readonly about: string | null;
      /** Milliseconds until time ends the wait; null: it does not. */
      readonly dueInMs: number | null;
    }
  | {
      readonly type: "step.settled";
      readonly run: RunRef;
      readonly step: string;
      readonly attempt: number;
      readonly status: TerminalStepStatus;
      readonly reason: StepReason | null;
      readonly error: RecordedError | null;
    }
  | { readonly type: "step.discarded"; readonly run: RunRef; readonly step: string; readonly attempt: number }
  | {
      readonly type: "log";
      readonly run: RunRef;
      readonly step: string;
      readonly attempt: number;
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, Json>>;
    }
  /** Runs that had ended, and were kept no longer, are deleted. */
  | { readonly type: "runs.pruned"; readonly runs: number }
  /** A run should go, and stays: it cannot be archived, because what the ledger has of it is damaged. */
  | { readonly type: "run.unarchived"; readonly runId: string; readonly error: RecordedError }
  /** The archive cannot be written: no run is deleted until it can. */
  | { readonly type: "archive.stalled"; readonly error: RecordedError; readonly retryInMs: number }
  /** Nothing is lost: the same changes are tried again after `retryInMs`. */
  | { readonly type: "ledger.stalled"; readonly error: RecordedError; readonly retryInMs: number }
  /** The engine has stopped; unfinished runs go on when one is started again. */
  | { readonly type: "ledger.failed"; readonly error: RecordedError }
  /** After its lease was lost, an engine works on a shared ledger again, under a new epoch. */
  | { readonly type: "ledger.owned"; readonly epoch: number }
  /** The queue does not answer. Nothing is lost: the engine looks at the ledger by itself until it does. */
  | { readonly type: "queue.stalled"; readonly error: RecordedError }
  | { readonly type: "queue.resumed" }
  /** Something about the queue is not as it should be; it is used nevertheless. */
  | { readonly type: "queue.warned"; readonly error: RecordedError }
  /** A job in the queue is none of Stepwell's: it was put aside and is not tried again. */
  | { readonly type: "job.refused"; readonly jobId: string; readonly error: RecordedError }
  /** A run cannot be driven on in this process; the ledger keeps what was committed. */
  | { readonly type: "run.broken"; readonly runId: string; readonly error: RecordedError };

export interface RunRef {
  readonly id: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly tenant: string;
  /** Step ids in declaration order. */
  readonly steps: readonly string[];
}

/** What it returns does not count, but a promise that it returns is watched: a failure is reported. */
export type Listener = (event: LifecycleEvent) => unknown;

/** Wraps the execution of every attempt; must call `next` once and return what it returns, or throw. */
export type Interceptor = (attempt: OperatorContext, next: () => Promise<unknown>) => Promise<unknown>;

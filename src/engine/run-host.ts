import type { CallerTransactions } from "../ledger/caller-transactions.ts";
import type { Committing } from "../ledger/committer.ts";
import type { StoredRun } from "../ledger/port.ts";
import type { InsertRun } from "../ledger/writes.ts";
import type { Clock, Random, Timer } from "../model/clock.ts";
import type { RecordedError, StepwellError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { RunReason, TerminalRunStatus } from "../model/status.ts";
import type { RunContext } from "../operators/operator.ts";
import type { SuspendRequest } from "../operators/suspension.ts";
import type { Interceptor, LifecycleEvent } from "./api.ts";
import type { Lineage } from "./lineage.ts";
import type { OperatorRegistry, ThreadExecutor } from "./operators.ts";
import type { Placement } from "./placement.ts";
import type { Schemas } from "./schemas.ts";
import type { Slots } from "./slots.ts";

/** How a run ended. */
export interface RunEnd {
  readonly status: TerminalRunStatus;
  readonly reason: RunReason | null;
  readonly output: Json;
  /** JSON text of the output, as it is written. */
  readonly outputText: string | null;
  readonly error: RecordedError | null;
}

/** A run that is in memory, as the engine sees it. */
export interface DrivenRun extends Committing {
  readonly publicId: string;
  readonly context: RunContext;
  /** Leaves memory: timers end, attempts are told to stop, nothing more is written. */
  drop(reason: StepwellError): void;
}

/** A run that is as parked as the ledger knows it, and still in memory. */
export interface LingeringRun extends DrivenRun {
  /** Leaves memory if it still waits. */
  leave(): void;
}

export type ChildRequest = Extract<SuspendRequest, { readonly kind: "child" }>;

/** The run and the step that start a child. */
export interface ChildParent {
  readonly runId: number;
  readonly context: RunContext;
  readonly lineage: Lineage;
  readonly step: string;
  readonly ordinal: number;
  readonly attempt: number;
}

/** What a run finds in the engine that drives it. */
export interface RunHost {
  readonly epoch: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly schemas: Schemas;
  readonly operators: OperatorRegistry;
  readonly threads: ThreadExecutor;
  readonly transactions: CallerTransactions | null;
  readonly slots: Slots;
  readonly placement: Placement;
  readonly interceptors: readonly Interceptor[];
  /** Milliseconds that a cancelled or timed-out run waits for its operators before it ends without them. */
  readonly cancelGraceMs: number;
  /** No new step starts: the engine is stopping. */
  readonly isStopping: boolean;
  /** Memory is needed for runs that have something to do: what only waits leaves it. */
  readonly isCrowded: boolean;
  /** Whether anybody listens, so that events nobody hears are not made. */
  readonly isHeard: boolean;
  /** The ledger's clock as this process knows it, milliseconds since the Unix epoch. */
  ledgerNow(): number;
  /** A new public id. */
  newId(): string;
  /** Calls back once the ledger's clock has reached a moment, never before. */
  alarm(dueAt: number, callback: () => void): Timer;
  /**
   * Makes the insert of a child run.
   * @throws StepwellError `WORKFLOW_NOT_FOUND`, `INPUT_INVALID`, `CHILD_TOO_DEEP`, `CHILD_RECURSION` (as a rejection)
   */
  prepareChild(request: ChildRequest, parent: ChildParent): Promise<InsertRun>;
  /**
   * Child runs are on disk, QUEUED: this engine's, or to be admitted.
   * @param isNoted admission has something to hear: runs may have their turn
   */
  onLanded(children: readonly InsertRun[], isNoted: boolean): void;
  commit(run: DrivenRun): void;
  emit(event: LifecycleEvent): void;
  /** Asks the ledger again for as long as it is busy, full or out of reach. */
  patiently<T>(ask: () => Promise<T>): Promise<T>;
  /** Reads a run, and the ledger's time with it; patiently. */
  load(runId: number): Promise<StoredRun | undefined>;
  /** The run's first unit is on disk. */
  onStarted(run: DrivenRun): void;
  /** Whether a run that waits again stays in memory, because something was sent to it at `sentToAt` and more may follow soon. */
  mayLinger(run: LingeringRun, sentToAt: number): boolean;
  onEnded(run: DrivenRun, end: RunEnd): void;
  /** The run waits for something far away and left memory; time wakes it at `dueAt`, on the ledger's clock. */
  onParked(run: DrivenRun, dueAt: number | null): void;
  /** The run's first unit was refused: it does not exist. */
  onRefused(run: DrivenRun, error: StepwellError): void;
  /** The run cannot be driven on in this process; the ledger keeps what was committed. */
  onBroken(run: DrivenRun, error: StepwellError): void;
}

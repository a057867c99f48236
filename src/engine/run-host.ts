import type { StoredRun } from "../ledger/port.ts";
import type { Clock, Random } from "../model/clock.ts";
import type { RecordedError, StepwellError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { RunReason, TerminalRunStatus } from "../model/status.ts";
import type { Interceptor, LifecycleEvent } from "./api.ts";
import type { OperatorRegistry, ThreadExecutor } from "./operators.ts";
import type { RunDriver } from "./run-driver.ts";
import type { Schemas } from "./schemas.ts";
import type { Slots } from "./slots.ts";

/** How a run ended. */
export interface RunEnd {
  readonly status: TerminalRunStatus;
  readonly reason: RunReason | null;
  readonly output: Json;
  readonly error: RecordedError | null;
}

/** What a run finds in the engine that drives it. */
export interface RunHost {
  readonly epoch: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly schemas: Schemas;
  readonly operators: OperatorRegistry;
  readonly threads: ThreadExecutor;
  readonly slots: Slots;
  readonly interceptors: readonly Interceptor[];
  /** Milliseconds that a cancelled or timed-out run waits for its operators before it ends without them. */
  readonly cancelGraceMs: number;
  /** No new step starts: the engine is stopping. */
  readonly isStopping: boolean;
  /** Whether anybody listens, so that events nobody hears are not made. */
  readonly isHeard: boolean;
  /** The ledger's clock as this process knows it, milliseconds since the Unix epoch. */
  ledgerNow(): number;
  commit(run: RunDriver): void;
  emit(event: LifecycleEvent): void;
  load(runId: number): Promise<StoredRun | undefined>;
  /** The run's first unit is on disk. */
  onStarted(run: RunDriver): void;
  onEnded(run: RunDriver, end: RunEnd): void;
  /** The run waits for something far away and left memory. */
  onParked(run: RunDriver): void;
  /** The run's first unit was refused: it does not exist. */
  onRefused(run: RunDriver, error: StepwellError): void;
  /** The run cannot be driven on in this process; the ledger keeps what was committed. */
  onBroken(run: RunDriver, error: StepwellError): void;
}

import type { Ledger } from "../ledger/port.ts";
import type { Clock, Random } from "../model/clock.ts";
import type { StepwellError } from "../model/errors.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import type { Queue } from "../queue/port.ts";
import type { Compile } from "../workflow/index.ts";
import type { Concurrency, Interceptor, Listener } from "./api.ts";
import type { OperatorRegistry, ThreadExecutor } from "./operators.ts";

export interface EngineOptions {
  readonly ledger: Ledger;
  /** Wakes it for runs that are stored QUEUED, and others for its own. */
  readonly queue: Queue;
  readonly operators: OperatorRegistry;
  /** What the validator knows of the operators, asked at each `register`. */
  readonly catalog: () => OperatorCatalog;
  /** How definitions are compiled: engines of one process may share what they compiled. Default: each for itself. */
  readonly compile?: Compile;
  readonly threads: ThreadExecutor;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes the public id of a run from the ledger's time. Default: a UUIDv7. */
  readonly newRunId?: (nowMs: number) => string;
  /** Kept with every run: `production`, `staging`, … */
  readonly environment: string;
  /** Of the runs that are started and read here. Default: `default`. */
  readonly tenant?: string;
  /** Version of Stepwell, kept with the engine's row in the ledger. */
  readonly version: string;
  readonly concurrency: Concurrency;
  /** The worker groups whose runs it drives in a shared ledger. Default: every run. */
  readonly groups?: readonly string[];
  /** May change while the engine is open. */
  readonly listeners: ReadonlySet<Listener>;
  readonly interceptors: readonly Interceptor[];
  /** Told once, before anybody else is, when the engine gives up. */
  readonly onFailed?: (error: StepwellError) => void;
  readonly cancelGraceMs: number;
  readonly stopGraceMs: number;
}

import type { Json } from "../model/json.ts";
import type { TransactionWork } from "../model/sql-client.ts";
import type { SuspendRequest, Suspension } from "./suspension.ts";

/** What a run is known by while one of its steps executes (S1-23); immutable, the same object for every step of the run. */
export interface RunContext {
  readonly runId: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly tenant: string;
  readonly initiator: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The run's input; frozen. */
  readonly input: Json;
}

/** What an operator is given beside its input (S1-24). */
export interface OperatorContext {
  readonly stepId: string;
  readonly workflow: string;
  readonly runId: string;
  readonly run: RunContext;
  /** 1 for the first try; only grows, also over crashes. */
  readonly attempt: number;
  /** The same for every attempt of this step of this run; pass it to whoever must not act twice. */
  readonly idempotencyKey: string;
  /** Aborts when the attempt times out or the run is cancelled; `signal.reason` is a StepwellError that says which. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * "Not yet": what it gives is returned, never thrown, and the step is SUSPENDED until what it waits for has come (S1-34).
   * @throws StepwellError `SUSPENSION_INVALID`, `DURATION_INVALID`, `VALUE_NOT_JSON` for a request that cannot be waited for
   */
  readonly suspend: (request: SuspendRequest) => Suspension;
  /**
   * Runs `work` in a transaction of the ledger's own PostgreSQL database. What it writes and the success of the step are one commit, or
   * neither is there: `work` gives the step's result, and what it throws rolls back. One for each attempt, READ COMMITTED, on a client
   * of `pg` with the database's own search path. It is not `work` that ends the transaction.
   *
   * @throws StepwellError `NOT_SUPPORTED` where the ledger is not in PostgreSQL or the step runs in a thread of its own,
   *   `TRANSACTION_INVALID`, `STEP_CANCELLED`, `STEP_TIMEOUT` when the step has ended meanwhile, `LEDGER_FENCED`, `LEDGER_UNREACHABLE`
   */
  readonly transaction: <T>(work: TransactionWork<T>) => Promise<T>;
}

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, Json>>): void;
  info(message: string, fields?: Readonly<Record<string, Json>>): void;
  warn(message: string, fields?: Readonly<Record<string, Json>>): void;
  error(message: string, fields?: Readonly<Record<string, Json>>): void;
}

/**
 * What a step does. The returned value becomes the step's `result`; it must be plain JSON, undefined counts as null. A thrown
 * error fails the attempt: a StepwellError keeps its code, anything else is `STEP_FAILED` (retryable).
 */
export type Operator<Input = Json, Output = unknown> = (input: Input, context: OperatorContext) => Output | Promise<Output>;

/** What ended a suspension. `timeout`: its deadline passed first. */
export interface Wake {
  readonly kind: "timer" | "signal" | "event" | "task" | "child" | "timeout";
  readonly key: string | null;
  readonly payload: Json;
}

/** An operator that is called again when its suspension ends, in the same attempt; without `resume` the payload of the wake is the result (S1+2). */
export interface ResumableOperator<Input = Json, Output = unknown> {
  readonly execute: Operator<Input, Output>;
  /** `partial` is what the suspension kept. It may suspend again. */
  readonly resume: (context: OperatorContext, wake: Wake, partial: Json) => Output | Promise<Output>;
}

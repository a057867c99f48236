import type { Json } from "../model/json.ts";

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

import type { Clock, Timer } from "../model/clock.ts";
import { type RecordedError, StepwellError } from "../model/errors.ts";
import { type Json, toJson } from "../model/json.ts";
import type { TransactionWork } from "../model/sql-client.ts";
import type { Logger, Operator, OperatorContext, RunContext } from "../operators/operator.ts";
import { type SuspendRequest, Suspension } from "../operators/suspension.ts";
import type { Interceptor } from "./api.ts";
import { recordError } from "./recorded-error.ts";
import type { RunFrame } from "./run-context.ts";
import type { Succeeded } from "./run-journal.ts";
import { concealIn } from "./secrets.ts";

/** How an attempt ended. `returned` carries what the operator gave, not yet checked; `committed` what its transaction wrote. */
export type AttemptOutcome =
  | { readonly outcome: "returned"; readonly value: unknown }
  | { readonly outcome: "committed"; readonly result: Succeeded }
  | { readonly outcome: "failed"; readonly error: RecordedError };

/** What an attempt needs from its run. */
export interface AttemptHost {
  readonly host: { readonly clock: Clock; readonly interceptors: readonly Interceptor[] };
  readonly context: RunContext;
  /** Where its operators execute. */
  readonly frame: RunFrame;
  /** Runs work in a transaction that commits with the success of the attempt's step. */
  transact<T>(attempt: Attempt, work: TransactionWork<T>): Promise<T>;
  logger(attempt: Attempt): Logger;
  /** Called once, with the outcome that counts. */
  attemptEnded(attempt: Attempt, outcome: AttemptOutcome): void;
  /** Called when the operator came back after the attempt had already ended by timeout or by force. */
  attemptCameLate(attempt: Attempt): void;
}

/** One try of a step. It is its operator's context, made so that what an operator does not touch costs nothing. */
export class Attempt implements OperatorContext {
  readonly ordinal: number;
  readonly stepId: string;
  readonly attempt: number;
  readonly #run: AttemptHost;
  readonly #key: string | null;
  #controller: AbortController | undefined;
  #abortReason: StepwellError | undefined;
  #timer: Timer | undefined;
  /** The timeout and when it is over, on the monotonic clock. */
  #limit: { readonly timeoutMs: number; readonly dueMs: number } | undefined;
  #logger: Logger | undefined;
  #secrets: readonly string[] = [];
  #ended = false;
  #hasTransacted = false;
  /** The commit that holds its success is on its way: nothing else ends the attempt meanwhile. */
  #isCommitting = false;
  #committed: Succeeded | undefined;

  constructor(run: AttemptHost, ordinal: number, stepId: string, attempt: number, idempotencyKey: string | null) {
    this.#run = run;
    this.ordinal = ordinal;
    this.stepId = stepId;
    this.attempt = attempt;
    this.#key = idempotencyKey;
  }

  get run(): RunContext {
    return this.#run.context;
  }

  get runId(): string {
    return this.#run.context.runId;
  }

  get workflow(): string {
    return this.#run.context.workflow;
  }

  get idempotencyKey(): string {
    return this.#key ?? `${this.runId}:${this.stepId}`;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get log(): Logger {
    this.#logger ??= this.#run.logger(this);
    return this.#logger;
  }

  suspend(request: SuspendRequest): Suspension {
    return new Suspension(request);
  }

  get transaction(): OperatorContext["transaction"] {
    return (work) => this.#transact(work);
  }

  /** Values that must not leave the operator in what it returns, throws or logs. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  conceal(values: readonly string[]): void {
    // the longest first, so that one that is part of another leaves nothing of it
    this.#secrets = values.filter((value) => value !== "").toSorted((one, other) => other.length - one.length);
  }

  /** Why the attempt was told to stop, if it was. */
  get abortReason(): StepwellError | undefined {
    return this.#abortReason;
  }

  /** Runs the operator in the run's context; the outcome reaches the host, never the caller. */
  execute(operator: Operator<Json>, input: Json, timeoutMs: number | null): void {
    if (timeoutMs !== null) {
      const { clock } = this.#run.host;
      this.#limit = { timeoutMs, dueMs: clock.monotonic() + timeoutMs };
      this.#timer = clock.setTimer(timeoutMs, () => this.#timeOut());
    }
    try {
      const { interceptors } = this.#run.host;
      const called = interceptors.length === 0 ? operator : this.#intercepted(operator, interceptors);
      const returned = this.#run.frame.enter(called, input, this);
      // subscribed out here, so that what follows belongs to no run
      if (isPromiseLike(returned))
        returned.then(
          (value) => this.#succeed(value),
          (thrown: unknown) => this.#fail(thrown),
        );
      else this.#succeed(returned);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Tells the operator to stop; the attempt ends when it does. */
  abort(reason: StepwellError): void {
    if (this.#ended || this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /**
   * Ends the attempt without waiting for the operator and without an outcome; a late result is discarded. False when it cannot be: its
   * success is on disk, or about to be, and it ends with that.
   */
  abandon(reason: StepwellError): boolean {
    if (this.#ended) return true;
    this.abort(reason);
    if (this.#isCommitting) return false;
    if (this.#committed !== undefined) {
      this.#run.host.clock.soon(() => this.#succeed(null));
      return false;
    }
    this.#timer?.cancel();
    this.#ended = true;
    return true;
  }

  async #transact<T>(work: TransactionWork<T>): Promise<T> {
    if (this.#hasTransacted) throw new StepwellError("TRANSACTION_INVALID", "An attempt has one transaction: its value is the result");
    this.#hasTransacted = true;
    return this.#run.transact(this, work);
  }

  /** @throws StepwellError what ended the attempt, or is about to, if anything did */
  expectAlive(): void {
    if (this.#abortReason !== undefined) throw this.#abortReason;
    if (this.#ended) throw new StepwellError("STEP_CANCELLED", "the attempt has ended");
  }

  /** Of an attempt that is alive. */
  beginCommit(): void {
    this.#isCommitting = true;
  }

  /** @param committed the success that is on disk now; undefined: it is not, and will not be */
  endCommit(committed: Succeeded | undefined): void {
    this.#isCommitting = false;
    this.#committed = committed;
    if (committed === undefined && this.#isOverdue) this.#timeOut();
  }

  get #isOverdue(): boolean {
    return this.#limit !== undefined && this.#run.host.clock.monotonic() >= this.#limit.dueMs;
  }

  #intercepted(operator: Operator<Json>, interceptors: readonly Interceptor[]): Operator<Json> {
    return (input) => {
      let chain = async (): Promise<unknown> => operator(input, this);
      for (const interceptor of interceptors.toReversed()) {
        const next = chain;
        chain = () => this.#intercept(interceptor, next);
      }
      return chain();
    };
  }

  /** An interceptor stands around the operator, it cannot take its place: `next` is called once. */
  async #intercept(interceptor: Interceptor, next: () => Promise<unknown>): Promise<unknown> {
    let calls = 0;
    const value = await interceptor(this, () => {
      calls += 1;
      if (calls > 1) throw new StepwellError("INTERCEPTOR_INVALID", "an interceptor called `next` twice");
      return next();
    });
    if (calls === 0) throw new StepwellError("INTERCEPTOR_INVALID", "an interceptor returned without calling `next`");
    return value;
  }

  #succeed(value: unknown): void {
    // an operator that blocked this thread for longer than its timeout comes back before its timer could fire
    if (!this.#ended && this.#isOverdue) this.#timeOut();
    if (!this.#end() || this.#endedCommitted()) return;
    this.#run.attemptEnded(this, this.#secrets.length === 0 ? { outcome: "returned", value } : this.#concealed(value));
  }

  /** Whatever the operator did after it: what its transaction committed is what became of the step. */
  #endedCommitted(): boolean {
    if (this.#committed === undefined) return false;
    this.#run.attemptEnded(this, { outcome: "committed", result: this.#committed });
    return true;
  }

  #fail(thrown: unknown): void {
    if (!this.#end() || this.#endedCommitted()) return;
    const error = recordError(this.#abortReason ?? thrown);
    this.#run.attemptEnded(this, { outcome: "failed", error: this.#secrets.length === 0 ? error : concealIn(error, this.#secrets) });
  }

  /** Plain JSON first: what is not would lose its meaning, and what does not end would not end here either. */
  #concealed(value: unknown): AttemptOutcome {
    try {
      return { outcome: "returned", value: concealIn(toJson(value, `the result of step "${this.stepId}"`), this.#secrets) };
    } catch (thrown) {
      return { outcome: "failed", error: concealIn(recordError(thrown), this.#secrets) };
    }
  }

  #timeOut(): void {
    if (this.#ended || this.#isCommitting) return;
    const error = new StepwellError("STEP_TIMEOUT", `step "${this.stepId}" took longer than its timeout of ${this.#limit?.timeoutMs} ms`);
    this.abort(error);
    this.#ended = true;
    if (this.#endedCommitted()) return;
    this.#run.attemptEnded(this, { outcome: "failed", error: recordError(error) });
  }

  /** Whether this was the first end; a second one is a late result. */
  #end(): boolean {
    this.#timer?.cancel();
    if (this.#ended) {
      this.#run.attemptCameLate(this);
      return false;
    }
    this.#ended = true;
    return true;
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

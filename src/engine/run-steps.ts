import type { EvaluationContext, Scope, StepView } from "../expressions/template.ts";
import { invariant, type RecordedError, StepwellError } from "../model/errors.ts";
import { type Json, toJson } from "../model/json.ts";
import type { StepReason } from "../model/status.ts";
import { decisionKind, decisionStep, NO_DECISION, type Scheduler } from "../scheduler/index.ts";
import type { Step } from "../workflow/graph.ts";
import { Attempt } from "./attempt.ts";
import { evaluateFallback, payloadText } from "./finish-output.ts";
import { inThread } from "./operators.ts";
import { type Prepared, prepareStep } from "./prepare-step.ts";
import { recordError } from "./recorded-error.ts";
import { nextDelay } from "./retry.ts";
import { type RunCore, type StepFailure, type StepState, stepAt } from "./run-core.ts";
import type { Fact } from "./run-journal.ts";
import { withSecrets } from "./secrets.ts";
import { NO_RESULT, StepRecorder, type Succeeded } from "./step-recorder.ts";

const FAILURE_REASONS: Readonly<Record<string, StepReason>> = { STEP_TIMEOUT: "timeout", OUTCOME_UNKNOWN: "outcome_unknown" };

/**
 * The steps of one run: turns the scheduler's decisions into starts and rows, and outcomes into facts. After a crash or a commit
 * that was left out it is retired and built anew from the ledger.
 */
export class RunSteps {
  readonly scheduler: Scheduler;
  readonly recorder: StepRecorder;
  /** The first failure that fails the run. */
  failure: StepFailure | undefined;
  readonly #core: RunCore;
  readonly #views: Readonly<Record<string, StepView>>;
  /** Made with the first expression. */
  #scope: Scope | undefined;
  readonly #states: (StepState | undefined)[];
  #evaluating = 0;
  #slotsAsked = 0;
  #isRetired = false;

  constructor(core: RunCore, scheduler: Scheduler, views: Record<string, StepView>, states: (StepState | undefined)[]) {
    this.#core = core;
    this.scheduler = scheduler;
    this.recorder = new StepRecorder(core, views);
    this.#views = views;
    this.#states = states;
  }

  get scope(): Scope {
    this.#scope ??= scopeOf(this.#core, this.#views);
    return this.#scope;
  }

  /** Expressions are being evaluated; what they decide belongs into the unit that is being gathered. */
  get isEvaluating(): boolean {
    return this.#evaluating > 0;
  }

  /** Something goes on without any wait ending. */
  get isBusy(): boolean {
    const waitsForSlot = this.#slotsAsked > 0 && !this.#core.host.isStopping;
    return this.#evaluating > 0 || waitsForSlot || this.scheduler.runningCount > 0;
  }

  /** Attempts that are executing now. */
  running(): readonly Attempt[] {
    return this.#states.flatMap((state) => (state === undefined || state.running === null ? [] : [state.running]));
  }

  evaluation(stepId: string): EvaluationContext {
    return { nowMs: this.#core.host.ledgerNow(), seed: `${this.#core.context.runId}/${stepId}` };
  }

  /** Follows the scheduler's decisions until it has none left. */
  decide(): void {
    for (let decision = this.scheduler.next(); decision !== NO_DECISION; decision = this.scheduler.next()) {
      const step = stepAt(this.#core.plan, decisionStep(decision));
      const kind = decisionKind(decision);
      if (kind.kind === "ready") this.#prepare(step);
      else this.recorder.settled(step, this.#states[step.ordinal], { ...NO_RESULT, status: kind.status, reason: kind.reason });
    }
  }

  /** Calls the operator of a step whose RUNNING is on disk. */
  launch(ordinal: number): void {
    const { plan, host } = this.#core;
    const step = stepAt(plan, ordinal);
    const state = this.#stateOf(ordinal);
    const operator = host.operators.get(step.uses ?? "");
    invariant(operator !== undefined, `step ${step.id} was started without its operator`);
    const attempt = new Attempt(this.#core, ordinal, step.id, state.attempt, state.idempotencyKey);
    state.running = attempt;
    const secrets = plan.secretSlots[ordinal] ?? [];
    const execute = step.isolation === "thread" ? inThread(host.threads, operator) : operator.execute;
    const filled = secrets.length === 0 ? execute : withSecrets(execute, secrets, plan.graph.secrets, (values) => attempt.conceal(values));
    attempt.execute(filled, step.with === null ? {} : toJson(state.input, "the input"), step.timeoutMs);
  }

  /** Records how the running attempt of a step ended. */
  tell({ ordinal, outcome }: Fact): void {
    const step = stepAt(this.#core.plan, ordinal);
    const state = this.#stateOf(ordinal);
    state.running = null;
    this.#releaseSlot(state);
    if (outcome.outcome === "succeeded") {
      this.scheduler.markSucceeded(ordinal);
      this.#succeed(step, outcome, null, null);
    } else if (this.scheduler.ending !== null) {
      this.#cancelled(step, outcome.error);
    } else {
      state.failures += 1;
      this.#retryOrFail(step, state, outcome.error);
    }
  }

  /** A wait is over: the step goes on with its next attempt as soon as a slot is free. */
  resume(ordinal: number): void {
    if (this.scheduler.statusOf(ordinal) !== "SUSPENDED" || this.#core.host.isStopping) return;
    this.#whenSlotFree(ordinal, "SUSPENDED", () => {
      this.scheduler.markResumed(ordinal);
      this.#nextAttempt(ordinal, null);
    });
  }

  /** A step that a crash left RUNNING: begins again with the same input and key, or fails because it must not start twice. */
  recover(ordinal: number): void {
    const step = stepAt(this.#core.plan, ordinal);
    const state = this.#stateOf(ordinal);
    if (step.delivery === "at-most-once") {
      const message = `a crash hid whether attempt ${state.attempt} of step "${step.id}" took effect`;
      this.#fail(step, recordError(new StepwellError("OUTCOME_UNKNOWN", message)));
      return;
    }
    this.recorder.lost(step, state.attempt);
    if (this.#core.host.operators.get(step.uses ?? "") === undefined) {
      this.scheduler.markSuspended(ordinal);
      this.recorder.held(step, state, "no_worker");
      this.recorder.waitForOperator(step);
      return;
    }
    this.#core.host.slots.takeAnyway();
    this.#nextAttempt(ordinal, "recovered");
  }

  /** A step that may have killed its worker too often: it waits for a person. */
  holdAfterCrash(ordinal: number): void {
    const step = stepAt(this.#core.plan, ordinal);
    const state = this.#stateOf(ordinal);
    this.recorder.lost(step, state.attempt);
    this.scheduler.markSuspended(ordinal);
    this.recorder.held(step, state, "quarantined");
  }

  /** Steps that were held begin again; those that wait for something go on waiting. */
  releaseHeld(): void {
    for (const ordinal of this.#states.keys()) if (!this.recorder.waits.has(ordinal)) this.resume(ordinal);
  }

  /** Takes over what goes on while the run was read back: attempts still running, and those whose outcome is about to be told. */
  adopt(attempts: ReadonlyMap<number, Attempt>, facts: readonly Fact[]): void {
    const ended = new Set(facts.map(({ ordinal }) => ordinal));
    for (const ordinal of ended) this.#adopt(ordinal, null);
    for (const [ordinal, attempt] of attempts) if (!ended.has(ordinal)) this.#adopt(ordinal, attempt);
  }

  /** Tries the steps again that wait for an operator which this process did not have. */
  retryMissingOperators(): void {
    for (const step of this.#stepsWithNewOperator()) {
      if (this.scheduler.statusOf(step.ordinal) === "SUSPENDED") this.resume(step.ordinal);
      else this.#prepare(step);
    }
  }

  /** After a restart: suspended steps whose operator is here now go on. Steps that never started are decided READY anyway. */
  resumeWithOperators(): void {
    for (const { ordinal } of this.#stepsWithNewOperator()) this.resume(ordinal);
  }

  abortAll(reason: StepwellError): void {
    for (const attempt of this.running()) attempt.abort(reason);
  }

  /** Ends what did not stop in time; late results are discarded. */
  abandonAll(reason: StepwellError): void {
    for (const attempt of this.running()) {
      attempt.abandon(reason);
      const state = this.#stateOf(attempt.ordinal);
      state.running = null;
      this.#releaseSlot(state);
      this.#cancelled(stepAt(this.#core.plan, attempt.ordinal), recordError(reason));
    }
  }

  /** A step that was started and whose operator need not be called any more, because the run was cancelled first. */
  cancelBeforeLaunch(ordinal: number, error: RecordedError): void {
    this.#releaseSlot(this.#stateOf(ordinal));
    this.#cancelled(stepAt(this.#core.plan, ordinal), error);
  }

  /** Starts the clock of a wait that is on disk: its delay counts from then, as its due time in the ledger does. */
  arm(ordinal: number): void {
    const wait = this.recorder.waits.get(ordinal);
    if (wait === undefined || wait.delayMs === null || wait.timer !== null) return;
    const { clock } = this.#core.host;
    wait.dueMs = clock.monotonic() + wait.delayMs;
    const due = (): void => {
      const earlyMs = (wait.dueMs ?? 0) - clock.monotonic();
      // a timer may fire a moment early, a wait must not
      if (earlyMs > 0) wait.timer = clock.setTimer(Math.ceil(earlyMs), due);
      else {
        this.resume(ordinal);
        this.#core.advance();
      }
    };
    wait.timer = clock.setTimer(Math.ceil(wait.delayMs), due);
  }

  armAll(): void {
    for (const ordinal of this.recorder.waits.keys()) this.arm(ordinal);
  }

  /** Stops taking part: timers end, slots are given back, attempts go on and are handed over. */
  retire(): ReadonlyMap<number, Attempt> {
    this.#isRetired = true;
    const attempts = new Map<number, Attempt>();
    for (const wait of this.recorder.waits.values()) wait.timer?.cancel();
    for (const [ordinal, state] of this.#states.entries()) {
      if (state === undefined) continue;
      if (state.running !== null) attempts.set(ordinal, state.running);
      this.#releaseSlot(state);
    }
    return attempts;
  }

  /** Steps that wait for an operator which this process has now. */
  #stepsWithNewOperator(): readonly Step[] {
    const { plan, host } = this.#core;
    const waiting = [...this.recorder.waits].filter(([, wait]) => wait.kind === "no_worker");
    return waiting.map(([ordinal]) => stepAt(plan, ordinal)).filter(({ uses }) => host.operators.get(uses ?? "") !== undefined);
  }

  #prepare(step: Step): void {
    if (this.#core.host.isStopping) return;
    const prepared = prepareStep(step, this);
    if (prepared instanceof Promise) this.#evaluate(prepared, (value) => this.#follow(step, value));
    else this.#follow(step, prepared);
  }

  /** Waits for expressions without letting the run commit in between. */
  #evaluate<T>(promise: Promise<T>, next: (value: T) => void): void {
    this.#evaluating += 1;
    void promise.then((value) => {
      this.#evaluating -= 1;
      if (this.#isRetired) return;
      next(value);
      this.#core.advance();
    });
  }

  #follow(step: Step, prepared: Prepared): void {
    const { ordinal } = step;
    if (!this.scheduler.isReady(ordinal)) return;
    switch (prepared.decision) {
      case "skip":
        this.scheduler.markSkipped(ordinal);
        this.recorder.settled(step, undefined, { ...NO_RESULT, status: "SKIPPED", reason: "when" });
        break;
      case "select":
        this.#select(step, prepared.targets);
        break;
      case "fail":
        this.#fail(step, prepared.error);
        break;
      case "start":
        if (this.#core.host.operators.get(step.uses ?? "") === undefined) this.recorder.waitForOperator(step);
        else this.#whenSlotFree(ordinal, "PENDING", () => this.#start(step, prepared.input, prepared.idempotencyKey));
        break;
    }
  }

  #select(step: Step, targets: readonly number[]): void {
    const output = { selected: targets.map((target) => stepAt(this.#core.plan, target).id) };
    this.scheduler.markSucceeded(step.ordinal, targets);
    this.recorder.settled(step, undefined, {
      ...NO_RESULT,
      status: "SUCCEEDED",
      output: { outcome: "succeeded", output, text: JSON.stringify(output) },
      selected: JSON.stringify(targets),
    });
  }

  /** Runs `start` with a slot, now or when one is free, if the step is then still in `status`. */
  #whenSlotFree(ordinal: number, status: "PENDING" | "SUSPENDED", start: () => void): void {
    const { slots } = this.#core.host;
    if (slots.take()) {
      start();
      return;
    }
    this.#slotsAsked += 1;
    slots.wait(() => {
      this.#slotsAsked -= 1;
      if (this.#isRetired || this.#core.host.isStopping || this.scheduler.statusOf(ordinal) !== status) return false;
      start();
      this.#core.advance();
      return true;
    });
  }

  #start(step: Step, input: Json, idempotencyKey: string | null): void {
    let text: string | null;
    try {
      text = step.with === null ? null : payloadText(input, `the input of step "${step.id}"`);
    } catch (thrown) {
      this.#core.host.slots.release();
      this.#fail(step, recordError(thrown));
      return;
    }
    this.scheduler.markRunning(step.ordinal);
    this.#states[step.ordinal] = { input, idempotencyKey, attempt: 1, failures: 0, running: null, holdsSlot: true };
    this.recorder.started(step, text, idempotencyKey);
  }

  #nextAttempt(ordinal: number, reason: StepReason | null): void {
    const state = this.#stateOf(ordinal);
    state.attempt += 1;
    state.holdsSlot = true;
    this.recorder.restarted(stepAt(this.#core.plan, ordinal), state.attempt, reason);
  }

  #retryOrFail(step: Step, state: StepState, error: RecordedError): void {
    const mayRetry = !this.scheduler.isStopping || step.join === "settled";
    const delayMs = mayRetry ? nextDelay(step.retry, state.failures, error, this.#core.host.random) : undefined;
    if (delayMs === undefined) {
      this.#fail(step, error);
      return;
    }
    this.scheduler.markSuspended(step.ordinal);
    this.recorder.retrying(step, state, error, delayMs);
  }

  /** Retries are over: `fallback`, then `onError` (SPEC §2, Failure). */
  #fail(step: Step, error: RecordedError): void {
    const { fallback, ordinal } = step;
    if (fallback === null) {
      this.#failForGood(step, error);
      return;
    }
    this.#evaluate(evaluateFallback(step, fallback, this.scope, this.evaluation(step.id), this.#core.host.schemas), (outcome) => {
      if (this.scheduler.statusOf(ordinal) !== "RUNNING" && !this.scheduler.isReady(ordinal)) return;
      if (outcome.outcome === "failed") {
        this.#failForGood(step, outcome.error);
        return;
      }
      this.scheduler.markSucceeded(ordinal);
      this.#succeed(step, outcome, "fallback", error);
    });
  }

  #failForGood(step: Step, error: RecordedError): void {
    const status = this.scheduler.markFailed(step.ordinal);
    if (status === "FAILED" && step.onError === "fail") this.failure ??= { stepId: step.id, error };
    const reason = status === "SKIPPED" ? "on_error" : (FAILURE_REASONS[error.code] ?? null);
    this.recorder.settled(step, this.#states[step.ordinal], { ...NO_RESULT, status, reason, error });
  }

  #succeed(step: Step, output: Succeeded, reason: StepReason | null, error: RecordedError | null): void {
    this.recorder.settled(step, this.#states[step.ordinal], { status: "SUCCEEDED", reason, output, error, selected: null });
  }

  #cancelled(step: Step, error: RecordedError): void {
    this.scheduler.markCancelled(step.ordinal);
    const reason = error.code === "RUN_TIMEOUT" ? "run_timeout" : "run_cancelled";
    this.recorder.settled(step, this.#states[step.ordinal], { ...NO_RESULT, status: "CANCELLED", reason, error });
  }

  #adopt(ordinal: number, attempt: Attempt | null): void {
    const state = this.#stateOf(ordinal);
    state.running = attempt;
    state.holdsSlot = true;
    this.#core.host.slots.takeAnyway();
  }

  #releaseSlot(state: StepState): void {
    if (!state.holdsSlot) return;
    state.holdsSlot = false;
    this.#core.host.slots.release();
  }

  #stateOf(ordinal: number): StepState {
    const state = this.#states[ordinal];
    invariant(state !== undefined, `step ${ordinal} of run ${this.#core.runId} has not started`);
    return state;
  }
}

function scopeOf({ context, plan }: RunCore, steps: Readonly<Record<string, StepView>>): Scope {
  const { runId: id, workflow, version, tenant, input } = context;
  return { input, steps, vars: plan.graph.vars, env: plan.graph.env, run: { id, workflow, version, tenant } };
}

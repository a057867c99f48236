import type { InboxRow } from "../ledger/rows.ts";
import { invariant, type StepwellError } from "../model/errors.ts";
import type { StepReason } from "../model/status.ts";
import { decisionKind, decisionStep, NO_DECISION } from "../scheduler/index.ts";
import type { Step } from "../workflow/graph.ts";
import { ActiveSteps } from "./active-steps.ts";
import type { Attempt, AttemptOutcome } from "./attempt.ts";
import { BlockScopes } from "./blocks/block-scopes.ts";
import { RunUndo } from "./compensation.ts";
import { launchStep } from "./launch-step.ts";
import type { LiveSteps } from "./live-steps.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { RunCore } from "./run-core.ts";
import { RunInbox } from "./run-inbox.ts";
import type { Fact, StepOutcome } from "./run-journal.ts";
import { cancelOvertaken, endByDecision, failStep } from "./settle-step.ts";
import { startWhenPrepared } from "./start-step.ts";
import { StepRecorder } from "./step-recorder.ts";
import type { StepScope } from "./step-scope.ts";
import type { StepState } from "./step-state.ts";
import { askAfterCrash, outcomeUnknown, resumeStep, resumeWhenFree, wakeIfCome } from "./suspend-step.ts";
import { outcomeOf, tellOutcome } from "./tell-outcome.ts";

/** Writes behind which no further scope is followed: a million rounds that do nothing are many commits, not one that fills memory. */
const WRITES_AT_ONCE = 4_096;

/**
 * The steps of one run, those of its blocks included: turns the schedulers' decisions into starts and rows, and outcomes into
 * facts. After a crash or a commit that was left out it is retired and built anew from the ledger.
 */
export class RunSteps implements LiveSteps {
  readonly core: RunCore;
  readonly root: StepScope;
  readonly recorder: StepRecorder;
  readonly active = new ActiveSteps();
  /** Null for a run that undoes nothing. */
  readonly undo: RunUndo | null;
  /** These are made when they are asked for: most runs need neither. */
  #inbox: RunInbox | undefined;
  #scopes: BlockScopes | undefined;
  readonly #nextOrdinal: number;
  readonly #touched: StepScope[] = [];
  #evaluating = 0;
  #slotsAsked = 0;
  #isRetired = false;

  /** @param nextOrdinal from where on ordinals are free for the scopes of blocks */
  constructor(core: RunCore, root: StepScope, nextOrdinal: number) {
    this.core = core;
    this.root = root;
    this.recorder = new StepRecorder(core);
    this.#nextOrdinal = nextOrdinal;
    const { compensation } = core.plan.graph;
    this.undo = compensation === null ? null : new RunUndo(compensation, root, this.scopes);
  }

  get inbox(): RunInbox {
    this.#inbox ??= new RunInbox();
    return this.#inbox;
  }

  get scopes(): BlockScopes {
    this.#scopes ??= new BlockScopes(this, this.#nextOrdinal);
    return this.#scopes;
  }

  get isQuiet(): boolean {
    return this.core.host.isStopping || this.core.isHeld;
  }

  /** Expressions are being evaluated; what they decide belongs into the unit that is being gathered. */
  get isEvaluating(): boolean {
    return this.#evaluating > 0;
  }

  /** Something goes on without any wait ending. */
  get isBusy(): boolean {
    const waitsForSlot = this.#slotsAsked > 0 && !this.isQuiet;
    return this.#evaluating > 0 || waitsForSlot || this.recorder.running > 0 || this.isBehind;
  }

  begin(): void {
    this.root.scheduler.begin();
    this.touch(this.root);
  }

  touch(scope: StepScope): void {
    if (scope.isTouched) return;
    scope.isTouched = true;
    this.#touched.push(scope);
  }

  /** Scopes are left whose decisions nobody has followed: they go into the next commit. */
  get isBehind(): boolean {
    return this.#touched.length > 0;
  }

  /** Follows what the schedulers decided, as far as one commit may reach: a block may go through any number of scopes at once. */
  decide(): void {
    let next = 0;
    for (; next < this.#touched.length && this.core.journal.size < WRITES_AT_ONCE; next++) {
      const scope = this.#touched[next];
      if (scope !== undefined) this.#follow(scope);
    }
    if (next === this.#touched.length) this.#touched.length = 0;
    else this.#touched.splice(0, next);
  }

  /** Calls the operator of a step whose RUNNING is on disk. */
  launch(ordinal: number): void {
    launchStep(this.core, this.stateOf(ordinal));
  }

  outcomeOf(attempt: Attempt, ended: AttemptOutcome): MaybePromise<StepOutcome> {
    return outcomeOf(this, this.stateOf(attempt.ordinal), ended);
  }

  /** Whether an attempt of the step is executing, as far as the run knows. */
  isRunning(ordinal: number): boolean {
    return this.active.get(ordinal)?.isRunning === true;
  }

  /** Records how the running attempt of a step ended. */
  tell({ ordinal, outcome }: Fact): void {
    tellOutcome(this, this.stateOf(ordinal), outcome);
  }

  /** Something was sent to the run that may end the wait of a step. */
  receive(row: InboxRow): void {
    this.inbox.add(row);
    if (row.kind === "signal") {
      // one whose deadline has passed leaves the signal to the next
      for (const ordinal of [...this.recorder.waitingFor(row.name ?? "")]) {
        if (this.inbox.signal(row.name ?? "") !== undefined) this.#wakeAt(ordinal, row.acceptedAt);
      }
    } else if (row.ordinal !== null) {
      if (this.recorder.waits.get(row.ordinal)?.kind === row.kind) this.#wakeAt(row.ordinal, row.acceptedAt);
      else this.#ignore(row);
    }
  }

  /** A wait has lasted as long as it may; the ledger has just told its time. */
  due(ordinal: number): void {
    const wait = this.recorder.waits.get(ordinal);
    const state = this.active.get(ordinal);
    // what woke an operator stays with its step while it runs, and is no reason to call it again
    if (wait === undefined || state === undefined || state.isRunning || state.isHeld || this.isQuiet) return;
    if (wait.kind === "retry") this.#retry(state);
    else if (wait.kind === "delay") {
      this.recorder.endWait(ordinal, "used");
      state.block?.delayOver();
    } else wakeIfCome(this, state, this.core.host.ledgerNow());
  }

  /** After the run was read from the ledger, which told its time with it: everything that has come for its steps, or is due, is acted upon. */
  wakeAll(): void {
    const now = this.core.host.ledgerNow();
    for (const [ordinal, wait] of [...this.recorder.waits]) {
      const state = this.active.get(ordinal);
      if (state === undefined || state.isHeld) continue;
      if (this.isQuiet) return;
      if (wait.kind === "resume" && state.woken !== null && !state.isRunning) resumeStep(this, state);
      else if (wait.kind === "no_worker") this.#resumeWithOperator(state);
      else wakeIfCome(this, state, now);
    }
    // somebody let the run go on, and was not heard to the end
    if (!this.isQuiet) this.releaseHeld();
  }

  /** A step that a crash left RUNNING: begins again with the same input and key, or fails because it must not start twice. */
  recover(state: StepState): void {
    const { scope, step } = state;
    if (step.delivery === "at-most-once") {
      failStep(this, scope, step, state, outcomeUnknown(state));
      return;
    }
    this.recorder.lost(state);
    if (step.delivery === "confirm") {
      scope.scheduler.markSuspended(step.ordinal);
      askAfterCrash(this, state);
      this.touch(scope);
      return;
    }
    if (!this.hasAllFor(step)) {
      scope.scheduler.markSuspended(step.ordinal);
      this.recorder.held(state, "no_worker");
      this.recorder.waitForWorker(state.ordinal, step);
      this.touch(scope);
      return;
    }
    this.#takeSlotAnyway(state);
    this.#nextAttempt(state, "recovered");
  }

  /** A step that may have killed its worker too often: it waits for a person. */
  holdAfterCrash(state: StepState): void {
    this.recorder.lost(state);
    state.scope.scheduler.markSuspended(state.step.ordinal);
    state.isHeld = true;
    this.recorder.held(state, "quarantined");
    this.touch(state.scope);
  }

  /** Steps that were held begin again, in their next attempt; those that wait for something go on waiting. */
  releaseHeld(): void {
    for (const state of this.active.values()) if (state.isHeld && !state.scope.isEnded) this.#retry(state);
  }

  /** Takes over what goes on while the run was read back: attempts still running, and those whose outcome is about to be told. */
  adopt(attempts: ReadonlyMap<number, Attempt>, facts: readonly Fact[]): void {
    const ended = new Set(facts.map(({ ordinal }) => ordinal));
    for (const ordinal of ended) this.#adopt(ordinal, null);
    for (const [ordinal, attempt] of attempts) if (!ended.has(ordinal)) this.#adopt(ordinal, attempt);
  }

  hasAllFor(step: Step): boolean {
    const { host, context } = this.core;
    return host.placement.wants(step, context) === null;
  }

  /** Tries the steps again that wait for an operator which this process did not have. */
  retryMissingOperators(): void {
    for (const [ordinal, wait] of [...this.recorder.waits]) {
      const state = this.active.get(ordinal);
      if (wait.kind !== "no_worker" || !this.core.host.placement.has(wait.key ?? "")) continue;
      if (state !== undefined) this.#retry(state);
      else this.#prepareAgain(ordinal);
    }
  }

  /** The run ends from outside: nothing starts any more, in no scope. */
  end(ending: "cancel" | "timeout", reason: StepwellError): void {
    this.scopes.end(this.root, ending);
    for (const state of this.active.values()) if (state.scope.isEnded) state.running?.abort(reason);
  }

  abortAll(reason: StepwellError): void {
    for (const state of this.active.values()) state.running?.abort(reason);
  }

  /** Ends what did not stop in time; late results are discarded. */
  abandonAll(reason: StepwellError): void {
    for (const state of this.active.values()) {
      if (state.running === null || !state.scope.isEnded || !state.running.abandon(reason)) continue;
      state.running = null;
      this.releaseSlot(state);
      cancelOvertaken(this, state);
    }
  }

  /** A step that was started and whose operator need not be called any more, because the run was cancelled first. */
  cancelBeforeLaunch(state: StepState): void {
    this.releaseSlot(state);
    cancelOvertaken(this, state);
  }

  /** Starts the clock of a wait that is on disk since `now`: its delay counts from then, as its due time in the ledger does. */
  arm(ordinal: number, now: number): void {
    const wait = this.recorder.waits.get(ordinal);
    if (wait === undefined || wait.timer !== null || this.#isRetired) return;
    if (wait.dueAt === null && wait.delayMs !== null) wait.dueAt = now + wait.delayMs;
    if (wait.dueAt === null) return;
    wait.timer = this.core.host.alarm(wait.dueAt, () => {
      if (this.#isRetired) return;
      this.due(ordinal);
      this.core.advance();
    });
  }

  armAll(): void {
    for (const ordinal of this.recorder.waits.keys()) this.arm(ordinal, this.core.host.ledgerNow());
  }

  /** Stops taking part: timers end, slots are given back, attempts go on and are handed over. */
  retire(): ReadonlyMap<number, Attempt> {
    this.#isRetired = true;
    const attempts = new Map<number, Attempt>();
    for (const wait of this.recorder.waits.values()) wait.timer?.cancel();
    for (const state of this.active.values()) {
      if (state.running !== null) attempts.set(state.ordinal, state.running);
      this.releaseSlot(state);
    }
    return attempts;
  }

  /** Waits for expressions without letting the run commit in between. */
  evaluate<T>(promise: Promise<T>, next: (value: T) => void): void {
    this.#evaluating += 1;
    void promise.then((value) => {
      this.#evaluating -= 1;
      if (this.#isRetired) return;
      next(value);
      this.core.advance();
    });
  }

  takeSlot(): boolean {
    return this.core.host.slots.take();
  }

  whenSlotFree(isWanted: () => boolean, start: () => void): void {
    if (this.takeSlot()) {
      // it may have begun meanwhile: the same step can be asked for from two sides
      if (isWanted()) start();
      else this.core.host.slots.release();
      return;
    }
    this.#slotsAsked += 1;
    this.core.host.slots.wait(() => {
      this.#slotsAsked -= 1;
      if (this.#isRetired || this.isQuiet || !isWanted()) return false;
      start();
      this.core.advance();
      return true;
    });
  }

  releaseSlot(state: StepState): void {
    if (!state.holdsSlot) return;
    state.holdsSlot = false;
    this.core.host.slots.release();
  }

  beginBlock(state: StepState): void {
    this.scopes.begin(state);
  }

  /** Steps whose row is RUNNING. */
  foundRunning(): readonly StepState[] {
    return this.active.values().filter(({ isRunning }) => isRunning);
  }

  stateOf(ordinal: number): StepState {
    const state = this.active.get(ordinal);
    invariant(state !== undefined, `step ${ordinal} of run ${this.core.runId} is not at work`);
    return state;
  }

  #follow(scope: StepScope): void {
    scope.isTouched = false;
    const { scheduler } = scope;
    for (let decision = scheduler.next(); decision !== NO_DECISION; decision = scheduler.next()) {
      const step = scope.stepAt(decisionStep(decision));
      const kind = decisionKind(decision);
      if (kind.kind === "ready") startWhenPrepared(this, scope, step);
      else endByDecision(this, scope, step, kind.status, kind.reason);
    }
    const outcome = scope.place === null || scope.isOver ? undefined : scheduler.outcome();
    if (outcome === undefined) return;
    scope.isOver = true;
    scope.place?.owner.ended(scope, { outcome, failure: scope.failure });
  }

  #wakeAt(ordinal: number, now: number): void {
    const state = this.active.get(ordinal);
    if (state !== undefined) wakeIfCome(this, state, now);
  }

  #ignore(row: InboxRow): void {
    this.inbox.take(row);
    this.recorder.used(row, null);
  }

  /** The next attempt, as soon as a slot is free. */
  #retry(state: StepState): void {
    if (!this.isQuiet) resumeWhenFree(this, state, () => this.#nextAttempt(state, null));
  }

  #resumeWithOperator(state: StepState): void {
    if (this.hasAllFor(state.step)) this.#retry(state);
  }

  /** A step that never started for want of an operator is still ready: it is asked for again. */
  #prepareAgain(ordinal: number): void {
    const scope = this.scopes.scopeOf(ordinal);
    startWhenPrepared(this, scope, scope.stepOf(ordinal));
  }

  #nextAttempt(state: StepState, reason: StepReason | null): void {
    state.attempt += 1;
    state.isHeld = false;
    this.recorder.restarted(state, reason);
  }

  #adopt(ordinal: number, attempt: Attempt | null): void {
    const state = this.active.get(ordinal);
    // a transaction of its own has settled it
    if (state === undefined) return;
    state.running = attempt;
    this.#takeSlotAnyway(state);
  }

  #takeSlotAnyway(state: StepState): void {
    state.holdsSlot = true;
    this.core.host.slots.takeAnyway();
  }
}

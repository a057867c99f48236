import type { StoredRun } from "../ledger/port.ts";
import type { InboxRow } from "../ledger/rows.ts";
import type { InsertRun, Unit } from "../ledger/writes.ts";
import { asStepwellError, StepwellError } from "../model/errors.ts";
import type { TransactionWork } from "../model/sql-client.ts";
import type { Logger, RunContext } from "../operators/operator.ts";
import { Scheduler } from "../scheduler/index.ts";
import type { RunRef } from "./api.ts";
import { applyInbox, type InboxTarget, overturns } from "./apply-inbox.ts";
import type { Attempt, AttemptOutcome } from "./attempt.ts";
import { attemptLogger } from "./attempt-logger.ts";
import type { Lineage } from "./lineage.ts";
import { proceed } from "./maybe-promise.ts";
import type { Plan } from "./plan.ts";
import { restoreSteps, takeOver } from "./restore-steps.ts";
import { RunFrame } from "./run-context.ts";
import type { RunCore } from "./run-core.ts";
import { endingError, endingReasonOf, evaluateEnd } from "./run-end.ts";
import type { LingeringRun, RunEnd, RunHost } from "./run-host.ts";
import { type Fact, RunJournal } from "./run-journal.ts";
import { DEADLINE_ORDINAL, RunRecorder } from "./run-recorder.ts";
import { refOf } from "./run-results.ts";
import { RunSteps } from "./run-steps.ts";
import { RunTimers } from "./run-timers.ts";
import { endAbandoned } from "./settle-step.ts";
import { StepScope } from "./step-scope.ts";
import { inTransaction } from "./step-transaction.ts";

/** Drives one run while it is in memory. Every change is decided here, written by the committer, and only then acted upon. */
export class RunDriver implements LingeringRun, RunCore, InboxTarget {
  readonly runId: number;
  readonly plan: Plan;
  readonly context: RunContext;
  readonly frame: RunFrame;
  readonly host: RunHost;
  readonly journal: RunJournal;
  #steps: RunSteps;
  readonly #recorder: RunRecorder;
  #inboxSeq: number | null = null;
  #end: RunEnd | undefined;
  #isEvaluatingEnd = false;
  #isInCommitter = false;
  #inboxMoved = false;
  #hasTimedOut = false;
  #isParking = false;
  /** When something was last sent to it, on the monotonic clock. */
  #sentToAt: number | undefined;
  #isGone = false;
  /** What arrives while the run is being read back from the ledger: outcomes, and rows that may not be in what is read. */
  #held: { readonly facts: Fact[]; readonly arrived: InboxRow[] } | undefined;
  readonly #timers: RunTimers;

  private constructor(host: RunHost, plan: Plan, runId: number, context: RunContext, revision: number) {
    this.host = host;
    this.plan = plan;
    this.runId = runId;
    this.context = context;
    this.frame = new RunFrame(context);
    this.journal = new RunJournal(runId, revision);
    this.#recorder = new RunRecorder(this);
    this.#steps = new RunSteps(this, new StepScope(this, plan, new Scheduler(plan.topology), {}, null), plan.graph.steps.length);
    this.#timers = new RunTimers(host, plan.graph.timeoutMs, () => {
      this.#timeOut();
      this.advance();
    });
  }

  /** A new run: `insert` and its first steps are one commit. */
  static begin(host: RunHost, plan: Plan, context: RunContext, insert: InsertRun): RunDriver {
    const run = new RunDriver(host, plan, insert.runId, context, insert.revision);
    run.#recorder.inserted(insert);
    run.#steps.begin();
    run.advance();
    return run;
  }

  /** A run of the ledger: it waited in the queue, was parked, or lost its engine. Signals are applied before anything starts. */
  static resume(host: RunHost, plan: Plan, context: RunContext, stored: StoredRun): RunDriver {
    const { run: row, inbox } = stored;
    const run = new RunDriver(host, plan, row.id, context, row.revision + 1);
    run.#recorder.restore(stored);
    run.#steps = restoreSteps(run, stored);
    if (!run.#isEnding && !run.#steps.root.scheduler.isComplete()) run.#timers.restore(row.deadlineAt);
    if (row.status === "RUNNING") run.#recorder.recovered(row.reason);
    run.#inboxSeq = row.inboxSeq;
    const lost = run.#steps.foundRunning();
    run.#apply(inbox);
    if (run.#timers.isOverdue) run.#timeOut();
    takeOver(run.#steps, lost);
    run.advance();
    return run;
  }

  /** It is SUSPENDED on disk and only waits. */
  get #isAtRest(): boolean {
    return this.#isParking && this.#recorder.status !== "RUNNING" && !this.#steps.isBusy;
  }

  get #isEnding(): boolean {
    return this.#steps.root.scheduler.ending !== null;
  }

  /** It waits for a person, whatever else its steps wait for. What ends is held only if the undoing of it takes engines down. */
  get isHeld(): boolean {
    return this.#recorder.held !== null && (!this.#isEnding || this.#steps.undo?.scope !== undefined);
  }

  get lineage(): Lineage {
    return this.#recorder.lineage;
  }

  get endingReason(): "run_cancelled" | "run_timeout" | "run_failed" {
    return endingReasonOf(this.#steps.root.scheduler.ending);
  }

  get publicId(): string {
    return this.context.runId;
  }

  get ref(): RunRef {
    return refOf(this.context, this.plan.stepIds);
  }

  /** Nothing of this run is on disk yet, and its caller waits to hear whether it will be. */
  get givesUp(): boolean {
    return this.#inboxSeq === null;
  }

  logger(attempt: Attempt): Logger {
    return attemptLogger(this.host, this.ref, attempt);
  }

  /** Something was accepted: it is applied to what is decided and not yet on disk, unless that was decided without it. */
  deliver(inbox: readonly InboxRow[]): void {
    this.#held?.arrived.push(...inbox);
    const fresh = inbox.filter((row) => row.seq > (this.#inboxSeq ?? 0));
    if (this.#held !== undefined || this.#isGone || this.#end !== undefined || fresh.length === 0) return;
    const isNext = fresh.every(({ seq }, index) => seq === (this.#inboxSeq ?? 0) + 1 + index);
    if (!isNext || (!this.journal.isIdle && fresh.some((row) => overturns(row, this.journal)))) return this.lookAgain();
    this.#apply(fresh);
    this.advance();
  }

  /** The ledger gave the run to this engine anew, so something may have come while it was parking of which nobody told it. */
  lookAgain(): void {
    if (this.#isGone || (this.#end !== undefined && this.#held === undefined)) return;
    this.#inboxMoved = true;
    if (this.#held === undefined && this.journal.isIdle) this.missed();
  }

  /** Operators were registered: steps that waited for one may start. */
  operatorsChanged(): void {
    if (this.isHeld) return;
    this.#steps.retryMissingOperators();
    this.advance();
  }

  /** The engine is about to leave with an operator still executing: the run says so, that the next engine does not take it for a crash. */
  handBack(): void {
    if (this.#held !== undefined || this.#isGone || this.#end !== undefined || this.#recorder.status !== "RUNNING") return;
    this.#recorder.handedBack();
    this.#askForCommit();
  }

  drop(reason: StepwellError): void {
    this.#isGone = true;
    this.#steps.abortAll(reason);
    this.#steps.retire();
    this.#timers.cancel();
  }

  /** Decides everything that follows from what is known, and asks for a commit if anything came of it. */
  advance(): void {
    if (this.#held !== undefined || this.#isGone || this.#end !== undefined || this.#isEvaluatingEnd) return;
    this.#steps.decide();
    if (this.#steps.isEvaluating) return;
    const isComplete = this.#steps.root.scheduler.isComplete();
    if (isComplete && this.#isUndoing()) this.#steps.decide();
    if (isComplete && !this.#isUndoing()) this.#finish();
    else if (this.#steps.isBusy) this.#recorder.kept();
    else this.#suspend();
    this.#askForCommit();
  }

  ensureRunning(): void {
    this.#isParking = false;
    this.#recorder.running();
  }

  form(): Unit | undefined {
    this.#isInCommitter = false;
    if (this.journal.isEmpty || this.#held !== undefined || this.#isGone || this.#steps.isEvaluating || this.#isEvaluatingEnd)
      return undefined;
    return this.journal.take(this.#inboxSeq);
  }

  committed(now: number): void {
    const { launches, alarms, events, spawned, isNoted } = this.journal.landed();
    const isFirst = this.#inboxSeq === null;
    this.#inboxSeq ??= 0;
    if (this.#isGone) return;
    if (isFirst) this.host.onStarted(this);
    for (const event of events) this.host.emit(event);
    if (alarms.includes(DEADLINE_ORDINAL)) this.#timers.began(now);
    // one that leaves memory at once needs no timers
    if (launches.length === 0 && !this.#inboxMoved) this.#leaveIfOver();
    for (const ordinal of alarms) this.#steps.arm(ordinal, now);
    for (const ordinal of launches) {
      const state = this.#steps.stateOf(ordinal);
      if (state.scope.isEnded) this.#steps.cancelBeforeLaunch(state);
      else this.#steps.launch(ordinal);
    }
    if (spawned.length > 0 || isNoted) this.host.onLanded(spawned, isNoted);
    if (this.#steps.isBehind || (this.#isEnding && launches.length > 0)) this.advance();
    if (this.#inboxMoved && this.#end === undefined) this.missed();
    this.#leaveIfOver();
  }

  missed(): void {
    this.#inboxMoved = false;
    this.#held = { facts: [...this.journal.lost()], arrived: [] };
    const attempts = this.#steps.retire();
    this.#isEvaluatingEnd = false;
    this.host.load(this.runId).then(
      (stored) => this.#rebuild(stored, attempts),
      (cause: unknown) => this.#isGone || this.host.onBroken(this, asStepwellError(cause)),
    );
  }

  refused(error: StepwellError): void {
    if (this.givesUp) this.host.onRefused(this, error);
    else this.host.onBroken(this, error);
  }

  transact<T>(attempt: Attempt, work: TransactionWork<T>): Promise<T> {
    return inTransaction(attempt, () => this.#steps, work);
  }

  attemptEnded(attempt: Attempt, ended: AttemptOutcome): void {
    if (this.#isGone) return;
    const { ordinal } = attempt;
    void proceed(this.#steps.outcomeOf(attempt, ended), (outcome) => this.#tell({ ordinal, outcome }));
  }

  attemptCameLate({ stepId, attempt }: Attempt): void {
    if (this.host.isHeard) this.host.emit({ type: "step.discarded", run: this.ref, step: stepId, attempt });
  }

  #tell(fact: Fact): void {
    if (this.#isGone) return;
    if (this.#held !== undefined) {
      this.#held.facts.push(fact);
      return;
    }
    // the grace ended while the output was being checked: the step has settled without it
    if (!this.#steps.isRunning(fact.ordinal)) return;
    this.journal.fact(fact);
    this.#recorder.progressed();
    this.#steps.tell(fact);
    this.advance();
  }

  #apply(inbox: readonly InboxRow[]): void {
    if (inbox.length > 0) this.#sentToAt = this.host.clock.monotonic();
    for (const { seq } of inbox) this.#inboxSeq = Math.max(seq, this.#inboxSeq ?? 0);
    applyInbox(this, inbox);
  }

  accepted(row: InboxRow): void {
    this.#recorder.accepted(row);
    if (row.kind === "cancel" && row.consumedAt === null) this.#recorder.ending();
  }

  receive(row: InboxRow): void {
    this.#steps.receive(row);
  }

  release(): void {
    if (this.#isEnding && this.#recorder.held === null) return;
    // what was ready while the run was held is found again by reading it back
    if (this.isHeld) this.#inboxMoved = true;
    this.#recorder.released();
    this.#steps.releaseHeld();
  }

  pause(actor: string): void {
    if (!this.#isEnding) this.#recorder.paused(actor);
  }

  cancel(): void {
    if (this.#steps.root.scheduler.ending !== "cancel") this.#endWithGrace("cancel");
  }

  #timeOut(): void {
    if (this.#isEnding || this.#held !== undefined || this.#end !== undefined || this.#steps.root.scheduler.isComplete()) return;
    this.#hasTimedOut = true;
    this.#recorder.ending();
    this.#endWithGrace("timeout");
  }

  /** Running operators have their abort signal; after the grace the run ends without them. */
  #endWithGrace(ending: "cancel" | "timeout"): void {
    const reason = endingError(ending, this.plan.graph);
    this.#steps.end(ending, reason);
    this.#timers.setGrace(this.host.cancelGraceMs, () => {
      if (this.#held !== undefined) return; // it is being read back, and ends with a new grace then
      this.#steps.abandonAll(reason);
      this.advance();
    });
  }

  /** Nothing can go on before a wait ends: the run is SUSPENDED, and leaves memory unless a wait ends soon. */
  #suspend(): void {
    const { reason, isParking: mayPark } = this.#steps.recorder.suspension(this.isHeld ? this.#recorder.held : null);
    // one that is about to be read back has more to do, and parked, nothing would wake it for that after a crash
    const isParking = mayPark && !this.#inboxMoved;
    this.#recorder.suspended(reason, isParking, this.#timers.deadline);
    this.#isParking = isParking;
    if (isParking && this.journal.isEmpty) this.host.clock.soon(() => this.#leaveIfOver());
  }

  #isUndoing(): boolean {
    if (this.#steps.undo?.isUnderWay() !== true) return false;
    this.#recorder.undoing();
    this.#timers.dropDeadline();
    return true;
  }

  /** All steps have settled: the run's own end, or the undoing of it, goes into the same commit as the last of them. */
  #finish(): void {
    const steps = this.#steps;
    this.#isEvaluatingEnd = true;
    void proceed(evaluateEnd(this.plan.graph, steps.root, steps.undo?.statuses ?? null), (end) => {
      // a run that was read back meanwhile decides about its end anew
      if (this.#steps !== steps || this.#isGone) return;
      this.#isEvaluatingEnd = false;
      if (end.reason === "output_failed" && steps.undo?.outputFailed() === true) return this.advance();
      this.#end = end;
      this.#recorder.ended(end);
      this.#timers.cancel();
      this.#askForCommit();
    });
  }

  #askForCommit(): void {
    if (this.#isInCommitter || this.journal.isEmpty) return;
    this.#isInCommitter = true;
    this.host.commit(this);
  }

  /** After a commit: an ended run and a parked one leave memory. */
  #leaveIfOver(): void {
    if (this.#isGone || this.#held !== undefined || !this.journal.isIdle) return;
    if (this.#end !== undefined) {
      this.#isGone = true;
      this.host.onEnded(this, this.#end);
    } else if (this.#isAtRest && (this.isHeld || this.#sentToAt === undefined || !this.host.mayLinger(this, this.#sentToAt))) {
      this.leave();
    }
  }

  leave(): void {
    if (this.#isGone || this.#held !== undefined || this.#end !== undefined || !this.journal.isIdle || !this.#isAtRest) return;
    this.#isGone = true;
    // one that waits for its turn may be out of time before it has it
    const dueAt = this.isHeld && this.#recorder.held !== "queued" ? null : this.#timers.earliest(this.#steps.recorder.nextDue());
    this.#steps.retire();
    this.#timers.cancel();
    this.host.onParked(this, dueAt);
  }

  /** Decides again from what the ledger holds: first the signals that made the commit miss, then what had happened meanwhile. */
  #rebuild(stored: StoredRun | undefined, attempts: ReadonlyMap<number, Attempt>): void {
    const { facts = [], arrived = [] } = this.#held ?? {};
    this.#held = undefined;
    if (this.#isGone) return;
    if (stored === undefined) {
      this.host.onBroken(this, new StepwellError("RUN_NOT_FOUND", `run ${this.publicId} is no longer in the ledger`));
      return;
    }
    this.#end = undefined;
    this.#isEvaluatingEnd = false;
    this.#recorder.restore(stored);
    this.#steps = restoreSteps(this, stored);
    this.#steps.adopt(attempts, facts);
    // not even the commit that took the run over was written: it still is as the engine before this one left it
    const isTakenOver = this.journal.hasLanded;
    const lost = isTakenOver ? [] : this.#steps.foundRunning();
    if (!isTakenOver && stored.run.status === "RUNNING") this.#recorder.recovered(stored.run.reason);
    this.#inboxSeq = stored.run.inboxSeq;
    this.#apply(stored.inbox);
    if (this.#hasTimedOut || this.#timers.isOverdue) this.#timeOut();
    takeOver(this.#steps, lost);
    if (isTakenOver) endAbandoned(this.#steps, facts);
    for (const fact of facts) this.#tell(fact);
    this.advance();
    this.deliver(arrived);
    if (this.#inboxMoved) this.lookAgain();
  }
}

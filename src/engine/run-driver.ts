import type { Committing } from "../ledger/committer.ts";
import type { StoredRun } from "../ledger/port.ts";
import type { InboxRow } from "../ledger/rows.ts";
import type { InsertRun, Unit } from "../ledger/writes.ts";
import { assertNever, asStepwellError, StepwellError } from "../model/errors.ts";
import type { RunReason } from "../model/status.ts";
import type { Logger, RunContext } from "../operators/operator.ts";
import { Scheduler } from "../scheduler/index.ts";
import type { RunRef } from "./api.ts";
import type { Attempt, AttemptOutcome } from "./attempt.ts";
import { factOf } from "./attempt-fact.ts";
import { attemptLogger } from "./attempt-logger.ts";
import type { Plan } from "./plan.ts";
import { errorText, recordError } from "./recorded-error.ts";
import { restoreSteps } from "./restore-steps.ts";
import { type RunCore, stepAt } from "./run-core.ts";
import { checkEnd, evaluateEnd, runTimeoutError } from "./run-end.ts";
import type { RunEnd, RunHost } from "./run-host.ts";
import { type Fact, RunJournal } from "./run-journal.ts";
import { RunSteps } from "./run-steps.ts";
import { RunTimers } from "./run-timers.ts";

/** Recoveries without progress after which a run is held instead of driven (PROMISES P19). */
const MAX_CRASHES = 3;
/** The ordinal under which the run's own deadline waits. */
const DEADLINE_ORDINAL = -1;

/** Drives one run while it is in memory. Every change is decided here, written by the committer, and only then acted upon. */
export class RunDriver implements Committing, RunCore {
  readonly runId: number;
  readonly plan: Plan;
  readonly context: RunContext;
  readonly host: RunHost;
  readonly journal: RunJournal;
  #steps: RunSteps;
  #status: "QUEUED" | "RUNNING" | "SUSPENDED";
  #inboxSeq: number | null = null;
  #crashes = 0;
  #end: RunEnd | undefined;
  #isEvaluatingEnd = false;
  #isInCommitter = false;
  #inboxMoved = false;
  #isParking = false;
  #isGone = false;
  /** Outcomes that arrive while the run is being read back from the ledger. */
  #held: Fact[] | undefined;
  #ref: RunRef | undefined;
  readonly #timers: RunTimers;

  private constructor(
    host: RunHost,
    plan: Plan,
    runId: number,
    context: RunContext,
    revision: number,
    status: "QUEUED" | "RUNNING" | "SUSPENDED",
  ) {
    this.host = host;
    this.plan = plan;
    this.runId = runId;
    this.context = context;
    this.journal = new RunJournal(runId, revision);
    this.#status = status;
    this.#steps = new RunSteps(this, new Scheduler(plan.topology), {}, []);
    this.#timers = new RunTimers(host.clock);
  }

  /** A new run: `insert` and its first steps are one commit. */
  static begin(host: RunHost, plan: Plan, context: RunContext, insert: InsertRun): RunDriver {
    const run = new RunDriver(host, plan, insert.runId, context, insert.revision, "RUNNING");
    run.journal.write(insert);
    if (host.isHeard) run.journal.event({ type: "run.started", run: run.ref });
    if (plan.graph.timeoutMs !== null) run.#timers.setDeadline(plan.graph.timeoutMs, run.#timeOut);
    run.#steps.scheduler.begin();
    run.advance();
    return run;
  }

  /** A run of the ledger: one that waited in the queue, was parked, or lost its engine. `inbox` is applied before anything starts. */
  static resume(host: RunHost, plan: Plan, context: RunContext, stored: StoredRun): RunDriver {
    const { run: row } = stored;
    const status = row.status === "QUEUED" || row.status === "SUSPENDED" ? row.status : "RUNNING";
    const run = new RunDriver(host, plan, row.id, context, row.revision + 1, status);
    run.#inboxSeq = appliedInbox(stored);
    run.#crashes = row.crashes;
    run.#steps = restoreSteps(run, stored);
    const { timeoutMs } = plan.graph;
    if (timeoutMs !== null) run.#timers.setDeadline((row.startedAt ?? host.ledgerNow()) + timeoutMs - host.ledgerNow(), run.#timeOut);
    if (stored.waits.some((wait) => wait.ordinal === DEADLINE_ORDINAL)) run.#writeDeadlineWait(null);
    run.#takeUp(stored);
    run.advance();
    return run;
  }

  get publicId(): string {
    return this.context.runId;
  }

  get ref(): RunRef {
    const { runId, workflow, version, tenant } = this.context;
    this.#ref ??= { id: runId, workflow, version, tenant, steps: this.plan.stepIds };
    return this.#ref;
  }

  /** Nothing of this run is on disk yet, and its caller waits to hear whether it will be. */
  get givesUp(): boolean {
    return this.#inboxSeq === null;
  }

  logger(attempt: Attempt): Logger {
    return attemptLogger(this.host, this.ref, attempt);
  }

  /**
   * Accepted signals have come. They apply to what is committed: decisions that are not yet on disk were made without them, so
   * those are left out by the ledger and made again.
   */
  deliver(inbox: readonly InboxRow[]): void {
    if (this.#held !== undefined || this.#isGone || this.#end !== undefined) return;
    const fresh = inbox.filter((row) => row.seq > (this.#inboxSeq ?? 0));
    const [first] = fresh;
    if (first === undefined) return;
    if (!this.journal.isIdle) {
      this.#inboxMoved = true;
    } else if (first.seq === (this.#inboxSeq ?? 0) + 1) {
      this.#apply(fresh);
      this.advance();
    } else {
      this.missed();
    }
  }

  /** Operators were registered: steps that waited for one may start. */
  operatorsChanged(): void {
    this.#steps.retryMissingOperators();
    this.advance();
  }

  /** Leaves memory: timers end, attempts are told to stop, nothing more is written. */
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
    if (this.#steps.scheduler.isComplete()) this.#finish();
    else if (!this.#steps.isBusy) this.#suspend();
    this.#askForCommit();
  }

  ensureRunning(): void {
    if (this.#status === "RUNNING") return;
    const { host, journal } = this;
    const type = this.#status === "QUEUED" ? "run.started" : "run.resumed";
    this.#status = "RUNNING";
    this.#isParking = false;
    this.#writeStart(null);
    if (host.isHeard) journal.event({ type, run: this.ref });
  }

  form(): Unit | undefined {
    this.#isInCommitter = false;
    if (this.journal.isEmpty || this.#held !== undefined || this.#isGone || this.#steps.isEvaluating || this.#isEvaluatingEnd)
      return undefined;
    return this.journal.take(this.#inboxSeq);
  }

  committed(): void {
    const { launches, alarms, events } = this.journal.landed();
    const isFirst = this.#inboxSeq === null;
    this.#inboxSeq ??= 0;
    if (this.#isGone) return;
    if (isFirst) this.host.onStarted(this);
    for (const event of events) this.host.emit(event);
    for (const ordinal of launches) {
      if (this.#steps.isEnding) this.#steps.cancelBeforeLaunch(ordinal, recordError(this.#cancelError()));
      else this.#steps.launch(ordinal);
    }
    for (const ordinal of alarms) this.#steps.arm(ordinal);
    if (this.#steps.isEnding && launches.length > 0) this.advance();
    if (this.#inboxMoved && this.#end === undefined) this.missed();
    this.#leaveIfOver();
  }

  missed(): void {
    this.#inboxMoved = false;
    this.#held = [...this.journal.lost()];
    const attempts = this.#steps.retire();
    this.host.load(this.runId).then(
      (stored) => this.#rebuild(stored, attempts),
      (cause: unknown) => this.host.onBroken(this, asStepwellError(cause)),
    );
  }

  refused(error: StepwellError): void {
    if (this.givesUp) this.host.onRefused(this, error);
    else this.host.onBroken(this, error);
  }

  attemptEnded(attempt: Attempt, ended: AttemptOutcome): void {
    if (this.#isGone) return;
    const fact = factOf(stepAt(this.plan, attempt.ordinal), ended, this.#steps, this.host.schemas);
    if (fact instanceof Promise) void fact.then(this.#tell);
    else this.#tell(fact);
  }

  attemptCameLate({ stepId, attempt }: Attempt): void {
    if (this.host.isHeard) this.host.emit({ type: "step.discarded", run: this.ref, step: stepId, attempt });
  }

  readonly #tell = (fact: Fact): void => {
    if (this.#isGone) return;
    if (this.#held !== undefined) {
      this.#held.push(fact);
      return;
    }
    this.journal.fact(fact);
    if (this.#crashes > 0) this.#forgetCrashes();
    this.#steps.tell(fact);
    this.advance();
  };

  /** An attempt came back: the run does not kill its worker. */
  #forgetCrashes(): void {
    this.#crashes = 0;
    this.#writeStart(null);
  }

  #writeStart(reason: RunReason | null): void {
    const { journal, runId, host } = this;
    const crashes = this.#crashes;
    journal.write({ write: "startRun", runId, reason, ownerEpoch: host.epoch, crashes, revision: journal.revision });
  }

  #apply(inbox: readonly InboxRow[]): void {
    for (const row of inbox) {
      if (row.seq <= (this.#inboxSeq ?? 0)) continue;
      this.#inboxSeq = row.seq;
      this.journal.write({ write: "consumeInbox", runId: this.runId, seq: row.seq });
      switch (row.kind) {
        case "cancel":
          this.#cancel(row.actor);
          break;
        default:
          assertNever(row.kind, "inbox");
      }
    }
  }

  /** What the ledger shows of a run that was not in memory: a crash to recover from, signals to apply. */
  #takeUp({ run: row, steps, inbox }: StoredRun): void {
    const { journal, runId, host } = this;
    const lost = steps.filter((step) => step.status === "RUNNING");
    if (row.status === "RUNNING") {
      const { revision } = journal;
      this.#crashes += 1;
      const detail = JSON.stringify({ crashes: this.#crashes });
      this.#writeStart("recovered");
      journal.write({ write: "insertEvent", runId, event: "run.recovered", detail, actor: "engine", revision });
      if (host.isHeard) journal.event({ type: "run.recovered", run: this.ref });
    }
    this.#apply(inbox);
    for (const { ordinal } of lost) {
      if (this.#steps.isEnding) this.#steps.cancelBeforeLaunch(ordinal, recordError(this.#cancelError()));
      else if (this.#crashes >= MAX_CRASHES) this.#steps.holdAfterCrash(ordinal);
      else this.#steps.recover(ordinal);
    }
    this.#steps.resumeWithOperators();
    this.#steps.armAll();
  }

  #cancel(actor: string): void {
    if (this.#steps.isEnding) return;
    const { journal, runId } = this;
    journal.write({ write: "insertEvent", runId, event: "run.cancel_requested", detail: null, actor, revision: journal.revision });
    this.#steps.isEnding = true;
    this.#steps.scheduler.cancelRun();
    this.#stopRunning(this.#cancelError());
  }

  readonly #timeOut = (): void => {
    if (this.#steps.isEnding || this.#held !== undefined || this.#end !== undefined) return;
    this.#steps.isEnding = true;
    this.#steps.scheduler.timeOutRun();
    this.#stopRunning(runTimeoutError(this.plan.graph.timeoutMs));
    this.advance();
  };

  /** Running operators get their abort signal, then the grace, then the run ends without them. */
  #stopRunning(reason: StepwellError): void {
    this.#steps.abortAll(reason);
    this.#timers.setGrace(this.host.cancelGraceMs, () => {
      this.#steps.abandonAll(reason);
      this.advance();
    });
  }

  #cancelError(): StepwellError {
    return new StepwellError("STEP_CANCELLED", "the run was cancelled");
  }

  /** Nothing can go on before a wait ends: the run is SUSPENDED, and leaves memory unless a wait ends soon. */
  #suspend(): void {
    const { journal, runId, host } = this;
    const { reason, isParking } = this.#steps.suspension(this.#crashes >= MAX_CRASHES);
    if (this.#status !== "SUSPENDED") {
      this.ensureRunning();
      this.#status = "SUSPENDED";
      const ownerEpoch = isParking ? null : host.epoch;
      journal.write({ write: "suspendRun", runId, reason, ownerEpoch, crashes: this.#crashes, revision: journal.revision });
      if (isParking && this.#timers.remainingMs !== undefined) this.#writeDeadlineWait(this.#timers.remainingMs);
      if (host.isHeard) journal.event({ type: "run.suspended", run: this.ref, reason });
    }
    this.#isParking = isParking;
    if (isParking && journal.isEmpty) this.host.clock.soon(() => this.#leaveIfOver());
  }

  #writeDeadlineWait(dueInMs: number | null): void {
    const { journal, runId } = this;
    if (dueInMs === null) journal.write({ write: "deleteWait", runId, ordinal: DEADLINE_ORDINAL });
    else
      journal.write({ write: "insertWait", runId, ordinal: DEADLINE_ORDINAL, kind: "timeout", key: null, dueInMs: Math.max(0, dueInMs) });
  }

  /** All steps have settled: the run's own end goes into the same commit as the last of them. */
  #finish(): void {
    const end = evaluateEnd(this.plan.graph, this.#steps);
    if (end instanceof Promise) {
      this.#isEvaluatingEnd = true;
      void end.then((value) => this.#conclude(value));
    } else {
      this.#conclude(end);
    }
  }

  #conclude(end: RunEnd): void {
    const { journal, runId } = this;
    const { text, ...checked } = checkEnd(end);
    const { status, reason, error } = checked;
    this.#isEvaluatingEnd = false;
    this.#end = checked;
    this.#timers.cancel();
    const errorJson = error === null ? null : errorText(error);
    journal.write({ write: "endRun", runId, status, reason, output: text, error: errorJson, revision: journal.revision });
    if (this.host.isHeard) journal.event({ type: "run.ended", run: this.ref, status, reason, error });
    this.#askForCommit();
  }

  #askForCommit(): void {
    if (this.#isInCommitter || this.journal.isEmpty) return;
    this.#isInCommitter = true;
    this.host.commit(this);
  }

  /** After a commit: an ended run and a parked one leave memory. */
  #leaveIfOver(): void {
    if (this.#isGone || this.#held !== undefined || !this.journal.isEmpty) return;
    if (this.#end !== undefined) {
      this.#isGone = true;
      this.host.onEnded(this, this.#end);
    } else if (this.#isParking && this.#status === "SUSPENDED" && !this.#steps.isBusy) {
      this.#isGone = true;
      this.#steps.retire();
      this.#timers.cancel();
      this.host.onParked(this);
    }
  }

  /** Decides again from what the ledger holds: first the signals that made the commit miss, then what had happened meanwhile. */
  #rebuild(stored: StoredRun | undefined, attempts: ReadonlyMap<number, Attempt>): void {
    const facts = this.#held ?? [];
    this.#held = undefined;
    if (this.#isGone) return;
    if (stored === undefined) {
      this.host.onBroken(this, new StepwellError("RUN_NOT_FOUND", `run ${this.publicId} is no longer in the ledger`));
      return;
    }
    this.#status = stored.run.status === "RUNNING" ? "RUNNING" : "SUSPENDED";
    this.#end = undefined;
    this.#steps = restoreSteps(this, stored);
    this.#steps.adopt(attempts, facts);
    this.#steps.armAll();
    this.#inboxSeq = appliedInbox(stored);
    this.#apply(stored.inbox);
    for (const fact of facts) this.#tell(fact);
    this.advance();
  }
}

/** The number of the last signal that a commit has consumed. */
function appliedInbox({ run, inbox }: StoredRun): number {
  return inbox[0] === undefined ? run.inboxSeq : inbox[0].seq - 1;
}

import type { EventEntry, Published } from "../../../src/ledger/port.ts";
import type { InboxRow } from "../../../src/ledger/rows.ts";
import type {
  Batch,
  CommitOutcome,
  InsertRun,
  InsertStep,
  InsertWait,
  SettleStep,
  StartRun,
  SuspendStep,
  Unit,
  Write,
} from "../../../src/ledger/writes.ts";
import {
  isTerminalRun,
  isTerminalStep,
  RUN_TRANSITIONS,
  type RunStatus,
  STEP_TRANSITIONS,
  type StepStatus,
} from "../../../src/model/status.ts";
import type { Program } from "../programs/construct.ts";
import { type Admitted, FlowLog } from "./flow-log.ts";
import { MemoryRules } from "./memory-rules.ts";
import { TaskLog } from "./task-log.ts";
import { cutAt, type DroppedWait, type Moment, type RunTrack, type StepTrack, type WaitTrack, whereIs } from "./tracks.ts";
import { checkUndoBegins } from "./undo-rules.ts";
import { checkChildren, checkUnit, isByTimeout, type Looked } from "./unit-rules.ts";

/** The writes that became durable, in order, and what they add up to; what they may not be is a violation. */
export class DurableLog {
  readonly runs = new Map<number, RunTrack>();
  readonly byPublicId = new Map<string, RunTrack>();
  /** Names of workflows by the id of their version. */
  readonly versions = new Map<number, string>();
  /** Ids of published events. */
  readonly events = new Set<string>();
  readonly violations: string[] = [];
  readonly memory = new MemoryRules();
  readonly tasks = new TaskLog((promise, what) => this.violated(promise, what));
  readonly #flow = new FlowLog((what) => this.violated("limit", what));
  /** Grows with everything that becomes durable. */
  position = 0;
  /** Waits other than for the next attempt. */
  suspensions = 0;
  /** Told of every run when it is durable. */
  onInserted: (run: RunTrack) => void = () => undefined;
  /** Told of every run that begins to wait for something from outside. */
  onAwaiting: (run: RunTrack) => void = () => undefined;
  #epoch = 0;
  #dropped: DroppedWait[] = [];
  #touched = new Set<StepTrack>();
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #trueTime: () => number;

  constructor(programs: ReadonlyMap<string, Program>, trueTime: () => number) {
    this.#programs = programs;
    this.#trueTime = trueTime;
  }

  violated(promise: string, what: string): void {
    this.violations.push(`${promise}: ${what}`);
  }

  owned(epoch: number): void {
    this.position += 1;
    if (epoch <= this.#epoch) this.violated("P5", `epoch ${epoch} was given after ${this.#epoch}`);
    this.#epoch = epoch;
  }

  accepted(row: InboxRow): void {
    const { runId, seq, kind, signalId } = row;
    const run = this.runs.get(runId);
    if (run === undefined) return this.violated("P1", `run ${runId} accepted ${kind} and does not exist`);
    // the same signal again is answered with the row that is there
    if (signalId !== null && run.inbox.some((known) => known.row.seq === seq && known.row.signalId === signalId)) return;
    this.position += 1;
    if (isTerminalRun(run.status)) this.violated("P7", `run ${runId} accepted ${kind} after its end`);
    if (seq !== run.inbox.length + 1) this.violated("I5", `run ${runId} numbered ${kind} ${seq} after ${run.inbox.length}`);
    if (signalId !== null && run.inbox.some((known) => known.row.signalId === signalId))
      this.violated("P7", `run ${runId} accepted signal ${signalId} twice`);
    run.inbox.push({ row, isConsumed: false });
    if (kind === "cancel") run.cancelledAt ??= this.position;
  }

  /** An event is durable: in inboxes, or kept for whoever asks for it first. */
  published({ id }: EventEntry, { isNew }: Published): void {
    this.position += 1;
    if (isNew === this.events.has(id)) this.violated("P7", `event ${id} was ${isNew ? "" : "not "}new`);
    this.events.add(id);
  }

  /** A run that another process put into the queue. */
  enqueued(insert: InsertRun): void {
    this.position += 1;
    this.#inserted(insert, null);
  }

  admitted(admitted: Admitted, now: number): void {
    this.position += 1;
    this.#flow.admitted(admitted, this.runs, { now, position: this.position });
    for (const row of admitted.accepted) this.accepted(row);
  }

  /** A process reads a run. */
  loaded(runId: number, process: string): void {
    this.runs.get(runId)?.loads.set(process, this.position);
  }

  committed({ epoch, units }: Batch, outcome: CommitOutcome, process: string): void {
    if (outcome.outcome === "fenced") return;
    this.position += 1;
    if (epoch !== this.#epoch) this.violated("I4", `epoch ${epoch} wrote while ${this.#epoch} owned the ledger`);
    const missed = new Set(outcome.missed);
    const ended: RunTrack[] = [];
    for (const [index, unit] of units.entries()) {
      if (missed.has(index)) continue;
      this.#unit(unit, outcome.now, process);
      const run = this.runs.get(unit.runId);
      if (run !== undefined && unit.writes.some(({ write }) => write === "endRun")) ended.push(run);
    }
    for (const row of outcome.accepted) this.accepted(row);
    checkChildren(this.#looked(), ended, outcome.accepted);
  }

  #unit(unit: Unit, now: number, process: string): void {
    this.#dropped = [];
    this.#touched = new Set();
    const before = this.runs.get(unit.runId);
    if (before !== undefined && unit.inboxSeq !== null && unit.inboxSeq < before.inbox.length)
      this.violated("P7", `run ${unit.runId} wrote what it had decided before signal ${before.inbox.length}`);
    if (before !== undefined) this.memory.writes(this.#looked(), before, process, this.#trueTime());
    for (const write of unit.writes) this.#write(write, now);
    const run = this.runs.get(unit.runId);
    if (run === undefined) return;
    const isReleased = unit.writes.some((write) => write.write === "endRun" || (write.write === "suspendRun" && write.ownerEpoch === null));
    this.#flow.landed(run, unit, run.loads.get(process) ?? -1);
    run.parkedAt = isReleased ? { position: this.position, trueMs: this.#trueTime() } : null;
    checkUnit(this.#looked(), { run, unit, now, trueMs: this.#trueTime(), dropped: this.#dropped, touched: this.#touched });
  }

  #looked(): Looked {
    return { runs: this.runs, tasks: this.tasks, violated: (promise, what) => this.violated(promise, what) };
  }

  #write(write: Write, now: number): void {
    if (write.write === "insertRun") return this.#inserted(write, now);
    const run = this.runs.get(write.runId);
    if (run === undefined) return this.violated("I1", `${write.write} of run ${write.runId}, which does not exist`);
    if ("revision" in write) this.#revised(run, write.revision);
    if (isByTimeout(write)) this.#timedOut(run, now);
    switch (write.write) {
      case "startRun":
        this.#countCrashes(run, write);
        run.began ??= this.#moment(now);
        this.#moveRun(run, "RUNNING", write.reason);
        break;
      case "suspendRun":
        this.#moveRun(run, "SUSPENDED", write.reason);
        break;
      case "endRun":
        this.#moveRun(run, write.status, write.reason);
        if (run.cancelledAt !== null && write.status !== "CANCELLED")
          this.violated("P8", `run ${write.runId} ended ${write.status} in spite of its cancel`);
        break;
      case "pauseRun":
        run.pausedBy = write.pausedBy;
        break;
      case "insertStep":
        this.#firstRow(run, write);
        break;
      case "restartStep":
        this.#restarted(run, write.ordinal, write.attempt);
        break;
      case "resumeStep":
        this.#begins(run, this.#move(run, write.ordinal, "RUNNING", false));
        break;
      case "suspendStep":
        this.#suspended(run, write);
        break;
      case "settleStep":
        this.#settled(run, write);
        break;
      case "insertAttempt":
        if (write.status === "FAILED") this.#failed(run, write.ordinal, write.attempt);
        break;
      case "insertWait":
        this.#waits(run, write, now);
        break;
      case "deleteWait":
        this.#waitEnds(run, write.ordinal);
        break;
      case "consumeInbox":
        this.#consumed(run, write.seq);
        break;
      case "insertTask":
        return this.tasks.inserted(run, write, now);
      case "closeTask":
        return this.tasks.closed(write);
      default:
        break;
    }
  }

  /** A run ends for taking too long, and not before it has. */
  #timedOut(run: RunTrack, now: number): void {
    if (run.timedOutAt !== null) return;
    run.timedOutAt = this.position;
    const timeoutMs = run.program?.timeoutMs ?? Number.POSITIVE_INFINITY;
    const { trueMs, ledgerMs } = run.began ?? this.#moment(now);
    if (this.#trueTime() < trueMs + timeoutMs && now < ledgerMs + timeoutMs)
      this.violated("P10", `run ${run.insert.publicId} timed out ${ledgerMs + timeoutMs - now} ms early`);
  }

  #moment(ledgerMs: number): Moment {
    return { trueMs: this.#trueTime(), ledgerMs };
  }

  /** @param now of the commit that has it run; null: it waits in the queue */
  #inserted(insert: InsertRun, now: number | null): void {
    if (this.runs.has(insert.runId) || this.byPublicId.has(insert.publicId)) this.violated("P6", `run ${insert.runId} was inserted twice`);
    const run: RunTrack = {
      insert,
      program: this.#programs.get(this.versions.get(insert.versionId) ?? ""),
      status: insert.status,
      reason: null,
      pausedBy: null,
      steps: new Map(),
      byPath: new Map(),
      inbox: [],
      cancelledAt: null,
      began: now === null || insert.status !== "RUNNING" ? null : this.#moment(now),
      timedOutAt: null,
      revision: insert.revision,
      recoveries: 0,
      parkedAt: null,
      loads: new Map(),
    };
    this.runs.set(insert.runId, run);
    this.byPublicId.set(insert.publicId, run);
    this.#flow.inserted(run);
    this.onInserted(run);
  }

  #revised(run: RunTrack, revision: number): void {
    if (revision < run.revision) this.violated("I8", `run ${run.insert.runId} goes back from revision ${run.revision}`);
    run.revision = revision;
  }

  #moveRun(run: RunTrack, status: RunStatus, reason: string | null): void {
    const isLegal = run.status === status || RUN_TRANSITIONS[run.status].includes(status);
    if (!isLegal) this.violated("I8", `run ${run.insert.runId} goes from ${run.status} to ${status}`);
    run.status = status;
    run.reason = reason;
  }

  /** P19: each redelivery counts before it executes, and only an attempt that came back ends the count. */
  #countCrashes(run: RunTrack, { reason, crashes }: StartRun): void {
    // an engine that was stopped in order said so: what it left RUNNING is not a crash
    if (reason === "recovered") run.recoveries += run.reason === "shutdown" ? 0 : 1;
    else if (crashes === 0) run.recoveries = 0;
    if (reason === "recovered" && crashes !== run.recoveries)
      this.violated("P19", `run ${run.insert.runId} counts ${crashes} crashes, not ${run.recoveries}`);
  }

  #firstRow(run: RunTrack, write: InsertStep): void {
    const { ordinal, status, reason, attempt, kind, parent, failures, output, error } = write;
    const path = write.path ?? run.program?.ids[ordinal] ?? `#${ordinal}`;
    if (run.steps.has(ordinal) || run.byPath.has(path)) this.violated("I3", `${whereIs(run, path)} began twice`);
    const step: StepTrack = {
      ordinal,
      path,
      kind,
      parent,
      status,
      reason,
      attempt,
      startedAt: this.position,
      settledAt: isTerminalStep(status) ? this.position : -1,
      failures,
      failed: new Set(),
      wait: null,
      output,
      error,
      isUnknown: reason === "outcome_unknown",
      hasTimedOut: false,
      childRunId: null,
    };
    run.steps.set(ordinal, step);
    run.byPath.set(path, step);
    this.#touched.add(step);
    if (status === "RUNNING") this.#begins(run, step);
    if (kind === "compensation") checkUndoBegins(this.#looked(), run, step);
  }

  #restarted(run: RunTrack, ordinal: number, attempt: number): void {
    const step = this.#move(run, ordinal, "RUNNING", true);
    if (step === undefined) return;
    if (attempt !== step.attempt + 1) this.violated("P4", `${whereIs(run, step.path)} goes from attempt ${step.attempt} to ${attempt}`);
    step.attempt = attempt;
    this.#begins(run, step);
  }

  #begins(run: RunTrack, step: StepTrack | undefined): void {
    if (step === undefined) return;
    // what a cancelled run did may still be undone
    if (cutAt(run) !== null && step.kind !== "compensation")
      this.violated("P8", `${whereIs(run, step.path)} began after the end of its run`);
    if (run.pausedBy !== null) this.violated("P9", `${whereIs(run, step.path)} began while the run was paused`);
    this.#flow.begins(run, step);
    step.startedAt = this.position;
  }

  #suspended(run: RunTrack, { ordinal, failures, reason, output }: SuspendStep): void {
    // one that waits already keeps its status
    const step = this.#move(run, ordinal, "SUSPENDED", true);
    if (step === undefined) return;
    step.failures = failures;
    step.reason = reason;
    step.output = output;
  }

  #settled(run: RunTrack, { ordinal, status, reason, failures, output, error }: SettleStep): void {
    const before = run.steps.get(ordinal);
    const hadAttempt = before?.status === "RUNNING";
    const step = this.#move(run, ordinal, status, false);
    if (step === undefined) return;
    step.settledAt = this.position;
    step.failures = failures;
    step.reason = reason;
    step.output = output;
    step.error = error;
    step.isUnknown = error?.includes('"OUTCOME_UNKNOWN"') ?? false;
    if (hadAttempt && !step.isUnknown && reason !== "run_cancelled" && reason !== "run_timeout") run.recoveries = 0;
  }

  #failed(run: RunTrack, ordinal: number, attempt: number): void {
    const step = run.steps.get(ordinal);
    if (step === undefined) return this.violated("I8", `attempt ${attempt} of step ${ordinal}, which has no row`);
    if (step.failed.has(attempt)) this.violated("I3", `attempt ${attempt} of ${whereIs(run, step.path)} ended twice`);
    step.failed.add(attempt);
    run.recoveries = 0;
  }

  #waits(run: RunTrack, { ordinal, kind, key, dueInMs, dueAt, childRunId, detail }: InsertWait, now: number): void {
    const step = run.steps.get(ordinal);
    if (kind !== "retry" && kind !== "timeout" && kind !== "resume") this.suspensions += 1;
    // the run's own deadline, or a step that has never begun
    if (step === undefined) return;
    if (step.wait !== null) this.violated("I8", `${whereIs(run, step.path)} waits twice`);
    const due = dueAt ?? (dueInMs === null ? null : now + dueInMs);
    const wait: WaitTrack = {
      kind,
      key,
      due: due === null ? null : { trueMs: this.#trueTime() + due - now, ledgerMs: due },
      childRunId,
      detail,
    };
    step.wait = wait;
    if (childRunId !== null) step.childRunId = childRunId;
    this.#touched.add(step);
    if (kind === "signal" || kind === "event") this.onAwaiting(run);
  }

  #waitEnds(run: RunTrack, ordinal: number): void {
    const step = run.steps.get(ordinal);
    if (step === undefined) return;
    this.#touched.add(step);
    if (step.wait !== null) this.#dropped.push({ step, wait: step.wait, isPaused: run.pausedBy !== null });
    step.wait = null;
  }

  #consumed(run: RunTrack, seq: number): void {
    const consumed = run.inbox[seq - 1];
    const where = `run ${run.insert.publicId}`;
    if (consumed === undefined) return this.violated("P7", `${where} consumed ${seq}, which it was not sent`);
    const { row } = consumed;
    if (consumed.isConsumed) this.violated("P7", `${where} consumed ${row.kind} ${seq} twice`);
    const isBefore = run.inbox.find((other) => !other.isConsumed && other.row.kind === row.kind && other.row.name === row.name);
    if (row.kind === "signal" && isBefore !== consumed)
      this.violated("P7", `${where} consumed signal ${row.name} ${seq} before ${isBefore?.row.seq}`);
    consumed.isConsumed = true;
  }

  #move(run: RunTrack, ordinal: number, status: StepStatus, orSame: boolean): StepTrack | undefined {
    const step = run.steps.get(ordinal);
    if (step === undefined) {
      this.violated("I8", `step ${ordinal} of run ${run.insert.publicId} goes to ${status} and has no row`);
      return undefined;
    }
    if (!STEP_TRANSITIONS[step.status].includes(status) && !(orSame && step.status === status))
      this.violated(isTerminalStep(step.status) ? "P3" : "I8", `${whereIs(run, step.path)} goes from ${step.status} to ${status}`);
    step.status = status;
    this.#touched.add(step);
    return step;
  }
}

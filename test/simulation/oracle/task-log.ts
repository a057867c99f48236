import type { TaskOutcome } from "../../../src/ledger/port.ts";
import type { TaskRow, TaskStatus } from "../../../src/ledger/rows.ts";
import type { CloseTask, InsertTask } from "../../../src/ledger/writes.ts";
import type { PlannedTask } from "../programs/construct.ts";
import { declaredAs, type RunTrack, whereIs } from "./tracks.ts";

/** What the ledger was made to hold of a task, change by change. */
export interface TaskTrack {
  readonly publicId: string;
  readonly run: RunTrack;
  readonly ordinal: number;
  /** The attempt of its step that asked, or that a crash took. */
  readonly stepAttempt: number;
  readonly where: string;
  readonly plan: PlannedTask;
  readonly topic: string | null;
  readonly maxAttempts: number;
  readonly leaseMs: number;
  /** By the ledger's clock. */
  readonly expiresAt: number | null;
  status: TaskStatus;
  attempt: number;
  failures: number;
  /** Failures that workers have reported. */
  reported: number;
  restored: number;
  token: string | null;
  leaseUntil: number;
  availableAt: number;
  decidedBy: string | null;
  /** Place in the inbox of its run of the row that wakes its step. */
  wakeSeq: number | null;
}

/** What a poll gave out, and what it took for lost. */
export interface HandedOut {
  readonly rows: readonly TaskRow[];
  /** Every dead letter of the topic after it. */
  readonly dead: readonly TaskRow[];
}

/** Nothing is decided, given out or reported any more. */
export function isClosed(status: TaskStatus): boolean {
  return status === "DONE" || status === "CANCELLED" || status === "EXPIRED";
}

/** Follows tasks through everything that becomes durable: an approval has one decision, and only who holds the lease speaks for work. */
export class TaskLog {
  readonly all = new Map<string, TaskTrack>();
  /** Told of every task when it is durable, and of every one that became a dead letter. */
  onOpened: (task: TaskTrack) => void = () => undefined;
  onDead: (task: TaskTrack) => void = () => undefined;
  readonly #violated: (promise: string, what: string) => void;

  constructor(violated: (promise: string, what: string) => void) {
    this.#violated = violated;
  }

  of(publicId: string | null): TaskTrack | undefined {
    return this.all.get(publicId ?? "");
  }

  /** Somebody said that a step may start again after the attempt that a crash took. */
  isApproved(run: RunTrack, ordinal: number, attempt: number): boolean {
    const asked = [...this.all.values()].filter((task) => task.run === run && task.ordinal === ordinal && task.stepAttempt === attempt);
    return asked.some(({ plan, status }) => status === "DONE" && plan.type === "approval" && plan.isApproved);
  }

  inserted(run: RunTrack, { ordinal, publicId, task, expiresInMs, expiresAt }: InsertTask, now: number): void {
    const path = run.steps.get(ordinal)?.path ?? "";
    const plan = run.program?.tasks.get(declaredAs(path));
    if (plan === undefined) return this.#violated("P11", `${whereIs(run, path)} has a task that was not predicted`);
    if (this.all.has(publicId)) this.#violated("P12", `task ${publicId} was made twice`);
    const track: TaskTrack = {
      publicId,
      run,
      ordinal,
      stepAttempt: run.steps.get(ordinal)?.attempt ?? 0,
      where: `task ${publicId} of ${whereIs(run, path)}`,
      plan,
      topic: task.type === "work" ? task.topic : null,
      maxAttempts: task.type === "work" ? task.maxAttempts : 1,
      leaseMs: task.type === "work" ? task.leaseMs : 0,
      expiresAt: expiresAt ?? (expiresInMs === null ? null : now + expiresInMs),
      status: "READY",
      attempt: 0,
      failures: 0,
      reported: 0,
      restored: 0,
      token: null,
      leaseUntil: 0,
      availableAt: now,
      decidedBy: null,
      wakeSeq: null,
    };
    this.all.set(publicId, track);
    this.onOpened(track);
  }

  /** The wait of its step ended without it. */
  closed({ runId, ordinal, status }: CloseTask): void {
    for (const task of this.all.values())
      if (task.run.insert.runId === runId && task.ordinal === ordinal && !isClosed(task.status)) task.status = status;
  }

  decided(outcome: TaskOutcome): void {
    const task = this.#known(outcome.task);
    if (task === undefined) return;
    if (task.status !== "READY") this.#violated("P12", `${task.where} was decided while it was ${task.status}`);
    this.#done(task, outcome);
  }

  completed(outcome: TaskOutcome, token: string): void {
    const task = this.#known(outcome.task);
    if (task === undefined) return;
    this.#expectLease(task, token, "completed");
    this.#done(task, outcome);
  }

  handedOut({ rows, dead }: HandedOut, token: string): void {
    for (const row of dead) this.#lost(row);
    for (const row of rows) this.#leased(row, token);
  }

  extended(row: TaskRow, token: string): void {
    const task = this.#known(row);
    if (task === undefined) return;
    this.#expectLease(task, token, "kept");
    task.leaseUntil = row.leaseUntil ?? 0;
    task.availableAt = task.leaseUntil;
  }

  failed(row: TaskRow, token: string, isRetryable: boolean): void {
    const task = this.#known(row);
    if (task === undefined) return;
    this.#expectLease(task, token, "reported");
    task.reported += 1;
    task.failures += 1;
    const wanted = isRetryable && task.failures < task.maxAttempts ? "RETRY_WAIT" : "DEAD_LETTER";
    if (row.status !== wanted) this.#violated("P4", `${task.where} is ${row.status} after failure ${task.failures}, not ${wanted}`);
    task.availableAt = row.availableAt ?? 0;
    task.token = null;
    this.#becomes(task, wanted);
  }

  restored(row: TaskRow): void {
    const task = this.#known(row);
    if (task === undefined) return;
    if (task.status !== "DEAD_LETTER") this.#violated("P12", `${task.where} was restored while it was ${task.status}`);
    if (row.status !== "READY" || row.failures !== 0 || row.availableAt === null)
      this.#violated("P2", `${task.where} was restored and nobody can have it`);
    task.failures = 0;
    task.restored += 1;
    task.availableAt = row.availableAt ?? 0;
    task.status = "READY";
  }

  #done(task: TaskTrack, { task: row, accepted }: TaskOutcome): void {
    if (task.expiresAt !== null && accepted.acceptedAt >= task.expiresAt)
      this.#violated("P12", `${task.where} was closed after it had expired`);
    if (accepted.runId !== task.run.insert.runId || accepted.ordinal !== task.ordinal)
      this.#violated("P12", `${task.where} woke step ${accepted.ordinal} of run ${accepted.runId}`);
    task.status = "DONE";
    task.decidedBy = row.decidedBy;
    task.wakeSeq = accepted.seq;
  }

  /** A poll took the worker for lost, and the task had no attempt left. */
  #lost(row: TaskRow): void {
    const task = this.#known(row);
    if (task === undefined || task.status === "DEAD_LETTER") return;
    if (task.status !== "CLAIMED" || task.failures + 1 < task.maxAttempts)
      this.#violated("P4", `${task.where} became a dead letter after ${task.failures} failures while it was ${task.status}`);
    task.failures += 1;
    task.token = null;
    this.#becomes(task, "DEAD_LETTER");
  }

  #leased(row: TaskRow, token: string): void {
    const task = this.#known(row);
    if (task === undefined) return;
    const now = (row.leaseUntil ?? 0) - row.leaseMs;
    const isLeft = task.status === "CLAIMED" && task.leaseUntil <= now;
    if (task.status !== "READY" && task.status !== "RETRY_WAIT" && !isLeft)
      this.#violated("P3", `${task.where} was given out while it was ${task.status}`);
    if (task.availableAt > now) this.#violated("P10", `${task.where} was given out ${task.availableAt - now} ms early`);
    if (isLeft) task.failures += 1;
    task.attempt += 1;
    if (row.attempt !== task.attempt || row.failures !== task.failures)
      this.#violated(
        "P4",
        `${task.where} was given out for attempt ${row.attempt} after ${row.failures} failures, not ${task.attempt} and ${task.failures}`,
      );
    task.status = "CLAIMED";
    task.token = token;
    task.leaseUntil = row.leaseUntil ?? 0;
    task.availableAt = task.leaseUntil;
  }

  #expectLease({ status, token: holder, where }: TaskTrack, token: string, what: string): void {
    if (status !== "CLAIMED" || holder !== token)
      this.#violated("P5", `${where} was ${what} under a lease that was lost, while it was ${status}`);
  }

  #becomes(task: TaskTrack, status: "RETRY_WAIT" | "DEAD_LETTER"): void {
    task.status = status;
    if (status === "DEAD_LETTER") this.onDead(task);
  }

  #known({ publicId }: TaskRow): TaskTrack | undefined {
    const task = this.all.get(publicId);
    if (task === undefined) this.#violated("I1", `task ${publicId} changed and was never made`);
    return task;
  }
}

/** The row that wakes the step of a task is there, and the run has read it. */
export function isAnswered(task: TaskTrack | undefined, inboxSeq: number | null): boolean {
  return task?.wakeSeq !== undefined && task.wakeSeq !== null && task.wakeSeq <= (inboxSeq ?? 0);
}

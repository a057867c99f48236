import type { InboxRow, WaitKind } from "../../../src/ledger/rows.ts";
import type { Unit, Write } from "../../../src/ledger/writes.ts";
import { isTerminalRun } from "../../../src/model/status.ts";
import { isAnswered, type TaskLog } from "./task-log.ts";
import { cutAt, type DroppedWait, declaredAs, type InboxTrack, type RunTrack, type StepTrack, whereIs } from "./tracks.ts";

export interface Looked {
  readonly runs: ReadonlyMap<number, RunTrack>;
  readonly tasks: TaskLog;
  readonly violated: (promise: string, what: string) => void;
}

/** A unit that has just become durable, with what it did to waits. */
export interface Landed {
  readonly run: RunTrack;
  readonly unit: Unit;
  /** The ledger's clock in the commit. */
  readonly now: number;
  readonly trueMs: number;
  readonly dropped: readonly DroppedWait[];
  readonly touched: ReadonlySet<StepTrack>;
}

/** Waits that time alone ends. */
const OF_TIME: ReadonlySet<WaitKind> = new Set(["timer", "retry", "delay"]);
/** What must not stay unread when a run ends. */
const COMMANDS: ReadonlySet<string> = new Set(["cancel", "pause", "resume", "retry"]);
/** Reasons for which a step is SUSPENDED without a wait: a person ends it, or the steps inside do. */
export const NO_WAIT: ReadonlySet<string | null> = new Set(["quarantined", "steps"]);

/** Reasons for which a run is SUSPENDED whatever has come for it: a person lets it go on, another engine, or its turn. */
const OF_THE_RUN: ReadonlySet<string | null> = new Set(["quarantined", "shutdown", "queued"]);

/** What must hold after every unit, whatever it was about. */
export function checkUnit(looked: Looked, landed: Landed): void {
  const { run, touched, dropped } = landed;
  for (const step of touched) checkWait(looked, run, step);
  for (const each of dropped) {
    checkEndOfWait(looked, landed, each);
    if (each.wait.kind === "child") checkClosed(looked, landed, each);
  }
  for (const step of touched) if (step.kind === "item") checkWidth(looked, run, step);
  checkSignals(looked, landed);
  checkRun(looked, landed);
}

function checkRun({ violated }: Looked, { run }: Landed): void {
  if (run.status === "SUSPENDED" && [...run.steps.values()].some((step) => step.status === "RUNNING"))
    violated("I8", `run ${run.insert.publicId} is SUSPENDED with a RUNNING step`);
  if (!isTerminalRun(run.status)) return;
  for (const { row, isConsumed } of run.inbox)
    if (!isConsumed && COMMANDS.has(row.kind)) violated("I5", `run ${run.insert.publicId} ended with an unread ${row.kind}`);
}

/** A step that waits has a wait, and no other step has one. */
function checkWait({ violated }: Looked, run: RunTrack, step: StepTrack): void {
  const { status, reason, wait, path } = step;
  if (status === "SUSPENDED") {
    if (wait === null && !NO_WAIT.has(reason)) violated("P2", `${whereIs(run, path)} is SUSPENDED (${reason}) and nothing ends that`);
    // what woke an operator stays with its step until it has used it
  } else if (wait !== null && !(status === "RUNNING" && wait.detail?.includes('"woken"') === true)) {
    violated("I6", `${whereIs(run, path)} is ${status} and still waits for ${wait.kind}`);
  }
}

function checkEndOfWait(looked: Looked, landed: Landed, { step, wait, isPaused }: DroppedWait): void {
  const { run, now, trueMs } = landed;
  const { due, kind } = wait;
  const goesOn = step.status === "SUCCEEDED" || step.status === "RUNNING" || step.kind === "block" || step.wait?.kind === "resume";
  const isOver = step.status === "CANCELLED" || step.status === "SKIPPED";
  // what woke an operator goes with it when it ends, paused or not
  if (isPaused && !isOver && kind !== "resume")
    looked.violated("P9", `the wait of ${whereIs(run, step.path)} for ${kind} ended while the run was paused`);
  // a wall clock that jumps moves the ledger's time or the process's, never both back
  const isEarly = due !== null && trueMs < due.trueMs && now < due.ledgerMs;
  if (OF_TIME.has(kind)) {
    if (isEarly && goesOn && !isOver) looked.violated("P10", `${whereIs(run, step.path)} went on ${due.ledgerMs - now} ms early`);
  } else if (hasTimedOut(step)) {
    step.hasTimedOut = true;
    if (due === null || isEarly) looked.violated("P10", `${whereIs(run, step.path)} timed out early`);
    const missed = due === null ? undefined : unread(run, wait.key, landed).find(({ row }) => row.acceptedAt <= due.ledgerMs);
    if (kind === "signal" && missed !== undefined)
      looked.violated("P7", `${whereIs(run, step.path)} timed out although signal ${wait.key} was there in time`);
    if (kind === "task" && looked.tasks.of(wait.key)?.status === "DONE")
      looked.violated("P12", `${whereIs(run, step.path)} timed out although task ${wait.key} is done`);
  }
}

function hasTimedOut({ error, output, wait, status }: StepTrack): boolean {
  if (wait?.kind === "resume" || wait?.kind === "retry") return wait.detail?.includes('"kind":"timeout"') === true;
  return error?.includes('"WAIT_TIMEOUT"') === true || (status === "SUCCEEDED" && output === '{"timedOut":true}');
}

function unread({ inbox }: RunTrack, name: string | null, { unit }: Landed): readonly InboxTrack[] {
  const known = unit.inboxSeq ?? 0;
  return inbox.filter(({ row, isConsumed }) => !isConsumed && row.kind === "signal" && row.name === name && row.seq <= known);
}

/** A child that nobody waits for any more is cancelled in that commit, unless it may go on alone. */
function checkClosed({ runs, violated }: Looked, { run, unit }: Landed, { step, wait }: DroppedWait): void {
  const child = runs.get(wait.childRunId ?? -1);
  const isLeft = step.status === "CANCELLED" || step.status === "SKIPPED";
  if (!isLeft || child === undefined || isTerminalRun(child.status) || wait.detail?.includes('"close":"abandon"') === true) return;
  const isTold = unit.writes.some(
    (write) => write.write === "postInbox" && write.kind === "cancel" && write.targetRunId === wait.childRunId,
  );
  if (!isTold) violated("P8", `${whereIs(run, step.path)} left its child ${child.insert.publicId} to itself`);
}

/** No more items of a foreach are at work than it allows. */
function checkWidth({ violated }: Looked, { steps, program, insert }: RunTrack, { parent }: StepTrack): void {
  const path = steps.get(parent ?? -1)?.path ?? "";
  const allowed = program?.blocks.get(declaredAs(path))?.maxConcurrency ?? Number.POSITIVE_INFINITY;
  const open = [...steps.values()].filter((item) => item.parent === parent && item.status === "SUSPENDED").length;
  if (open > allowed) violated("S0", `${open} items of ${path} of run ${insert.publicId} are at work, not ${allowed}`);
}

/** A signal ends one wait of its name in the commit that consumes it. */
function checkSignals({ tasks, violated }: Looked, landed: Landed): void {
  const { run, unit, dropped } = landed;
  const ended = dropped.filter(({ step, wait }) => wait.kind === "signal" && !hasTimedOut(step)).map(({ wait }) => wait.key);
  for (const write of unit.writes) {
    if (write.write !== "consumeInbox") continue;
    const row = run.inbox[write.seq - 1]?.row;
    if (row?.kind !== "signal") continue;
    const at = ended.indexOf(row.name);
    if (at < 0) violated("P7", `run ${run.insert.publicId} consumed signal ${row.name}, and no wait ended`);
    else ended.splice(at, 1);
  }
  const isParked = unit.writes.some((write) => write.write === "suspendRun" && write.ownerEpoch === null);
  const isHeld = run.pausedBy !== null || OF_THE_RUN.has(run.reason);
  if (!isParked || run.status !== "SUSPENDED" || isHeld || cutAt(run) !== null) return;
  for (const { wait, path } of run.steps.values()) {
    if (wait?.kind === "task" && isAnswered(tasks.of(wait.key), unit.inboxSeq))
      violated("P12", `${whereIs(run, path)} waits for task ${wait.key}, which is done`);
    if (wait?.kind !== "signal") continue;
    const { key, due } = wait;
    if (unread(run, key, landed).some(({ row }) => due === null || row.acceptedAt <= due.ledgerMs))
      violated("P7", `${whereIs(run, path)} waits for signal ${key}, which is there`);
  }
}

/** The commit that ends a child tells its parent, once, as long as there is one to tell. */
export function checkChildren({ runs, violated }: Looked, ended: readonly RunTrack[], accepted: readonly InboxRow[]): void {
  for (const { insert } of ended) {
    const { parent } = insert;
    if (parent === null) continue;
    const above = runs.get(parent.runId);
    const isTold = accepted.filter((row) => row.kind === "child" && row.runId === parent.runId && row.ordinal === parent.ordinal).length;
    const isWanted = above === undefined || isTerminalRun(above.status) ? 0 : 1;
    if (isTold !== isWanted) violated("P2", `the end of child ${insert.publicId} was told ${isTold} times, not ${isWanted}`);
  }
}

/** The timeout of its run ends something. */
export function isByTimeout(write: Write): boolean {
  return "reason" in write && (write.reason === "run_timeout" || (write.write === "endRun" && write.reason === "timeout"));
}

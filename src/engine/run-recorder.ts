import type { StoredRun } from "../ledger/port.ts";
import type { InboxRow } from "../ledger/rows.ts";
import { SLOTS } from "../ledger/rows.ts";
import type { InsertRun, RunParent } from "../ledger/writes.ts";
import { type RecordedError, StepwellError } from "../model/errors.ts";
import { RUN_TRANSITIONS, type RunReason, type TerminalRunStatus } from "../model/status.ts";
import type { RunContext } from "../operators/operator.ts";
import type { Lineage } from "./lineage.ts";
import { errorText, recordError } from "./recorded-error.ts";
import type { RunCore } from "./run-core.ts";
import type { RunEnd } from "./run-host.ts";
import type { Deadline } from "./run-timers.ts";

/** Recoveries without progress after which a run is held instead of driven (PROMISES P19). */
const MAX_CRASHES = 3;
/** The ordinal under which the run's own deadline waits. */
export const DEADLINE_ORDINAL = -1;
const NO_TERMS = { childRunId: null, detail: null } as const;

/** Why nothing of a run goes on, whatever its steps wait for. */
export type RunHold = "quarantined" | "paused" | "queued";

/** Writes what happens to the run itself into its journal, as `StepRecorder` does for its steps. */
export class RunRecorder {
  readonly #core: RunCore;
  #status: "QUEUED" | "RUNNING" | "SUSPENDED" = "RUNNING";
  /** Engines that died with this run since an attempt last came back. */
  #crashes = 0;
  #hasDeadlineRow = false;
  #isUndoing = false;
  /** Its row names this engine as its owner: nobody else looks for it, not even by time. */
  #isOwned = false;
  /** Its row still counts crashes that no longer do. */
  #isRowStale = false;
  /** Why it is SUSPENDED. */
  #reason: RunReason | null = null;
  #pausedBy: string | null = null;
  #parent: RunParent | null = null;
  /** How far it is with its slots, as its row says: see `SLOTS`. */
  #slots: number | null = null;
  #isToEnd = false;
  /** When a note has it ask for its turn; null without one. */
  #asksAt: number | null = null;

  constructor(core: RunCore) {
    this.#core = core;
  }

  get status(): "QUEUED" | "RUNNING" | "SUSPENDED" {
    return this.#status;
  }

  /** It took down too many engines: a person must look at it. */
  get isHeld(): boolean {
    return this.#crashes >= MAX_CRASHES;
  }

  get isPaused(): boolean {
    return this.#pausedBy !== null;
  }

  /** Why a run of which no step can go on is not to be looked for by time. */
  get held(): RunHold | null {
    if (this.isPaused) return "paused";
    if (this.isHeld) return "quarantined";
    return this.#mayWork ? null : "queued";
  }

  /** It has what it needs to do something; to end it needs nothing. */
  get #mayWork(): boolean {
    return this.#slots === null || this.#slots === SLOTS.held || this.#isToEnd;
  }

  /** Where a run stands among its parents; a child of it stands one deeper. */
  get lineage(): Lineage {
    return this.#parent === null ? { depth: 0, rootRunId: this.#core.runId } : this.#parent;
  }

  /** Takes the run's state from the ledger. */
  restore({ run, waits, asksAt }: StoredRun): void {
    const { parentRunId, parentStep, parentOrdinal, depth, rootRunId } = run;
    this.#reason = run.reason;
    this.#slots = run.slots;
    this.#asksAt = asksAt;
    this.#isToEnd = false;
    this.#pausedBy = run.pausedBy;
    this.#parent =
      parentRunId === null
        ? null
        : { runId: parentRunId, step: parentStep ?? "", ordinal: parentOrdinal ?? 0, depth, rootRunId: rootRunId ?? parentRunId };
    this.#status = run.status === "QUEUED" || run.status === "SUSPENDED" ? run.status : "RUNNING";
    this.#crashes = run.crashes;
    this.#isOwned = run.ownerEpoch !== null;
    this.#hasDeadlineRow = waits.some((wait) => wait.ordinal === DEADLINE_ORDINAL);
  }

  inserted(insert: InsertRun): void {
    const { journal, host, ref } = this.#core;
    this.#isOwned = insert.ownerEpoch !== null;
    this.#slots = insert.slots;
    journal.write(insert);
    this.#began();
    if (host.isHeard) journal.event({ type: "run.started", run: ref });
  }

  /** What it did is being undone: it is RUNNING all that time, unless a compensation waits. */
  undoing(): void {
    if (this.#isUndoing) return;
    this.#isUndoing = true;
    if (this.#status === "RUNNING") this.#start("compensating");
    this.#event("run.compensating", null, "engine");
    this.#dropDeadline();
  }

  /** A step starts: so does the run. */
  running(): void {
    if (this.#status === "RUNNING") return;
    const { journal, host, ref } = this.#core;
    const type = this.#status === "QUEUED" ? "run.started" : "run.resumed";
    if (this.#status === "QUEUED") this.#began();
    this.#status = "RUNNING";
    this.#start(this.#isUndoing ? "compensating" : null);
    if (host.isHeard) journal.event({ type, run: ref });
  }

  /** The run was found RUNNING: its engine died with it, unless it was stopped in order while an operator went on. */
  recovered(before: RunReason | null): void {
    const { journal, host, ref } = this.#core;
    if (before !== "shutdown") this.#crashes += 1;
    this.#start("recovered");
    this.#event("run.recovered", JSON.stringify({ crashes: this.#crashes }), "engine");
    if (host.isHeard) journal.event({ type: "run.recovered", run: ref });
  }

  /** An attempt came back: the run does not kill its engine. */
  progressed(): void {
    if (this.#crashes === 0) return;
    this.#crashes = 0;
    this.#start(null);
  }

  /** What holds it has no say any more: a person has looked at it, or it is to end. Crashes count anew. */
  released(): void {
    if (!this.isPaused && !this.isHeld) return;
    this.#isRowStale = this.#crashes > 0;
    this.#crashes = 0;
    if (this.isPaused) this.#pause(null);
    if (this.#status === "RUNNING") this.#start(this.#isUndoing ? "compensating" : null);
  }

  /** Due times and whatever is sent to the run wait until somebody resumes it. */
  paused(actor: string): void {
    if (!this.isPaused) this.#pause(actor);
  }

  #pause(pausedBy: string | null): void {
    const { journal, runId } = this.#core;
    this.#pausedBy = pausedBy;
    // an admission that came upon it while it was paused has forgotten, or will, that it asks
    if (pausedBy === null && this.#slots === SLOTS.asked) this.#slots = SLOTS.idle;
    journal.write({ write: "pauseRun", runId, pausedBy, revision: journal.revision });
  }

  /** The engine stops before an operator has ended: the next engine goes on, and does not count it as a crash. */
  handedBack(): void {
    this.#start("shutdown");
  }

  /**
   * A run that was parked and is at work again, though no step of it is RUNNING yet: what it waited for has come, and the next step
   * waits for a slot. Nothing in the ledger would wake it any more, so it says whose it is.
   */
  kept(): void {
    const { journal, runId, host } = this.#core;
    const reason = this.#reason;
    if (this.#status !== "SUSPENDED" || (this.#isOwned && !this.#isRowStale) || reason === null || journal.isEmpty) return;
    this.#isOwned = true;
    this.#isRowStale = false;
    const { revision } = journal;
    journal.write({ write: "suspendRun", runId, reason, ownerEpoch: host.epoch, crashes: this.#crashes, slots: null, revision });
  }

  /** @param deadline written with a run that leaves memory, so that somebody finds it in time */
  suspended(reason: RunReason, isParking: boolean, deadline: Deadline | undefined): void {
    if (this.#status === "SUSPENDED" && this.#reason === reason && this.#isOwned === !isParking && !this.#isRowStale) return;
    this.#isRowStale = false;
    if (this.#status === "QUEUED" && reason === "paused") return this.#slots === SLOTS.held ? this.#requeued() : undefined;
    if (this.#status === "QUEUED" && reason === "queued") return this.#requeued();
    if (this.#status === "QUEUED") this.running();
    if (isParking) this.#leaveSlots(reason);
    const { journal, runId, host, ref } = this.#core;
    const ownerEpoch = isParking ? null : host.epoch;
    this.#status = "SUSPENDED";
    this.#isOwned = !isParking;
    this.#reason = reason;
    const { revision } = journal;
    // one that stays in memory may have been admitted since it was read
    const slots = isParking ? this.#slots : null;
    journal.write({ write: "suspendRun", runId, reason, ownerEpoch, crashes: this.#crashes, slots, revision });
    if (isParking && deadline !== undefined && !this.#hasDeadlineRow) {
      this.#hasDeadlineRow = true;
      journal.write({ write: "insertWait", runId, ordinal: DEADLINE_ORDINAL, kind: "timeout", key: null, ...deadline, ...NO_TERMS });
    }
    if (host.isHeard) journal.event({ type: "run.suspended", run: ref, reason });
  }

  /** Parked, it has no slots but those that it keeps until its end; what has something to do asks for them again. */
  #leaveSlots(reason: RunReason): void {
    if (this.#slots === null) return;
    const { journal } = this.#core;
    // one that asks may have been admitted since it was read
    if (this.#slots !== SLOTS.idle) journal.note("parked");
    if (reason === "queued") journal.note("asks");
    this.#slots = reason === "queued" ? SLOTS.asked : SLOTS.idle;
  }

  /** An engine had it for a command, before its turn or before it began: it waits for that again, once it is paused no more. */
  #requeued(): void {
    if (!this.#isOwned && this.#slots === SLOTS.asked) return;
    if (this.#slots === SLOTS.held) this.#core.journal.note("parked");
    this.#isOwned = false;
    this.#slots = SLOTS.asked;
    const { journal, runId, host } = this.#core;
    journal.write({ write: "requeueRun", runId });
    // starts that are being collected for it are collected as long as they would have been
    journal.note("asks", this.#asksAt === null ? 0 : Math.max(0, this.#asksAt - host.ledgerNow()));
  }

  /** A signal is taken up, in the commit of what it causes; one that an earlier commit took up is only in force again. */
  accepted({ seq, kind, actor, consumedAt }: InboxRow): void {
    if (consumedAt !== null) return;
    const { journal, runId } = this.#core;
    journal.write({ write: "consumeInbox", runId, seq });
    this.#event(`run.${kind}_requested`, null, actor);
  }

  /** Its timeout is counted from the commit that has it run. */
  #began(): void {
    if (this.#core.plan.graph.timeoutMs !== null) this.#core.journal.alarm(DEADLINE_ORDINAL);
  }

  /** It cannot take too long any more: nobody is to look for it then. */
  #dropDeadline(): void {
    if (!this.#hasDeadlineRow) return;
    this.#hasDeadlineRow = false;
    this.#core.journal.write({ write: "deleteWait", runId: this.#core.runId, ordinal: DEADLINE_ORDINAL });
  }

  /** It is to end before its steps have: nothing holds it any more. */
  ending(): void {
    this.#isToEnd = true;
    this.released();
    this.#dropDeadline();
  }

  ended(end: RunEnd): void {
    const { journal, runId, host, ref } = this.#core;
    const { status, reason, outputText, error } = end;
    const errorJson = error === null ? null : errorText(error);
    // what was left of a run in the queue may settle without any step starting: it has run all the same
    if (!RUN_TRANSITIONS[this.#status].includes(status)) this.running();
    this.#dropDeadline();
    journal.write({ write: "endRun", runId, status, reason, output: outputText, error: errorJson, revision: journal.revision });
    if (this.#slots !== null) journal.note("ended");
    if (this.#parent !== null) this.#tellParent(this.#parent, end);
    if (host.isHeard) journal.event({ type: "run.ended", run: ref, status, reason, error });
  }

  /** The parent's wake is part of the commit that ends the child. */
  #tellParent({ runId: targetRunId, ordinal }: RunParent, { status, output, error }: RunEnd): void {
    const { journal, runId, context } = this.#core;
    const payload = JSON.stringify(
      status === "SUCCEEDED" ? { ok: true, payload: output } : { ok: false, error: childError(context, status, error) },
    );
    journal.write({ write: "postInbox", runId, targetRunId, kind: "child", ordinal, name: null, payload, actor: "child" });
  }

  #start(reason: RunReason | null): void {
    const { journal, runId, host, plan } = this.#core;
    this.#isOwned = true;
    this.#isRowStale = false;
    const place = { ownerEpoch: host.epoch, crashes: this.#crashes, deadlineInMs: plan.graph.timeoutMs, revision: journal.revision };
    journal.write({ write: "startRun", runId, reason, ...place });
  }

  #event(event: string, detail: string | null, actor: string): void {
    const { journal, runId } = this.#core;
    journal.write({ write: "insertEvent", runId, event, detail, actor, revision: journal.revision });
  }
}

function childError({ runId, workflow }: RunContext, status: TerminalRunStatus, error: RecordedError | null): RecordedError {
  const why = error === null ? status : `${status}: ${error.message}`;
  const data = { run: runId, workflow, status, ...(error === null ? {} : { code: error.code }) };
  return recordError(new StepwellError("CHILD_FAILED", `run ${runId} of workflow "${workflow}" ended ${why}`, { data }));
}

import type { StepView } from "../expressions/template.ts";
import type { InboxRow } from "../ledger/rows.ts";
import type { Write } from "../ledger/writes.ts";
import type { RecordedError } from "../model/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { RunReason, StepReason, TerminalStepStatus } from "../model/status.ts";
import type { Step } from "../workflow/graph.ts";
import type { ScopeResult } from "./blocks/block.ts";
import { payloadText } from "./finish-output.ts";
import { errorText } from "./recorded-error.ts";
import type { RunCore } from "./run-core.ts";
import type { Succeeded, Suspended } from "./run-journal.ts";
import type { RunHold } from "./run-recorder.ts";
import type { ScopePlace, StepScope } from "./step-scope.ts";
import type { StepState, Woken } from "./step-state.ts";
import { detailOf, detailText, NO_DETAIL, type StepWait, type WaitDetail, wokenOf } from "./step-wait.ts";
import { StepWaits } from "./step-waits.ts";
import { insertedBlock, insertedScope, placeOf, settledAtOnce, settledStep, startedStep } from "./step-writes.ts";
import { aboutOf, endingWrites, suspensionWrites, type WaitEnd } from "./suspension-writes.ts";

/** How a step ended. */
export interface Settlement {
  readonly status: TerminalStepStatus;
  readonly reason: StepReason | null;
  readonly output: Succeeded | null;
  readonly error: RecordedError | null;
  /** JSON text of the ordinals that a switch selected. */
  readonly selected: string | null;
}

/** Of a wait for nobody outside, that lasts from its commit on. */
const BY_ITSELF = { dueAt: null, timer: null, childRunId: null } as const;

export const NO_RESULT = { reason: null, output: null, error: null, selected: null } as const;

/** Why a run is SUSPENDED, and whether it leaves memory. */
export interface Suspension {
  readonly reason: RunReason;
  readonly isParking: boolean;
}

/** Writes what happens to steps into the run's journal, tells listeners of it, and shows ends to expressions. */
export class StepRecorder {
  /** Steps whose row is RUNNING, or is about to be. */
  running = 0;
  readonly #waits = new StepWaits();
  readonly #core: RunCore;

  constructor(core: RunCore) {
    this.#core = core;
  }

  /** Ordinals of the steps that wait for a signal of this name, the one that has waited longest first. */
  waitingFor(name: string): Iterable<number> {
    return this.#waits.forSignal(name);
  }

  /** By ordinal: the steps that wait. */
  get waits(): ReadonlyMap<number, StepWait> {
    return this.#waits.all;
  }

  /** When the first wait falls due by time at the earliest, on the ledger's clock. */
  nextDue(): number | null {
    return this.#waits.next()?.dueAt ?? null;
  }

  /** A step waits, or was found waiting in the ledger. */
  wait(ordinal: number, wait: StepWait): void {
    const { dueAt, delayMs } = wait;
    // a delay counts from the commit that is still to come: this is the earliest
    this.#waits.add(ordinal, wait, dueAt ?? (delayMs === null ? null : this.#core.host.ledgerNow() + delayMs));
  }

  started(state: StepState, input: string | null): void {
    const { scope, step, idempotencyKey } = state;
    const { journal, runId } = this.#core;
    this.#core.ensureRunning();
    this.endWait(state.ordinal, "dropped");
    journal.write(startedStep(runId, state.ordinal, placeOf(scope, step), input, idempotencyKey, journal.revision));
    this.#launch(state);
  }

  restarted(state: StepState, reason: StepReason | null): void {
    const { journal, runId } = this.#core;
    const { ordinal, attempt } = state;
    this.#core.ensureRunning();
    this.endWait(ordinal, "dropped");
    if (state.woken !== null) this.#keepWoken(ordinal, state.woken);
    journal.write({ write: "restartStep", runId, ordinal, reason, attempt, revision: journal.revision });
    this.#launch(state);
  }

  /** The operator's `resume` is called in the same attempt. */
  resumed(state: StepState): void {
    const { journal, runId } = this.#core;
    this.#core.ensureRunning();
    journal.write({ write: "resumeStep", runId, ordinal: state.ordinal, revision: journal.revision });
    this.#launch(state);
  }

  /** A block begins: SUSPENDED for the ledger, because no operator of its own runs. */
  opened({ scope, step, ordinal, path, input: items }: StepState, input: string): void {
    const { journal, runId, ref, host } = this.#core;
    this.#core.ensureRunning();
    journal.write(insertedBlock(runId, ordinal, placeOf(scope, step), input, journal.revision));
    if (!host.isHeard || step.block === null) return;
    const { block } = step;
    const total = block.kind === "loop" ? block.maxIterations : Array.isArray(items) ? items.length : 0;
    journal.event({ type: "step.started", run: ref, step: path, attempt: 1, block: { kind: block.kind, total } });
  }

  /** An item or round begins. */
  scopeOpened(place: ScopePlace, carry: string | null): void {
    const { journal, runId } = this.#core;
    journal.write(insertedScope(runId, place, carry, journal.revision));
  }

  scopeClosed({ ordinal, path }: ScopePlace, { status, output, error }: ScopeResult): void {
    const { journal, runId, ref, host } = this.#core;
    const end = {
      status,
      reason: status === "CANCELLED" ? this.#core.endingReason : null,
      failures: 0,
      output: status === "SUCCEEDED" ? payloadText(output, "the output of an item") : null,
      error: error === null ? null : errorText(error),
      selected: null,
    };
    journal.write(settledStep(runId, ordinal, end, journal.revision));
    if (host.isHeard) journal.event({ type: "item.settled", run: ref, step: path, status, error });
  }

  /** An attempt failed and another follows after `delayMs`: failure, next attempt and due time are one commit. */
  retrying(state: StepState, error: RecordedError, delayMs: number): void {
    const { journal, runId, ref, host } = this.#core;
    const { ordinal, attempt, failures, path } = state;
    const { revision } = journal;
    const text = errorText(error);
    this.endWait(ordinal, "dropped");
    journal.write({ write: "insertAttempt", runId, ordinal, attempt, status: "FAILED", error: text, revision });
    this.#stopped(state, "retry", failures, null, text);
    this.#insertWait(ordinal, { ...BY_ITSELF, kind: "retry", key: null, delayMs, detail: wokenOf(state) });
    if (host.isHeard) journal.event({ type: "step.retrying", run: ref, step: path, attempt, error, delayMs });
  }

  /** An operator said "not yet": its partial output, its wait and what the wait needs. */
  suspended(state: StepState, outcome: Suspended, more: WaitDetail = NO_DETAIL): void {
    const { journal, ref, host } = this.#core;
    const { ordinal, attempt, path } = state;
    const { suspension, partial } = outcome;
    const { request, dueInMs, dueAt } = suspension;
    this.endWait(ordinal, "used");
    this.#stopped(state, request.kind, state.failures, partial, null);
    const { key, childRunId, writes } = suspensionWrites(this.#core, state, outcome);
    for (const write of writes) journal.write(write);
    if (outcome.child !== null) journal.spawn(outcome.child);
    const detail = more === NO_DETAIL ? detailOf(suspension) : { ...detailOf(suspension), ...more };
    this.#insertWait(ordinal, { kind: request.kind, key, delayMs: dueInMs, dueAt, timer: null, childRunId, detail });
    if (!host.isHeard) return;
    const about = aboutOf(request);
    const inMs = dueAt === null ? dueInMs : dueAt - host.ledgerNow();
    journal.event({ type: "step.suspended", run: ref, step: path, attempt, kind: request.kind, key, about, dueInMs: inMs });
  }

  /** A person let a step begin again: its next attempt is due at once. */
  confirmed(state: StepState): void {
    const { ordinal } = state;
    this.endWait(ordinal, "used");
    this.#insertWait(ordinal, { ...BY_ITSELF, kind: "retry", key: null, delayMs: 0, detail: wokenOf(state) });
  }

  /** A block waits between two rounds. */
  delayed({ ordinal }: StepState, delayMs: number, carry: Json): void {
    this.#insertWait(ordinal, { ...BY_ITSELF, kind: "delay", key: null, delayMs, detail: { carry } });
  }

  /** What a step waited for has come; its operator is to be told of it. */
  woken({ ordinal }: StepState, woken: Woken, end: WaitEnd): void {
    this.endWait(ordinal, end);
    this.#keepWoken(ordinal, woken);
  }

  #keepWoken(ordinal: number, woken: Woken): void {
    this.#insertWait(ordinal, { ...BY_ITSELF, kind: "resume", key: woken.key, delayMs: 0, detail: { woken } });
  }

  /** An inbox row has had its effect on a step, or can have none any more. */
  used({ seq, kind, name, actor }: InboxRow, step: string | null): void {
    const { journal, runId } = this.#core;
    const { revision } = journal;
    journal.write({ write: "consumeInbox", runId, seq });
    const detail = JSON.stringify({ ...(step === null ? {} : { step }), ...(name === null ? {} : { name }) });
    journal.write({ write: "insertEvent", runId, event: `${kind}.${step === null ? "ignored" : "received"}`, detail, actor, revision });
  }

  /** A crash took the attempt: whether it had an effect is not known. */
  lost(state: StepState): void {
    const { journal, runId } = this.#core;
    const { ordinal, attempt } = state;
    this.#leaveRunning(state);
    journal.write({ write: "insertAttempt", runId, ordinal, attempt, status: "LOST", error: null, revision: journal.revision });
  }

  /** RUNNING → SUSPENDED without an alarm: something other than time ends it. */
  held(state: StepState, reason: StepReason): void {
    this.#stopped(state, reason, state.failures, null, null);
  }

  /** For one that has its operator and serves its topic. */
  waitForWorker(ordinal: number, step: Step): void {
    if (this.waits.has(ordinal)) return;
    const { host, context } = this.#core;
    const key = host.placement.wants(step, context);
    this.#insertWait(ordinal, { ...BY_ITSELF, kind: "no_worker", key, delayMs: null, detail: NO_DETAIL });
  }

  /** A step waits no more. Unless what it waited for has come, whoever works for it is told to stop. */
  endWait(ordinal: number, end: WaitEnd): void {
    const wait = this.#waits.get(ordinal);
    if (wait === undefined) return;
    const { journal, runId } = this.#core;
    wait.timer?.cancel();
    this.#waits.delete(ordinal, wait);
    if (end === "expired" && wait.dueAt !== null) journal.expired(wait.dueAt);
    journal.write({ write: "deleteWait", runId, ordinal });
    for (const write of endingWrites(runId, ordinal, wait, end)) journal.write(write);
  }

  /** Why a run of which no step can go on is SUSPENDED, and whether it leaves memory: unless a wait ends soon and there is room, it does. */
  suspension(held: RunHold | null): Suspension {
    const { host } = this.#core;
    if (held !== null) return { reason: held, isParking: true };
    if (host.isStopping) return { reason: "shutdown", isParking: true };
    const next = this.#waits.next();
    if (next !== undefined && next.dueAt <= host.ledgerNow() + LIMITS.shortDelayMs && !host.isCrowded)
      return { reason: REASONS[next.wait.kind], isParking: false };
    const kind = this.#waits.firstKind();
    return { reason: kind === undefined ? "shutdown" : REASONS[kind], isParking: true };
  }

  /** @param state undefined for a step that never had a row: it ends in the commit that decides it */
  settled(scope: StepScope, step: Step, state: StepState | undefined, { status, reason, output, error, selected }: Settlement): void {
    const { journal, runId, ref, host } = this.#core;
    const ordinal = scope.ordinalOf(step);
    const end = {
      status,
      reason,
      failures: state?.failures ?? 0,
      output: output?.text ?? null,
      error: error === null ? null : errorText(error),
      selected,
    };
    const revision = output?.committedAt ?? journal.revision;
    scope.views[step.id] = viewOf(step, status, output, error);
    if (step.compensate !== null && status === "SUCCEEDED") scope.canUndo(step, revision);
    if (state !== undefined && output?.committedAt !== undefined) return this.#settledAlready(state);
    this.endWait(ordinal, "dropped");
    const attempt = state?.attempt ?? (status === "SUCCEEDED" || error !== null ? 1 : 0);
    if (state === undefined) journal.write(settledAtOnce(runId, ordinal, placeOf(scope, step), attempt, end, journal.revision));
    else {
      this.#leaveRunning(state);
      journal.write(settledStep(runId, ordinal, end, journal.revision));
    }
    if (host.isHeard) journal.event({ type: "step.settled", run: ref, step: scope.pathOf(step), attempt, status, reason, error });
  }

  /** What a transaction of the step's own writes of its success. */
  settlingWrites({ ordinal, failures }: StepState, output: string, revision: number): readonly Write[] {
    const { runId } = this.#core;
    const end = { status: "SUCCEEDED", reason: null, failures, output, error: null, selected: null } as const;
    const settled = settledStep(runId, ordinal, end, revision);
    return this.#waits.get(ordinal) !== undefined ? [{ write: "deleteWait", runId, ordinal }, settled] : [settled];
  }

  /** It is on disk: nobody need wait for a commit to hear of it. */
  #settledAlready(state: StepState): void {
    const { ref, host } = this.#core;
    const { ordinal, attempt, path } = state;
    const wait = this.#waits.get(ordinal);
    if (wait !== undefined) this.#waits.delete(ordinal, wait);
    this.#leaveRunning(state);
    if (host.isHeard) host.emit({ type: "step.settled", run: ref, step: path, attempt, status: "SUCCEEDED", reason: null, error: null });
  }

  /** A row was found RUNNING in the ledger. */
  foundRunning(state: StepState): void {
    state.isRunning = true;
    this.running += 1;
  }

  #launch(state: StepState): void {
    const { journal, ref, host } = this.#core;
    this.foundRunning(state);
    journal.launch(state.ordinal);
    if (host.isHeard) journal.event({ type: "step.started", run: ref, step: state.path, attempt: state.attempt });
  }

  /** A step that waits already keeps its status; only why it waits changes. */
  #stopped(state: StepState, reason: StepReason, failures: number, output: string | null, error: string | null): void {
    const { journal, runId } = this.#core;
    const { ordinal } = state;
    this.#leaveRunning(state);
    journal.write({ write: "suspendStep", runId, ordinal, reason, failures, output, error, revision: journal.revision });
  }

  #leaveRunning(state: StepState): void {
    if (!state.isRunning) return;
    state.isRunning = false;
    this.running -= 1;
  }

  #insertWait(ordinal: number, wait: StepWait): void {
    const { journal, runId } = this.#core;
    const { kind, key, delayMs, dueAt, childRunId, detail } = wait;
    this.wait(ordinal, wait);
    journal.write({ write: "insertWait", runId, ordinal, kind, key, dueInMs: delayMs, dueAt, childRunId, detail: detailText(detail) });
    if (delayMs !== null || dueAt !== null) journal.alarm(ordinal);
  }
}

const REASONS: Readonly<Record<StepWait["kind"], RunReason>> = {
  retry: "retry",
  no_worker: "no_worker",
  timer: "timer",
  delay: "timer",
  signal: "signal",
  event: "event",
  task: "task",
  child: "child",
  resume: "recovered",
};

/** `steps.<id>` as expressions see it: a tolerated failure has the output null, a skipped step has none. */
export function viewOf(
  step: Step,
  status: string,
  output: { readonly output: StepView["output"] } | null,
  error: RecordedError | null,
): StepView {
  // what most steps come to, without anything to spread
  if (error === null && output?.output !== undefined) return { status, output: output.output };
  const shown = error === null ? {} : { error: { ...error }, ...itemsOf(error) };
  if (output?.output !== undefined) return { status, output: output.output, ...shown };
  if (status === "FAILED" && step.onError === "continue") return { status, output: null, ...shown };
  return { status, ...shown };
}

/** `steps.<id>.items[i].error` of a `foreach` of which items failed. */
function itemsOf({ code, data }: RecordedError): Pick<StepView, "items"> {
  const failed = data?.["items"];
  if (code !== "ITEMS_FAILED" || !Array.isArray(failed)) return {};
  const items: JsonObject[] = [];
  for (const entry of failed) {
    const { index = null, error = null } = isJsonObject(entry) ? entry : {};
    if (typeof index !== "number") continue;
    while (items.length < index) items.push({});
    items.push({ error });
  }
  return { items };
}

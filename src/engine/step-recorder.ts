import type { StepView } from "../expressions/template.ts";
import type { RecordedError } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";
import type { RunReason, StepReason, TerminalStepStatus } from "../model/status.ts";
import type { Step } from "../workflow/graph.ts";
import { errorText } from "./recorded-error.ts";
import type { RunCore, StepState, StepWait } from "./run-core.ts";
import type { StepOutcome } from "./run-journal.ts";
import { settledAtOnce, settledStep, startedStep } from "./step-writes.ts";

export type Succeeded = Extract<StepOutcome, { outcome: "succeeded" }>;

/** How a step ended. */
export interface Settlement {
  readonly status: TerminalStepStatus;
  readonly reason: StepReason | null;
  readonly output: Succeeded | null;
  readonly error: RecordedError | null;
  /** JSON text of the ordinals that a switch selected. */
  readonly selected: string | null;
}

export const NO_RESULT = { reason: null, output: null, error: null, selected: null } as const;

/** Why a run is SUSPENDED, and whether it leaves memory. */
export interface Suspension {
  readonly reason: RunReason;
  readonly isParking: boolean;
}

const NO_WAITS: ReadonlyMap<number, StepWait> = new Map();

/** Writes what happens to steps into the run's journal, tells listeners of it, and shows ends to expressions. */
export class StepRecorder {
  /** Made with the first wait: most runs have none. */
  #waits: Map<number, StepWait> | undefined;
  readonly #core: RunCore;
  readonly #views: Record<string, StepView>;

  constructor(core: RunCore, views: Record<string, StepView>) {
    this.#core = core;
    this.#views = views;
  }

  /** By ordinal: the steps that wait. */
  get waits(): ReadonlyMap<number, StepWait> {
    return this.#waits ?? NO_WAITS;
  }

  /** A step waits, or was found waiting in the ledger. */
  wait(ordinal: number, wait: StepWait): void {
    this.#waits ??= new Map();
    this.#waits.set(ordinal, wait);
  }

  started(step: Step, input: string | null, idempotencyKey: string | null): void {
    const { journal, runId } = this.#core;
    this.#core.ensureRunning();
    this.endWait(step.ordinal);
    journal.write(startedStep(runId, step.ordinal, input, idempotencyKey, journal.revision));
    this.#launch(step, 1);
  }

  restarted(step: Step, attempt: number, reason: StepReason | null): void {
    const { journal, runId } = this.#core;
    this.#core.ensureRunning();
    this.endWait(step.ordinal);
    journal.write({ write: "restartStep", runId, ordinal: step.ordinal, reason, attempt, revision: journal.revision });
    this.#launch(step, attempt);
  }

  /** An attempt failed and another follows after `delayMs`: failure, next attempt and due time are one commit. */
  retrying(step: Step, state: StepState, error: RecordedError, delayMs: number): void {
    const { journal, runId, ref, host } = this.#core;
    const { ordinal } = step;
    const { attempt, failures } = state;
    const { revision } = journal;
    const text = errorText(error);
    this.wait(ordinal, { kind: "retry", delayMs, dueMs: null, timer: null });
    journal.write({ write: "insertAttempt", runId, ordinal, attempt, status: "FAILED", error: text, revision });
    journal.write({ write: "suspendStep", runId, ordinal, reason: "retry", failures, output: null, error: text, revision });
    journal.write({
      write: "insertWait",
      runId,
      ordinal,
      kind: "retry",
      key: null,
      dueInMs: delayMs,
      dueAt: null,
      childRunId: null,
      detail: null,
    });
    journal.alarm(ordinal);
    if (host.isHeard) journal.event({ type: "step.retrying", run: ref, step: step.id, attempt, error, delayMs });
  }

  /** A crash took the attempt: whether it had an effect is not known. */
  lost(step: Step, attempt: number): void {
    const { journal, runId } = this.#core;
    journal.write({
      write: "insertAttempt",
      runId,
      ordinal: step.ordinal,
      attempt,
      status: "LOST",
      error: null,
      revision: journal.revision,
    });
  }

  /** RUNNING → SUSPENDED without an alarm: something other than time ends it. */
  held(step: Step, { failures }: StepState, reason: StepReason): void {
    const { journal, runId } = this.#core;
    const { ordinal } = step;
    const { revision } = journal;
    journal.write({ write: "suspendStep", runId, ordinal, reason, failures, output: null, error: null, revision });
  }

  waitForOperator({ ordinal, uses }: Step): void {
    if (this.waits.has(ordinal)) return;
    const { journal, runId } = this.#core;
    this.wait(ordinal, { kind: "no_worker", delayMs: null, dueMs: null, timer: null });
    journal.write({
      write: "insertWait",
      runId,
      ordinal,
      kind: "no_worker",
      key: uses,
      dueInMs: null,
      dueAt: null,
      childRunId: null,
      detail: null,
    });
  }

  endWait(ordinal: number): void {
    const wait = this.#waits?.get(ordinal);
    if (wait === undefined) return;
    wait.timer?.cancel();
    this.#waits?.delete(ordinal);
    this.#core.journal.write({ write: "deleteWait", runId: this.#core.runId, ordinal });
  }

  /** Why a run of which no step can go on is SUSPENDED, and whether it leaves memory: unless a wait ends soon, it does. */
  suspension(isHeld: boolean): Suspension {
    const { clock, isStopping } = this.#core.host;
    const waits = [...this.waits.values()];
    const isNear = waits.some((wait) => isNearer(wait, clock.monotonic() + LIMITS.shortDelayMs));
    if (isHeld) return { reason: "quarantined", isParking: true };
    if (isStopping) return { reason: "shutdown", isParking: true };
    return { reason: waits[0]?.kind ?? "shutdown", isParking: !isNear };
  }

  /** @param state undefined for a step that never had a row: it ends in the commit that decides it */
  settled(step: Step, state: StepState | undefined, { status, reason, output, error, selected }: Settlement): void {
    const { journal, runId, ref, host } = this.#core;
    const { ordinal, id } = step;
    const end = {
      status,
      reason,
      failures: state?.failures ?? 0,
      output: output?.text ?? null,
      error: error === null ? null : errorText(error),
      selected,
    };
    this.#views[id] = viewOf(step, status, output, error);
    this.endWait(ordinal);
    const attempt = state?.attempt ?? (status === "SUCCEEDED" || error !== null ? 1 : 0);
    journal.write(
      state === undefined
        ? settledAtOnce(runId, ordinal, attempt, end, journal.revision)
        : settledStep(runId, ordinal, end, journal.revision),
    );
    if (host.isHeard) journal.event({ type: "step.settled", run: ref, step: id, attempt, status, reason, error });
  }

  #launch(step: Step, attempt: number): void {
    const { journal, ref, host } = this.#core;
    journal.launch(step.ordinal);
    if (host.isHeard) journal.event({ type: "step.started", run: ref, step: step.id, attempt });
  }
}

/** `steps.<id>` as expressions see it: a tolerated failure has the output null, a skipped step has none. */
export function viewOf(
  step: Step,
  status: string,
  output: { readonly output: StepView["output"] } | null,
  error: RecordedError | null,
): StepView {
  const shown = error === null ? undefined : { ...error };
  if (output?.output !== undefined)
    return shown === undefined ? { status, output: output.output } : { status, output: output.output, error: shown };
  if (status === "FAILED" && step.onError === "continue") return { status, output: null, ...(shown === undefined ? {} : { error: shown }) };
  return shown === undefined ? { status } : { status, error: shown };
}

/** Whether the wait ends before a moment; one whose clock has not started yet has its whole delay left. */
function isNearer({ dueMs, delayMs }: StepWait, momentMs: number): boolean {
  if (dueMs !== null) return dueMs <= momentMs;
  return delayMs !== null && delayMs <= LIMITS.shortDelayMs;
}

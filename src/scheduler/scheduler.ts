import type { StepStatus } from "../model/status.ts";
import { at } from "./at.ts";
import { decisionStep, isReadyDecision } from "./decision.ts";
import { onCancelled } from "./on/cancelled.ts";
import { onFailed } from "./on/failed.ts";
import { onResumed } from "./on/resumed.ts";
import { onRunEnded } from "./on/run-ended.ts";
import { onRunning } from "./on/running.ts";
import { onSkipped } from "./on/skipped.ts";
import { onSucceeded } from "./on/succeeded.ts";
import { onSuspended } from "./on/suspended.ts";
import { begin } from "./propagate.ts";
import { type RestoredStep, restoreInto } from "./restore.ts";
import { createState, type Ending, isStopping, type RunState } from "./state.ts";
import type { Topology } from "./topology.ts";
import { isCancelled, isReady, PHASE, phaseIn, statusIn } from "./word.ts";

/** What `next` returns when nothing is left to do. */
export const NO_DECISION = -1;

/** stopped: the graph was the body of a block whose own scope stopped before all of its steps could run. */
export type Outcome = "succeeded" | "failed" | "cancelled" | "timed_out" | "stopped";

/** How many steps are where; `pending` are those that still wait for others. The members add up to the steps of the graph. */
export interface StepCounts {
  readonly pending: number;
  /** PENDING in the ledger. */
  readonly ready: number;
  readonly running: number;
  readonly suspended: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
}

/**
 * Decides what the steps of one run do, from facts alone: no clock, no input or output, never asynchronous. O(steps + edges) for
 * a whole run. Steps are named by ordinal. The rules stand in `docs/reference/scheduling.md`.
 *
 * Tell it a fact, then take its decisions with `next` or `drain`. A fact that cannot be true is an InvariantViolation and changes
 * nothing.
 */
export class Scheduler {
  readonly #state: RunState;

  /** A run that has not begun; nothing is ready before `begin`. */
  constructor(topology: Topology) {
    this.#state = createState(topology);
  }

  /**
   * A run as the ledger holds it, begun: steps that may start and have no row are decided READY again, and whatever else the rows
   * imply is decided too. RUNNING rows are RUNNING; what becomes of them is the engine's decision.
   *
   * @throws InvariantViolation when the rows cannot have come from this graph
   */
  static restore(topology: Topology, rows: readonly RestoredStep[], run: { readonly ending: Ending | null }): Scheduler {
    const scheduler = new Scheduler(topology);
    restoreInto(scheduler.#state, rows, run.ending);
    return scheduler;
  }

  /** Decides the steps that wait for nothing (S1-6). */
  begin(): void {
    begin(this.#state);
  }

  /** A READY step started (S4-15, S4-24). */
  markRunning(step: number): void {
    onRunning(this.#state, step);
  }

  /** A step reached its result (S4-16); for a switch, `selected` are the ordinals of the targets whose case held. */
  markSucceeded(step: number, selected?: readonly number[]): void {
    onSucceeded(this.#state, step, selected);
  }

  /** A step failed for good (S4-17): retries and fallback are over. Returns the status that its `onError` gives it. */
  markFailed(step: number): "FAILED" | "SKIPPED" {
    return onFailed(this.#state, step);
  }

  /** The `when` of a READY step was false. */
  markSkipped(step: number): void {
    onSkipped(this.#state, step);
  }

  /** A RUNNING step waits. In a run that is stopping, cancelled or timed out it is CANCELLED at once, by a decision. */
  markSuspended(step: number): void {
    onSuspended(this.#state, step);
  }

  /** A SUSPENDED step is RUNNING again. */
  markResumed(step: number): void {
    onResumed(this.#state, step);
  }

  /** A RUNNING step ended CANCELLED, in a run that was cancelled, timed out or stops. */
  markCancelled(step: number): void {
    onCancelled(this.#state, step);
  }

  /** Nothing starts any more, clean-up included (SPEC §6); RUNNING steps stay until a fact settles them. Idempotent, beats a timeout. */
  cancelRun(): void {
    onRunEnded(this.#state, "cancel");
  }

  /** The run took too long: as `cancelRun`, with its own reason. Does nothing after a cancel. */
  timeOutRun(): void {
    onRunEnded(this.#state, "timeout");
  }

  /** The block whose body this is stops: nothing starts any more, clean-up included, and RUNNING steps end as they end. */
  stopRun(): void {
    onRunEnded(this.#state, "stop");
  }

  /**
   * The oldest decision that has not been taken, or `NO_DECISION`. READY is given only while it still holds: a step that was
   * cancelled before its READY was taken is reported as cancelled alone.
   */
  next(): number {
    const state = this.#state;
    while (state.read < state.written) {
      const decision = at(state.log, state.read++);
      if (!isReadyDecision(decision) || isReady(at(state.words, decisionStep(decision)))) return decision;
    }
    state.read = 0;
    state.written = 0;
    return NO_DECISION;
  }

  /** Every decision that `next` would give, in that order. */
  drain(): readonly number[] {
    const decisions: number[] = [];
    for (let decision = this.next(); decision !== NO_DECISION; decision = this.next()) decisions.push(decision);
    return decisions;
  }

  /** Steps that may start and have not (S4-14), in declaration order. O(steps): a loop that drives a run takes decisions instead. */
  readySteps(): readonly number[] {
    const ready: number[] = [];
    for (let step = 0; step < this.#state.topology.stepCount; step++) if (this.isReady(step)) ready.push(step);
    return ready;
  }

  /** Whether a step may start now; a READY decision that waited for a free slot may have been overtaken. */
  isReady(step: number): boolean {
    return isReady(at(this.#state.words, step));
  }

  statusOf(step: number): StepStatus {
    return statusIn(at(this.#state.words, step));
  }

  /** O(steps). */
  counts(): StepCounts {
    const counts = new Int32Array(8);
    for (const word of this.#state.words) counts[phaseIn(word)] = at(counts, phaseIn(word)) + 1;
    return {
      pending: at(counts, PHASE.pending),
      ready: at(counts, PHASE.ready),
      running: at(counts, PHASE.running),
      suspended: at(counts, PHASE.suspended),
      succeeded: at(counts, PHASE.succeeded),
      failed: at(counts, PHASE.failed),
      skipped: at(counts, PHASE.skipped),
      cancelled: at(counts, PHASE.cancelled),
    };
  }

  get runningCount(): number {
    return this.#state.running;
  }

  /** What ended the run from outside, if anything did. */
  get ending(): Ending | null {
    return this.#state.ending;
  }

  /** A step failed under `onFailure: stop`: only clean-up steps still start. */
  get isStopping(): boolean {
    return isStopping(this.#state);
  }

  /** Every step has settled (S4-18, S4-28). */
  isComplete(): boolean {
    return this.#state.settled === this.#state.topology.stepCount;
  }

  /** Steps are left, but none can ever start (S4-19): none is ready, running or suspended. Only a graph with a cycle gets here. */
  isBlocked(): boolean {
    return this.#state.begun && this.#state.open === 0 && !this.isComplete();
  }

  /**
   * How the run ended, or undefined while a step is unsettled. A cancel outranks a timeout, and both outrank a failure; a stop that
   * found nothing left to do has changed nothing. O(steps) after a stop.
   */
  outcome(): Outcome | undefined {
    if (!this.isComplete()) return undefined;
    const { ending, failed, words } = this.#state;
    if (ending === "cancel") return "cancelled";
    if (ending === "timeout") return "timed_out";
    if (failed) return "failed";
    // only the stop cancels steps of a graph in which nothing failed
    return ending === "stop" && words.some(isCancelled) ? "stopped" : "succeeded";
  }
}

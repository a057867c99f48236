import type { Clock } from "../model/clock.ts";
import { asStepwellError, invariant, StepwellError } from "../model/errors.ts";
import { FIRST_RETRY_MS, isPassing, longerRetryMs } from "./passing.ts";
import type { Ledger } from "./port.ts";
import type { InboxRow } from "./rows.ts";
import type { Unit } from "./writes.ts";

/** Somebody who has something to commit: one run. At most one of its units is in flight at a time. */
export interface Committing {
  readonly runId: number;
  /** Whether a caller waits for the unit and can be told that it failed; others are tried again while the ledger is full, busy or out of reach. */
  readonly givesUp: boolean;
  /** Everything decided since the last unit; undefined when there is nothing to write now. */
  form(): Unit | undefined;
  /** The unit is on disk; `now` is the ledger time stamped into its rows. */
  committed(now: number): void;
  /** The run's inbox moved on: the unit was not written, decide again. */
  missed(): void;
  /** The unit was refused and not written. */
  refused(error: StepwellError): void;
}

export interface CommitterEvents {
  /** The ledger cannot be written any more, or another engine owns it: local work must stop. */
  fatal(error: StepwellError): void;
  /** A commit put these rows into inboxes. */
  accepted(rows: readonly InboxRow[]): void;
  /** A commit was stamped with this time of the ledger. */
  told(now: number): void;
  /** Nothing was written because the ledger is full, busy or out of reach; the same units are tried again after `retryInMs`. */
  stalled(error: StepwellError, retryInMs: number): void;
}

/**
 * Group commit (SPEC §4): while one commit of a lane is in flight, everything that its runs decide gathers into the next one.
 * There is no timer: an idle lane commits as soon as the current turn of the event loop is over.
 */
export class Committer {
  readonly #lanes: readonly Lane[];

  constructor(ledger: Ledger, epoch: number, clock: Clock, events: CommitterEvents) {
    this.#lanes = Array.from({ length: ledger.lanes }, () => new Lane(ledger, epoch, clock, events));
  }

  /** Asks the run to form a unit for the next batch of its lane. */
  add(run: Committing): void {
    const lane = this.#lanes[run.runId % this.#lanes.length];
    invariant(lane !== undefined, "a ledger has at least one lane");
    lane.add(run);
  }

  /** Resolves when nothing is waiting to be committed and nothing is in flight. */
  async idle(): Promise<void> {
    for (const lane of this.#lanes) await lane.idle();
  }

  /** The ledger does not know yet what became of a commit: callers that wait behind it are told instead of left waiting. */
  stalled(error: StepwellError): void {
    for (const lane of this.#lanes) lane.refuseCallers(error);
  }

  /** Drops what has not been committed; nothing is written after this returns, except a commit already in flight. */
  stop(): void {
    for (const lane of this.#lanes) lane.stop();
  }
}

class Lane {
  readonly #ledger: Ledger;
  readonly #epoch: number;
  readonly #clock: Clock;
  readonly #events: CommitterEvents;
  #waiting: Committing[] = [];
  #busy = false;
  #stopped = false;
  #retryMs = FIRST_RETRY_MS;
  /** Why the ledger cannot take the batch in hand now. */
  #stall: StepwellError | undefined;
  #idleCallbacks: (() => void)[] = [];

  constructor(ledger: Ledger, epoch: number, clock: Clock, events: CommitterEvents) {
    this.#ledger = ledger;
    this.#epoch = epoch;
    this.#clock = clock;
    this.#events = events;
  }

  add(run: Committing): void {
    if (this.#stopped) {
      if (run.givesUp) run.refused(new StepwellError("ENGINE_STOPPED", "the engine stopped before this could be written"));
      return;
    }
    if (this.#stall !== undefined && run.givesUp) {
      run.refused(this.#stall);
      return;
    }
    this.#waiting.push(run);
    this.#schedule();
  }

  refuseCallers(error: StepwellError): void {
    const callers = this.#waiting.filter(({ givesUp }) => givesUp);
    this.#waiting = this.#waiting.filter(({ givesUp }) => !givesUp);
    for (const caller of callers) caller.refused(error);
  }

  idle(): Promise<void> {
    if (!this.#busy || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#idleCallbacks.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#tellIdle();
  }

  #schedule(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#clock.soon(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const runs: Committing[] = [];
    const units: Unit[] = [];
    // a child is younger than its parent, and puts its end into its parent's inbox: what the parent decided meanwhile comes first
    const candidates = this.#waiting.toSorted((one, other) => one.runId - other.runId);
    this.#waiting = [];
    for (const run of candidates) {
      const unit = run.form();
      if (unit === undefined) continue;
      runs.push(run);
      units.push(unit);
    }
    if (units.length > 0) await this.#write(runs, units);
    this.#busy = false;
    if (this.#waiting.length > 0) this.#schedule();
    else this.#tellIdle();
  }

  async #write(runs: readonly Committing[], units: readonly Unit[]): Promise<void> {
    let error = await this.#commit(runs, units);
    while (error !== undefined && !this.#isOver()) {
      [runs, units] = this.#withoutThoseThatGiveUp(runs, units, error);
      if (units.length === 0) break;
      this.#stall = error;
      this.refuseCallers(error);
      this.#events.stalled(error, this.#retryMs);
      await new Promise<void>((resolve) => this.#clock.setTimer(this.#retryMs, resolve));
      this.#retryMs = longerRetryMs(this.#retryMs);
      if (this.#isOver()) return;
      error = await this.#commit(runs, units);
    }
    this.#stall = undefined;
    this.#retryMs = FIRST_RETRY_MS;
  }

  /** Asked again after every await. */
  #isOver(): boolean {
    return this.#stopped;
  }

  /** Commits and tells the runs; gives back the error when nothing was written and the same batch may be tried again. */
  async #commit(runs: readonly Committing[], units: readonly Unit[]): Promise<StepwellError | undefined> {
    try {
      const outcome = await this.#ledger.commit({ epoch: this.#epoch, units });
      if (outcome.outcome === "fenced") {
        this.#fail(new StepwellError("LEDGER_FENCED", "another engine took over this ledger; nothing more is written from here"));
      } else {
        this.#events.told(outcome.now);
        announce(runs, outcome.now, outcome.missed);
        if (outcome.accepted.length > 0) this.#events.accepted(outcome.accepted);
      }
      return undefined;
    } catch (cause) {
      const error = asStepwellError(cause);
      if (isPassing(error)) return error;
      if (error.code === "LEDGER_CONFLICT") return this.#bisect(runs, units, error);
      this.#fail(error);
      return undefined;
    }
  }

  /** One bad row fails only its run: halves the batch until the culprit stands alone. */
  async #bisect(runs: readonly Committing[], units: readonly Unit[], error: StepwellError): Promise<StepwellError | undefined> {
    if (units.length === 1) {
      runs[0]?.refused(error);
      return undefined;
    }
    const half = units.length >> 1;
    await this.#write(runs.slice(0, half), units.slice(0, half));
    if (!this.#isOver()) await this.#write(runs.slice(half), units.slice(half));
    return undefined;
  }

  #withoutThoseThatGiveUp(runs: readonly Committing[], units: readonly Unit[], error: StepwellError): [Committing[], Unit[]] {
    const kept: [Committing[], Unit[]] = [[], []];
    for (const [index, run] of runs.entries()) {
      const unit = units[index];
      if (run.givesUp) run.refused(error);
      else if (unit !== undefined) {
        kept[0].push(run);
        kept[1].push(unit);
      }
    }
    return kept;
  }

  #fail(error: StepwellError): void {
    if (this.#stopped) return;
    this.stop();
    this.#events.fatal(error);
  }

  #tellIdle(): void {
    const callbacks = this.#idleCallbacks;
    this.#idleCallbacks = [];
    for (const callback of callbacks) callback();
  }
}

function announce(runs: readonly Committing[], now: number, missed: readonly number[]): void {
  if (missed.length === 0) {
    for (const run of runs) run.committed(now);
    return;
  }
  const left = new Set(missed);
  for (const [index, run] of runs.entries()) {
    if (left.has(index)) run.missed();
    else run.committed(now);
  }
}

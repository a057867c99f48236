import type { Unit, Write } from "../ledger/writes.ts";
import type { RecordedError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { LifecycleEvent } from "./api.ts";

/** How a step's attempt ended, checked and mapped; what the run is told. */
export type StepOutcome =
  | { readonly outcome: "succeeded"; readonly output: Json; readonly text: string }
  | { readonly outcome: "failed"; readonly error: RecordedError };

/** An outcome that must not be forgotten before it is on disk. */
export interface Fact {
  readonly ordinal: number;
  readonly outcome: StepOutcome;
}

/** What becomes true once a unit is on disk. */
export interface Effects {
  /** Ordinals whose RUNNING is in the unit: their operators may be called. */
  readonly launches: readonly number[];
  /** Ordinals whose wait is in the unit: its timer may run. */
  readonly alarms: readonly number[];
  readonly events: readonly LifecycleEvent[];
  /** Outcomes that the unit records, to be told again if it is not written. */
  readonly facts: readonly Fact[];
}

const NO_EFFECTS: Effects = { launches: [], alarms: [], events: [], facts: [] };

/** Gathers what one run decides until the next commit takes it. */
export class RunJournal {
  readonly #runId: number;
  #writes: Write[] = [];
  #launches: number[] = [];
  #alarms: number[] = [];
  #events: LifecycleEvent[] = [];
  #facts: Fact[] = [];
  #inFlight: Effects | undefined;
  #revision: number;

  constructor(runId: number, revision: number) {
    this.#runId = runId;
    this.#revision = revision;
  }

  /** The revision of everything written into the current unit. */
  get revision(): number {
    return this.#revision;
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0;
  }

  /** Nothing is gathered and nothing is in flight: what was decided is on disk. */
  get isIdle(): boolean {
    return this.#writes.length === 0 && this.#inFlight === undefined;
  }

  write(write: Write): void {
    this.#writes.push(write);
  }

  launch(ordinal: number): void {
    this.#launches.push(ordinal);
  }

  alarm(ordinal: number): void {
    this.#alarms.push(ordinal);
  }

  event(event: LifecycleEvent): void {
    this.#events.push(event);
  }

  fact(fact: Fact): void {
    this.#facts.push(fact);
  }

  /** Takes everything gathered as one unit; `landed` or `lost` must follow. */
  take(inboxSeq: number | null): Unit {
    const unit: Unit = { runId: this.#runId, inboxSeq, writes: this.#writes };
    this.#inFlight = { launches: this.#launches, alarms: this.#alarms, events: this.#events, facts: this.#facts };
    this.#writes = [];
    this.#launches = [];
    this.#alarms = [];
    this.#events = [];
    this.#facts = [];
    this.#revision += 1;
    return unit;
  }

  /** The unit is on disk. */
  landed(): Effects {
    const effects = this.#inFlight;
    this.#inFlight = undefined;
    return effects ?? NO_EFFECTS;
  }

  /** Nothing of the unit, nor of what was decided after it, was written: gives back the facts, in order, and forgets the rest. */
  lost(): readonly Fact[] {
    const facts = [...(this.#inFlight?.facts ?? []), ...this.#facts];
    this.#inFlight = undefined;
    this.#writes = [];
    this.#launches = [];
    this.#alarms = [];
    this.#events = [];
    this.#facts = [];
    return facts;
  }
}

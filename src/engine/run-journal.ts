import type { NoteKind } from "../ledger/rows.ts";
import type { InsertRun, Unit, Write } from "../ledger/writes.ts";
import { invariant, type RecordedError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { Suspension } from "../operators/suspension.ts";
import type { LifecycleEvent } from "./api.ts";

/** How a step's attempt ended, checked and mapped; what the run is told. */
export type StepOutcome = CheckedOutcome | Suspended;

export type CheckedOutcome =
  | {
      readonly outcome: "succeeded";
      readonly output: Json;
      readonly text: string;
      /** The revision under which a transaction of the step's own has recorded it already. */
      readonly committedAt?: number;
    }
  | { readonly outcome: "failed"; readonly error: RecordedError };

export type Succeeded = Extract<CheckedOutcome, { outcome: "succeeded" }>;

/** "Not yet", with everything prepared that its commit needs. */
export interface Suspended {
  readonly outcome: "suspended";
  readonly suspension: Suspension;
  /** JSON text of the partial output. */
  readonly partial: string | null;
  /** The run that a suspension of kind child starts. */
  readonly child: InsertRun | null;
}

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
  /** Runs that the unit inserts for steps that wait for them. */
  readonly spawned: readonly InsertRun[];
  /** Admission must hear of the unit. */
  readonly isNoted: boolean;
  /** Outcomes that the unit records, to be told again if it is not written. */
  readonly facts: readonly Fact[];
}

/** Shared by all that have none, never pushed to: retries and listeners are rare, runs are not. */
const NONE: never[] = [];

/** With the first one: a list of one is as long as that, one that is pushed to takes room for 17. Most commits of a run have one. */
function added<T>(list: T[], value: T): T[] {
  if (list === NONE) return [value];
  list.push(value);
  return list;
}

/** Everything gathered for one commit. */
class Gathering implements Effects {
  readonly writes: Write[] = [];
  launches: number[] = NONE;
  facts: Fact[] = NONE;
  alarms: number[] = NONE;
  events: LifecycleEvent[] = NONE;
  spawned: InsertRun[] = NONE;
  isNoted = false;
  expiredUntil = Number.NEGATIVE_INFINITY;
}

/** Gathers what one run decides until the next commit takes it. */
export class RunJournal {
  readonly #runId: number;
  #next = new Gathering();
  #inFlight: Gathering | undefined;
  #revision: number;
  #hasLanded = false;

  constructor(runId: number, revision: number) {
    this.#runId = runId;
    this.#revision = revision;
  }

  /** The revision of everything written into the current unit. */
  get revision(): number {
    return this.#revision;
  }

  get isEmpty(): boolean {
    return this.#next.writes.length === 0;
  }

  /** Something that was decided in this process is on disk. */
  get hasLanded(): boolean {
    return this.#hasLanded;
  }

  /** Writes that are gathered. */
  get size(): number {
    return this.#next.writes.length;
  }

  /** Nothing is gathered and nothing is in flight: what was decided is on disk. */
  get isIdle(): boolean {
    return this.isEmpty && this.#inFlight === undefined;
  }

  /** The latest deadline by which a wait is taken for expired in what is gathered: what was accepted before it may have been in time. */
  get expiredUntil(): number {
    return this.#next.expiredUntil;
  }

  write(write: Write): void {
    this.#next.writes.push(write);
  }

  expired(dueAt: number): void {
    this.#next.expiredUntil = Math.max(this.#next.expiredUntil, dueAt);
  }

  launch(ordinal: number): void {
    this.#next.launches = added(this.#next.launches, ordinal);
  }

  alarm(ordinal: number): void {
    this.#next.alarms = added(this.#next.alarms, ordinal);
  }

  event(event: LifecycleEvent): void {
    this.#next.events = added(this.#next.events, event);
  }

  spawn(child: InsertRun): void {
    this.#next.spawned = added(this.#next.spawned, child);
  }

  note(note: NoteKind, dueInMs = 0): void {
    this.write({ write: "insertNote", runId: this.#runId, note, dueInMs });
    this.#next.isNoted = true;
  }

  fact(fact: Fact): void {
    this.#next.facts = added(this.#next.facts, fact);
  }

  /** Takes everything gathered as one unit; `landed` or `lost` must follow. */
  take(inboxSeq: number | null): Unit {
    const taken = this.#next;
    this.#inFlight = taken;
    this.#next = new Gathering();
    this.#revision += 1;
    return { runId: this.#runId, inboxSeq, writes: taken.writes };
  }

  /** The unit is on disk. */
  landed(): Effects {
    const effects = this.#inFlight;
    invariant(effects !== undefined, `run ${this.#runId} has nothing in flight`);
    this.#inFlight = undefined;
    this.#hasLanded = true;
    return effects;
  }

  /** Nothing of the unit, nor of what was decided after it, was written: gives back the facts, in order, and forgets the rest. */
  lost(): readonly Fact[] {
    const facts = [...(this.#inFlight?.facts ?? []), ...this.#next.facts];
    this.#inFlight = undefined;
    this.#next = new Gathering();
    return facts;
  }
}

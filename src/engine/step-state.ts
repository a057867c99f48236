import type { Json } from "../model/json.ts";
import type { Step } from "../workflow/graph.ts";
import type { Attempt } from "./attempt.ts";
import type { BlockRun } from "./blocks/block.ts";
import type { StepScope } from "./step-scope.ts";

/**
 * A step that has started and has not settled, in this process or before. A class: where the first hundred of a literal live on together, as
 * after a burst of starts, V8 makes all later ones old from their birth, and an old one keeps its run from being collected young. Of 12.8 MB
 * that the runs of 256 callers allocated 3.1 grew old; now 1.1 do.
 */
export class StepState {
  readonly scope: StepScope;
  readonly step: Step;
  /** By which the run and the ledger know it. */
  readonly ordinal: number;
  /** For example `fetch` or `lines[3].price`. */
  readonly path: string;
  readonly input: Json;
  readonly idempotencyKey: string | null;
  attempt = 1;
  failures = 0;
  /** Its row is RUNNING, or is about to be. */
  isRunning = false;
  /** A crash took its attempt, and a person must let it begin again. */
  isHeld = false;
  running: Attempt | null = null;
  holdsSlot = false;
  /** The steps of its own that a block repeats. */
  block: BlockRun | null = null;
  /** What the operator's `resume` is to be called with, once RUNNING is on disk again. */
  woken: Woken | null = null;

  constructor(scope: StepScope, step: Step, input: Json, idempotencyKey: string | null) {
    this.scope = scope;
    this.step = step;
    this.ordinal = scope.ordinalOf(step);
    this.path = scope.pathOf(step);
    this.input = input;
    this.idempotencyKey = idempotencyKey;
  }
}

/** A wake and what the suspension kept, as the operator's `resume` gets them. */
export interface Woken {
  readonly kind: "timer" | "signal" | "event" | "task" | "child" | "timeout";
  readonly key: string | null;
  readonly payload: Json;
  readonly partial: Json;
}

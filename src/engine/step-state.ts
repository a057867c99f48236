import type { Json } from "../model/json.ts";
import type { Step } from "../workflow/graph.ts";
import type { Attempt } from "./attempt.ts";
import type { BlockRun } from "./blocks/block.ts";
import type { StepScope } from "./step-scope.ts";

/** A step that has started and has not settled, in this process or before. */
export interface StepState {
  readonly scope: StepScope;
  readonly step: Step;
  /** By which the run and the ledger know it. */
  readonly ordinal: number;
  /** For example `fetch` or `lines[3].price`. */
  readonly path: string;
  readonly input: Json;
  readonly idempotencyKey: string | null;
  attempt: number;
  failures: number;
  /** Its row is RUNNING, or is about to be. */
  isRunning: boolean;
  /** A crash took its attempt, and a person must let it begin again. */
  isHeld: boolean;
  running: Attempt | null;
  holdsSlot: boolean;
  /** The steps of its own that a block repeats. */
  block: BlockRun | null;
  /** What the operator's `resume` is to be called with, once RUNNING is on disk again. */
  woken: Woken | null;
}

/** A wake and what the suspension kept, as the operator's `resume` gets them. */
export interface Woken {
  readonly kind: "timer" | "signal" | "event" | "task" | "child" | "timeout";
  readonly key: string | null;
  readonly payload: Json;
  readonly partial: Json;
}

/** The state of a step that begins. */
export function newState(scope: StepScope, step: Step, input: Json, idempotencyKey: string | null): StepState {
  return {
    scope,
    step,
    ordinal: scope.ordinalOf(step),
    path: scope.pathOf(step),
    input,
    idempotencyKey,
    attempt: 1,
    failures: 0,
    isRunning: false,
    isHeld: false,
    running: null,
    holdsSlot: false,
    block: null,
    woken: null,
  };
}

import type { Timer } from "../model/clock.ts";
import { invariant, type RecordedError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { Step } from "../workflow/graph.ts";
import type { RunRef } from "./api.ts";
import type { Attempt, AttemptHost } from "./attempt.ts";
import type { Plan } from "./plan.ts";
import type { RunHost } from "./run-host.ts";
import type { RunJournal } from "./run-journal.ts";

/** What the parts of one run share as long as it is in memory. */
export interface RunCore extends AttemptHost {
  readonly runId: number;
  readonly plan: Plan;
  readonly ref: RunRef;
  readonly host: RunHost;
  readonly journal: RunJournal;
  /** Something was decided outside a call of the run: decide on. */
  advance(): void;
  /** A step is about to be RUNNING: so is the run. */
  ensureRunning(): void;
}

/** A step that has started, in this process or before. */
export interface StepState {
  readonly input: Json;
  readonly idempotencyKey: string | null;
  attempt: number;
  failures: number;
  running: Attempt | null;
  holdsSlot: boolean;
}

/** Why a step is not going on, and when it does. */
export interface StepWait {
  readonly kind: "retry" | "no_worker";
  /** How long it lasts once it is on disk; null when time alone does not end it. */
  readonly delayMs: number | null;
  /** When it ends, on the process's monotonic clock; null before it is on disk. */
  dueMs: number | null;
  timer: Timer | null;
}

/** The failure that fails the run. */
export interface StepFailure {
  readonly stepId: string;
  readonly error: RecordedError;
}

export function stepAt(plan: Plan, ordinal: number): Step {
  const step = plan.graph.steps[ordinal];
  invariant(step !== undefined, `workflow ${plan.graph.name} has no step ${ordinal}`);
  return step;
}

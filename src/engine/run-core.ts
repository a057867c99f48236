import type { RecordedError } from "../model/errors.ts";
import type { RunRef } from "./api.ts";
import type { AttemptHost } from "./attempt.ts";
import type { Lineage } from "./lineage.ts";
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
  /** A person paused the run, or must look at it first: nothing starts, no wait ends. */
  readonly isHeld: boolean;
  /** Runs above this one and itself; a child stands one deeper. */
  readonly lineage: Lineage;
  /** Why steps are cancelled that the run's end, or that of their scope, overtakes. */
  readonly endingReason: "run_cancelled" | "run_timeout" | "run_failed";
}

/** The failure that fails a run, or an item or round of a block. */
export interface StepFailure {
  /** Its path in the run. */
  readonly stepId: string;
  readonly error: RecordedError;
}

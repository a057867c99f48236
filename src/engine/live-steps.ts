import type { Step } from "../workflow/graph.ts";
import type { ActiveSteps } from "./active-steps.ts";
import type { RunCore } from "./run-core.ts";
import type { RunInbox } from "./run-inbox.ts";
import type { StepRecorder } from "./step-recorder.ts";
import type { StepScope } from "./step-scope.ts";
import type { StepState } from "./step-state.ts";

/** The steps of a run that are at work, as the functions see them that start, settle and wake them. */
export interface LiveSteps {
  readonly core: RunCore;
  readonly recorder: StepRecorder;
  readonly inbox: RunInbox;
  /** Steps that have started and have not settled. */
  readonly active: ActiveSteps;
  /** A step that is at work. */
  stateOf(ordinal: number): StepState;
  /** Nothing starts or goes on now: the engine stops, or somebody paused the run. */
  readonly isQuiet: boolean;
  /** Somebody must follow what the scope's scheduler decided. */
  touch(scope: StepScope): void;
  /** Waits for an expression without letting the run commit in between. */
  evaluate<T>(promise: Promise<T>, next: (value: T) => void): void;
  /** Whether the step can run here: its operator is there, and its topic is one of this engine's. */
  hasAllFor(step: Step): boolean;
  /** Takes a slot if one is free. */
  takeSlot(): boolean;
  /** Runs `start` with a slot, now or when one is free, if `isWanted` then still holds. */
  whenSlotFree(isWanted: () => boolean, start: () => void): void;
  releaseSlot(state: StepState): void;
  /** A block has started: its scopes are opened. */
  beginBlock(state: StepState): void;
}

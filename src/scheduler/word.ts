import type { StepStatus } from "../model/status.ts";

/**
 * A step's state is one word, so that an edge costs one access of memory. From its low end: what the settled edges brought
 * (6 bits, see `join.ts`), the phase (3 bits), and how many edges are still unsettled (22 bits).
 *
 * The bits stay inside this file: a constant of the same file is part of the machine code, an imported one is read from memory
 * each time, which cost a fifth of a run.
 */
const PHASE_SHIFT = 6;
const PHASE_MASK = 7;
const ONE_UNSETTLED = 512;
/** What 22 bits hold. */
export const MAX_IN_DEGREE = 2 ** 22 - 1;

const PENDING = 0;
const READY = 1;
const RUNNING = 2;
const SUSPENDED = 3;
const SUCCEEDED = 4;
const FAILED = 5;
const SKIPPED = 6;
const CANCELLED = 7;
/** `ready` is PENDING to everybody else: all edges have settled and the join holds, so the step may start. */
export const PHASE = {
  pending: PENDING,
  ready: READY,
  running: RUNNING,
  suspended: SUSPENDED,
  succeeded: SUCCEEDED,
  failed: FAILED,
  skipped: SKIPPED,
  cancelled: CANCELLED,
} as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

export function phaseIn(word: number): number {
  return (word >> PHASE_SHIFT) & PHASE_MASK;
}

export function withPhase(word: number, phase: Phase): number {
  return (word & ~(PHASE_MASK << PHASE_SHIFT)) | (phase << PHASE_SHIFT);
}

export function isPending(word: number): boolean {
  return phaseIn(word) === PENDING;
}

export function isReady(word: number): boolean {
  return phaseIn(word) === READY;
}

export function isRunning(word: number): boolean {
  return phaseIn(word) === RUNNING;
}

export function isSuspended(word: number): boolean {
  return phaseIn(word) === SUSPENDED;
}

/** Ready, running or suspended: a fact may settle it. */
export function isOpen(word: number): boolean {
  const phase = phaseIn(word);
  return phase > PENDING && phase < SUCCEEDED;
}

export function isSettled(word: number): boolean {
  return phaseIn(word) >= SUCCEEDED;
}

export function isCancelled(word: number): boolean {
  return phaseIn(word) === CANCELLED;
}

/** PENDING, and no edge is left to wait for: nothing stands above what the edges brought. */
export function isDue(word: number): boolean {
  return word >> PHASE_SHIFT === 0;
}

export function hasUnsettledEdges(word: number): boolean {
  return word >= ONE_UNSETTLED;
}

export function withOneEdgeMore(word: number): number {
  return word + ONE_UNSETTLED;
}

/** One edge has settled and brought these bits. */
export function withEdgeSettled(word: number, brought: number): number {
  return (word | brought) - ONE_UNSETTLED;
}

export function statusIn(word: number): StepStatus {
  switch (phaseIn(word)) {
    case RUNNING:
      return "RUNNING";
    case SUSPENDED:
      return "SUSPENDED";
    case SUCCEEDED:
      return "SUCCEEDED";
    case FAILED:
      return "FAILED";
    case SKIPPED:
      return "SKIPPED";
    case CANCELLED:
      return "CANCELLED";
    default:
      return "PENDING";
  }
}

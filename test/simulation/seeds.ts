import type { Seed } from "./simulate.ts";

/** A world that once showed something, and what. */
export interface StoredSeed extends Seed {
  readonly showed: string;
}

/**
 * Every seed that once failed, with the vocabulary that its programs are made of: what came to the vocabulary later leaves its world as it
 * was. What it showed of the engine has a test of its own as well, because a change of how programs grow or how often something is drawn
 * moves the world.
 */
export const REGRESSION_SEEDS: readonly StoredSeed[] = [
  { seed: 11, ledger: "memory", vocabulary: 1, showed: "a run that waited and whose rest was skipped could not end" },
  { seed: 15, ledger: "memory", vocabulary: 1, showed: "a second look at a run whose parking was in flight let it go at once" },
  { seed: 79, ledger: "memory", vocabulary: 1, showed: "an operator that failed within its call waited by a time that was over" },
  { seed: 193, ledger: "memory", vocabulary: 1, showed: "a signal before the first commit of a taking over left a step RUNNING for ever" },
  { seed: 257, ledger: "memory", vocabulary: 1, showed: "the commit that took up a resume parked the run before it was read back" },
  { seed: 390, ledger: "memory", vocabulary: 1, showed: "a held run went on with its retries and was never let go" },
  { seed: 907, ledger: "memory", vocabulary: 1, showed: "a step whose fallback was being evaluated was taken for a held one" },
  {
    seed: 927,
    ledger: "memory",
    vocabulary: 1,
    showed: "a held step that had been woken was resumed in the attempt that a crash had taken",
  },
  { seed: 1_217, ledger: "memory", vocabulary: 1, showed: "a held run started what was ready in it" },
  { seed: 1_408, ledger: "memory", vocabulary: 1, showed: "a resume and a cancel read together began a step" },
  {
    seed: 2_226,
    ledger: "memory",
    vocabulary: 1,
    showed: "a held run that was let go was read again while its step stood in the queue for a slot",
  },
  {
    seed: 8_388,
    ledger: "memory",
    vocabulary: 1,
    showed: "the grace of a cancel was over while the run was read back, and its step settled twice",
  },
  {
    seed: 2_899,
    ledger: "memory",
    vocabulary: 2,
    showed: "what a run waited for only because another step had timed out was sent by nobody",
  },
  {
    seed: 8_409,
    ledger: "memory",
    vocabulary: 2,
    showed: "a step timed out although its task had been done in time, because the ledger's later time was heard of first",
  },
  {
    seed: 13_803,
    ledger: "memory",
    vocabulary: 3,
    showed: "a pause came between the answer to a confirmation and the end of its wait, while a fallback was being evaluated",
  },
  {
    seed: 24_521,
    ledger: "memory",
    vocabulary: 3,
    showed: "a step failed for good because its child could not be prepared while the ledger was full and the engine stopped",
  },
  {
    seed: 50_452,
    ledger: "memory",
    vocabulary: 3,
    showed: "a woken step that had asked for a slot twice was called again in the attempt that had failed, before its retry was due",
  },
  {
    seed: 44,
    ledger: "memory",
    vocabulary: 4,
    showed: "a singleton that went on after a wait kept its slot for ever when it ended",
  },
  {
    seed: 16,
    ledger: "memory",
    vocabulary: 4,
    showed: "a run that had parked and given its slot back was not looked for when its time had come",
  },
  {
    seed: 88,
    ledger: "memory",
    vocabulary: 4,
    showed: "a ledger that was busy when a run asked for its turn was not asked again",
  },
  {
    seed: 23,
    ledger: "memory",
    vocabulary: 4,
    showed: "a run that went on after a wait cancelled the one that was at work, or was ended itself",
  },
  {
    seed: 417,
    ledger: "memory",
    vocabulary: 4,
    showed: "a run that had been paused or cancelled in the queue took a slot, and others ended for it",
  },
  {
    seed: 100,
    ledger: "memory",
    vocabulary: 4,
    showed: "a run that was paused before it began kept the slot that it had been given",
  },
  {
    seed: 31_845,
    ledger: "memory",
    vocabulary: 4,
    showed: "a run that was admitted while it was cancelled in memory said again that it asks, and kept its slot through its compensations",
  },
  {
    seed: 23_862,
    ledger: "memory",
    vocabulary: 4,
    showed: "a run that was paused in the queue and resumed from an older reading was not in the queue any more",
  },
  { seed: 74_227, ledger: "memory", vocabulary: 4, showed: "a world could have fewer steps than it must" },
];

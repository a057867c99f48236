import { InvariantViolation } from "../model/errors.ts";
import { at } from "./at.ts";
import { type Decided, packDecision } from "./decision.ts";
import type { Topology } from "./topology.ts";
import { isPending, isRunning, type Phase, statusIn, withPhase } from "./word.ts";

/** What ends a run from outside; it outranks every failure. `stop`: the graph is a body whose block stops. */
export type Ending = "cancel" | "timeout" | "stop";

/** The state of one run; the handlers in `on/` change it, nobody else does. */
export interface RunState {
  readonly topology: Topology;
  /** One word for each step, see `word.ts`. */
  readonly words: Int32Array;
  /** Steps that are ready, running or suspended; those of them that are running; steps in a terminal phase. */
  open: number;
  running: number;
  settled: number;
  /** Decisions in the order they were made; it grows, and begins again when all have been taken. */
  log: Int32Array;
  /** Where the next decision is written, and where the next one is read. */
  written: number;
  read: number;
  begun: boolean;
  /** A step FAILED with `onError: fail`. */
  failed: boolean;
  ending: Ending | null;
}

/** 64 bytes: up to there an Int32Array needs no buffer outside the heap and is made in 20 ns instead of 350. */
const FIRST_LOG_LENGTH = 16;

export function createState(topology: Topology): RunState {
  return {
    topology,
    words: topology.initialWords.slice(),
    open: 0,
    running: 0,
    settled: 0,
    log: new Int32Array(FIRST_LOG_LENGTH),
    written: 0,
    read: 0,
    begun: false,
    failed: false,
    ending: null,
  };
}

/** A failure stopped the run: only steps with `join: settled` still start. */
export function isStopping(state: RunState): boolean {
  return state.failed && state.topology.stopsOnFailure;
}

/** Moves a step that has not ended; the counts are up to the caller. */
export function enter(state: RunState, step: number, phase: Phase): void {
  state.words[step] = withPhase(at(state.words, step), phase);
}

/** Records the end of a step, wherever it stood. */
export function close(state: RunState, step: number, phase: Phase): void {
  const word = at(state.words, step);
  state.words[step] = withPhase(word, phase);
  if (!isPending(word)) state.open -= 1;
  if (isRunning(word)) state.running -= 1;
  state.settled += 1;
}

/** Tells the engine what was decided. */
export function log(state: RunState, step: number, decided: Decided): void {
  if (state.written === state.log.length) growLog(state);
  state.log[state.written++] = packDecision(step, decided);
}

function growLog(state: RunState): void {
  const longer = new Int32Array(state.log.length * 2);
  longer.set(state.log);
  state.log = longer;
}

/**
 * Refuses a fact about a step that cannot be true of it now.
 *
 * @throws InvariantViolation
 */
export function refuse(state: RunState, step: number, fact: string): never {
  throw new InvariantViolation(`step ${step} cannot be ${fact}: it is ${statusIn(at(state.words, step))}`);
}

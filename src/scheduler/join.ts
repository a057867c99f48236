import { DECIDED, type Decided } from "./decision.ts";
import { EDGE_KINDS } from "./edge.ts";
import { errorContinues, isSwitchTarget, joinsAll, joinsSettled } from "./row.ts";
import { PHASE, phaseIn } from "./word.ts";

/** What the edges that lead to a step have brought so far: the low bits of its word. They stay here, see `word.ts`. */
const DATA_SUCCEEDED = 1;
const DATA_SKIPPED = 2;
const REQUIRED_DATA_SKIPPED = 4;
const DATA_FAILED = 8;
const SWITCH_SELECTED = 16;
const SWITCH_FAILED = 32;

/** What a settled source brings: six bits for each kind of edge, in one number, so that the loop over edges reads no table. */
const BITS = 6;
const BITS_MASK = 63;
const SUCCESS = over(EDGE_KINDS.requiredData, DATA_SUCCEEDED) | over(EDGE_KINDS.optionalData, DATA_SUCCEEDED);
const SKIP = over(EDGE_KINDS.requiredData, DATA_SKIPPED | REQUIRED_DATA_SKIPPED) | over(EDGE_KINDS.optionalData, DATA_SKIPPED);
const FAILURE =
  over(EDGE_KINDS.requiredData, DATA_FAILED) | over(EDGE_KINDS.optionalData, DATA_FAILED) | over(EDGE_KINDS.control, SWITCH_FAILED);

function over(kind: number, brought: number): number {
  return brought << (kind * BITS);
}

/** What a settled step brings over its edges, for `broughtOver`. A switch's selection is marked before, see `withSelection`. */
export function whatItBrings(word: number, row: number): number {
  const phase = phaseIn(word);
  if (phase === PHASE.succeeded) return SUCCESS;
  if (phase === PHASE.skipped) return SKIP;
  return phase === PHASE.failed && errorContinues(row) ? SUCCESS : FAILURE;
}

/** @param kind one of `EDGE_KINDS` */
export function broughtOver(kind: number, brings: number): number {
  return (brings >> (kind * BITS)) & BITS_MASK;
}

/** The word of a switch's target whose case held. */
export function withSelection(word: number): number {
  return word | SWITCH_SELECTED;
}

/**
 * What becomes of a step once all its edges have settled (SPEC §2, Join). A switch speaks first, then the data. Under `some`,
 * neither failure nor success among the data means that all of it was skipped.
 */
export function judge(word: number, row: number): Decided {
  if (isSwitchTarget(row)) {
    if ((word & SWITCH_FAILED) !== 0 && !joinsSettled(row)) return DECIDED.cancelledByNeeds;
    if ((word & SWITCH_SELECTED) === 0) return DECIDED.skippedByBranch;
  }
  if ((word & (DATA_FAILED | DATA_SKIPPED)) === 0 || joinsSettled(row)) return DECIDED.ready;
  if ((word & DATA_FAILED) !== 0) return DECIDED.cancelledByNeeds;
  const isEnough = !joinsAll(row) && (word & REQUIRED_DATA_SKIPPED) === 0 && (word & DATA_SUCCEEDED) !== 0;
  return isEnough ? DECIDED.ready : DECIDED.skippedByNeeds;
}

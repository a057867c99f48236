import type { Join, OnError } from "../model/graph-terms.ts";

/**
 * A step's row says what it is by definition (the low 5 bits) and where its edges begin (the other 26). One number, because in a
 * large graph each array that a step is looked up in is a miss of the cache. No join bit means `some`, no error bit means `fail`.
 * The bits stay here, see `word.ts`.
 */
const TRAIT_BITS = 5;
/** What 26 bits hold. */
export const MAX_EDGES = 2 ** 26 - 1;

const JOIN_ALL = 1;
const JOIN_SETTLED = 2;
const ERROR_SKIPS = 4;
const ERROR_CONTINUES = 8;
const SWITCH_TARGET = 16;

const JOIN_BITS: Readonly<Record<Join, number>> = { some: 0, all: JOIN_ALL, settled: JOIN_SETTLED };
const ERROR_BITS: Readonly<Record<OnError, number>> = { fail: 0, skip: ERROR_SKIPS, continue: ERROR_CONTINUES };

export function traitsOf(join: Join, onError: OnError): number {
  return JOIN_BITS[join] | ERROR_BITS[onError];
}

export function asSwitchTarget(traits: number): number {
  return traits | SWITCH_TARGET;
}

export function asRow(traits: number, firstEdge: number): number {
  return (firstEdge << TRAIT_BITS) | traits;
}

export function firstEdgeIn(row: number): number {
  return row >> TRAIT_BITS;
}

/** A control edge leads to it. */
export function isSwitchTarget(row: number): boolean {
  return (row & SWITCH_TARGET) !== 0;
}

export function joinsAll(row: number): boolean {
  return (row & JOIN_ALL) !== 0;
}

/** `join: settled`: it runs whatever came before, which makes it the clean-up of a run that stops. */
export function joinsSettled(row: number): boolean {
  return (row & JOIN_SETTLED) !== 0;
}

export function errorSkips(row: number): boolean {
  return (row & ERROR_SKIPS) !== 0;
}

export function errorContinues(row: number): boolean {
  return (row & ERROR_CONTINUES) !== 0;
}

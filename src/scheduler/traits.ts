import type { Join, OnError } from "../model/graph-terms.ts";

/** What a step is by definition, as bits. No join bit means `some`, no error bit means `fail`. The bits stay here, see `word.ts`. */
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

/** A control edge leads to it. */
export function isSwitchTarget(traits: number): boolean {
  return (traits & SWITCH_TARGET) !== 0;
}

export function joinsAll(traits: number): boolean {
  return (traits & JOIN_ALL) !== 0;
}

/** `join: settled`: it runs whatever came before, which makes it the clean-up of a run that stops. */
export function joinsSettled(traits: number): boolean {
  return (traits & JOIN_SETTLED) !== 0;
}

export function errorSkips(traits: number): boolean {
  return (traits & ERROR_SKIPS) !== 0;
}

export function errorContinues(traits: number): boolean {
  return (traits & ERROR_CONTINUES) !== 0;
}

import type { RunRow } from "../../../src/ledger/rows.ts";

export const TENANT = "default";

/** What the promises say must not be. `stale`: an engine wrote that was fenced. `other`: a rule over the rows. */
export type Wrong = "lost" | "repeated" | "early" | "stale" | "other";

export interface Violation {
  readonly wrong: Wrong;
  readonly what: string;
}

/** A run and what was acknowledged to those who deal with it. */
export interface KnownRun {
  readonly id: string;
  readonly key: string;
  readonly workflow: string;
  /** Payloads of acknowledged signals. */
  readonly signals: Set<string>;
  /** Kind and actor of acknowledged cancels, pauses and resumptions. */
  readonly commands: Set<string>;
  ended: RunRow | undefined;
}

/** What those outside know for certain. */
export class Book {
  /** By public id. */
  readonly runs = new Map<string, KnownRun>();
  /** Acknowledged starts: the run's id by its key. */
  readonly starts = new Map<string, string>();
  /** Ids of acknowledged events. */
  readonly events = new Set<string>();
  /** Acknowledged decisions, by task. */
  readonly decisions = new Set<string>();
  readonly violations: Violation[] = [];

  meet({ publicId: id, workflow }: RunRow, key: string): void {
    if (!this.runs.has(id)) this.runs.set(id, { id, key, workflow, signals: new Set(), commands: new Set(), ended: undefined });
  }

  violated(wrong: Wrong, what: string): void {
    if (!this.violations.some((known) => known.what === what)) this.violations.push({ wrong, what });
  }
}

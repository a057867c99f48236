import type { Retention, RetentionQuery } from "../ledger/port.ts";
import type { Clock, Random, Timer } from "../model/clock.ts";
import { asStepwellError, type StepwellError } from "../model/errors.ts";
import type { DamagedRun, FamilyArchive } from "./archive-runs.ts";
import { Pace } from "./pace.ts";
import { pruneRuns } from "./prune-runs.ts";

/** The first pass begins within this after the start: engines that are started together do not all come at once. */
const FIRST_WITHIN_MS = 10_000;
/** Between the end of a pass and the next one. */
const BETWEEN_MS = 600_000;

export interface PrunerOptions {
  readonly retention: Retention;
  readonly query: RetentionQuery;
  /** Where runs are kept before they are deleted. */
  readonly archive: FamilyArchive | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Told after a pass that has deleted runs. */
  pruned(runs: number): void;
  /** A run stays, at each pass. */
  damaged(run: DamagedRun): void;
  /** A pass has ended early; what it did not do, the next one does. */
  failed(error: StepwellError, retryInMs: number): void;
}

/** Deletes what a ledger keeps no longer, from time to time, as long as its process lives. */
export class Pruner {
  readonly #options: PrunerOptions;
  #timer: Timer | undefined;
  #isStopped = false;
  #pass: Promise<void> = Promise.resolve();

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#schedule(Math.floor(options.random() * FIRST_WITHIN_MS));
  }

  /** Begins nothing more, and resolves when the transaction that is at work has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    return this.#pass;
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    const begin = (): void => {
      this.#pass = this.#prune().finally(() => this.#schedule(BETWEEN_MS));
    };
    this.#timer = this.#options.clock.setTimer(delayMs, begin, true);
  }

  async #prune(): Promise<void> {
    const { retention, query, archive, clock } = this.#options;
    let deleted = 0;
    try {
      const pace = new Pace(clock, true);
      for await (const { runs, damaged } of pruneRuns({ retention, query, archive, pace, limit: Number.POSITIVE_INFINITY })) {
        deleted += runs;
        if (damaged !== undefined) this.#options.damaged(damaged);
        if (this.#isStopped) break;
      }
    } catch (cause) {
      if (!this.#isStopped) this.#options.failed(asStepwellError(cause), BETWEEN_MS);
    }
    if (deleted > 0) this.#options.pruned(deleted);
  }
}

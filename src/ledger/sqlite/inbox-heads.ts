import type { Unit } from "../writes.ts";

/** Ended runs that are still remembered: more than can be in flight while a unit that did not see the end is on its way. */
const ENDED_KEPT = 10_000;

/**
 * The last accepted inbox number of every run that was sent something, so that a commit need not read `run.inbox_seq` for
 * each unit. Complete because every transaction begins with what other processes accepted since the last one.
 */
export class InboxHeads {
  readonly #heads = new Map<number, number>();
  /** In the order in which they ended. */
  readonly #ended = new Set<number>();

  note(runId: number, seq: number): void {
    if (seq > (this.#heads.get(runId) ?? 0)) this.#heads.set(runId, seq);
  }

  /** Indexes of the units that were decided before the last accepted row. */
  missedBy(units: readonly Unit[]): Set<number> {
    const missed = new Set<number>();
    if (this.#heads.size === 0) return missed;
    for (const [index, unit] of units.entries()) {
      if (unit.inboxSeq !== null && unit.inboxSeq < (this.#heads.get(unit.runId) ?? 0)) missed.add(index);
    }
    return missed;
  }

  /** A run that has ended accepts nothing more; what is known of it may go, the oldest first. */
  noteEnded(units: readonly Unit[], missed: ReadonlySet<number>): void {
    if (this.#heads.size === 0) return;
    for (const [index, unit] of units.entries()) {
      if (!missed.has(index) && this.#heads.has(unit.runId) && unit.writes.some((write) => write.write === "endRun")) {
        this.#ended.add(unit.runId);
      }
    }
    for (const runId of this.#ended) {
      if (this.#ended.size <= ENDED_KEPT) return;
      this.#ended.delete(runId);
      this.#heads.delete(runId);
    }
  }
}

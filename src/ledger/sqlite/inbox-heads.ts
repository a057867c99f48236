import type { Unit } from "../writes.ts";

/**
 * The last accepted inbox number of every run that was sent something, so that a commit need not read `run.inbox_seq` for
 * each unit. Complete because only the owner consumes: what another process accepted since the last look is still open.
 */
export class InboxHeads {
  readonly #heads = new Map<number, number>();

  note(runId: number, seq: number): void {
    if (seq > (this.#heads.get(runId) ?? 0)) this.#heads.set(runId, seq);
  }

  /** Indexes of the units that were decided before the last accepted row. */
  missedBy(units: readonly Unit[]): ReadonlySet<number> {
    const missed = new Set<number>();
    if (this.#heads.size === 0) return missed;
    for (const [index, unit] of units.entries()) {
      if (unit.inboxSeq !== null && unit.inboxSeq < (this.#heads.get(unit.runId) ?? 0)) missed.add(index);
    }
    return missed;
  }

  /** Runs that have ended accept nothing and decide nothing more. */
  forgetEnded(units: readonly Unit[], missed: ReadonlySet<number>): void {
    if (this.#heads.size === 0) return;
    for (const [index, unit] of units.entries()) {
      if (!missed.has(index) && unit.writes.some((write) => write.write === "endRun")) this.#heads.delete(unit.runId);
    }
  }
}

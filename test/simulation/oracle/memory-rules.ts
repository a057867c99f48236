import type { RunTrack } from "./tracks.ts";
import type { Looked } from "./unit-rules.ts";

/**
 * How long what was decided before a run left memory may be on its way, in a ledger that takes what it is given: it may linger for two seconds,
 * and an answer take twenty.
 */
const IN_FLIGHT_MS = 30_000;

/** A run that parked is in nobody's memory: whoever writes to it must have read it since. */
export class MemoryRules {
  /** By process: when the ledger last took nothing from it, so that what it had decided waited. */
  readonly #refusedAt = new Map<string, number>();

  refused(process: string, trueMs: number): void {
    this.#refusedAt.set(process, trueMs);
  }

  writes({ violated }: Pick<Looked, "violated">, { insert, parkedAt, loads }: RunTrack, process: string, trueMs: number): void {
    if (parkedAt === null || (loads.get(process) ?? -1) >= parkedAt.position) return;
    const mayHaveWaited = (this.#refusedAt.get(process) ?? Number.NEGATIVE_INFINITY) >= parkedAt.trueMs;
    if (!mayHaveWaited && trueMs - parkedAt.trueMs > IN_FLIGHT_MS)
      violated("P2", `run ${insert.publicId} was parked, and ${process} still had it in memory`);
  }
}

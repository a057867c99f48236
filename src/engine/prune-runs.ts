import type { PrunablePage, PrunableRun, Retention, RetentionQuery } from "../ledger/port.ts";
import { shortestKeptMs } from "../model/retention.ts";
import type { DamagedRun, FamilyArchive } from "./archive-runs.ts";
import type { Pace } from "./pace.ts";

/** Runs that are looked at in one read. */
const LOOKED_AT = 1_000;
/**
 * So many pages in a row without anything old end a walk: ids are given out in time order, but each engine has a block of a thousand of
 * its own, which it may use up slowly.
 */
const YOUNG_PAGES = 20;

/** What one transaction has removed: runs without a parent, and how many runs went with them, themselves included. */
export interface Pruned {
  readonly roots: readonly PrunableRun[];
  readonly runs: number;
  /** One that stays because it cannot be archived. */
  readonly damaged?: DamagedRun;
}

export interface Pruning {
  readonly retention: Retention;
  readonly query: RetentionQuery;
  readonly pace: Pace;
  /** How many runs without a parent may go at most. */
  readonly limit: number;
  /** Where they are kept before they go. */
  readonly archive: FamilyArchive | undefined;
}

/** Finds what may go, oldest first, page by page; a page may be empty. */
export async function* prunableRuns(retention: Retention, query: RetentionQuery, pace: Pace): AsyncGenerator<readonly PrunableRun[]> {
  let youngPages = 0;
  for (let after: number | undefined = 0; after !== undefined && youngPages < YOUNG_PAGES; ) {
    const behind: number = after;
    const page: PrunablePage = await pace.looking(() => retention.find(query, behind, LOOKED_AT));
    yield page.runs;
    youngPages = page.isOld ? 0 : youngPages + 1;
    after = page.next;
  }
}

/**
 * Removes what may go, and clears away what it leaves: something, or nothing, after each transaction, where whoever takes no more ends it.
 * Nothing goes before it is durable in the archive.
 */
export async function* pruneRuns(pruning: Pruning): AsyncGenerator<Pruned> {
  const { retention, query, pace, archive } = pruning;
  let { limit } = pruning;
  yield* clearing(retention, pace);
  if (shortestKeptMs(query.policy) === undefined) return;
  try {
    for await (const page of prunableRuns(retention, query, pace)) {
      yield NOTHING;
      if (page.length === 0) continue;
      const found = page.slice(0, limit);
      for (let rest = archive === undefined ? found : yield* archived(archive, found); rest.length > 0; ) {
        const some = rest;
        const { taken, pruned } = await pace.working(
          (size) => removeSome(retention, query, some, size),
          (removed) => removed.pruned.runs,
        );
        rest = rest.slice(taken);
        limit -= pruned.roots.length;
        yield pruned;
      }
      yield* clearing(retention, pace);
      if (limit <= 0) return;
    }
  } finally {
    await archive?.close();
  }
}

/** Returns those that are in the archive now. */
async function* archived(archive: FamilyArchive, found: readonly PrunableRun[]): AsyncGenerator<Pruned, readonly PrunableRun[]> {
  const kept: PrunableRun[] = [];
  for (const root of found) {
    const parts = archive.keep(root);
    let part = await parts.next();
    for (; part.done !== true; part = await parts.next()) yield NOTHING;
    if (part.value === undefined) kept.push(root);
    else yield { ...NOTHING, damaged: { root, error: part.value } };
  }
  await archive.flush();
  return kept;
}

/** As many of the first ones as make `size` runs together, or some of the first one when that alone has more. */
async function removeSome(
  retention: Retention,
  query: RetentionQuery,
  found: readonly PrunableRun[],
  size: number,
): Promise<{ readonly taken: number; readonly pruned: Pruned }> {
  const [first] = found;
  if (first !== undefined && first.runs > size) {
    const { rootIds, runs } = await retention.removeLeaves(query, first.id, size);
    const isOver = runs === 0 || rootIds.length > 0;
    return { taken: isOver ? 1 : 0, pruned: { roots: rootIds.length > 0 ? [first] : [], runs } };
  }
  const chosen = fitting(found, size);
  const { rootIds, runs } = await retention.removeFamilies(
    query,
    chosen.map(({ id }) => id),
    size,
  );
  const gone = new Set(rootIds);
  return { taken: chosen.length, pruned: { roots: chosen.filter(({ id }) => gone.has(id)), runs } };
}

/** The first ones that are `size` runs together at most. */
function fitting(found: readonly PrunableRun[], size: number): readonly PrunableRun[] {
  let together = 0;
  for (const [index, { runs }] of found.entries()) {
    together += runs;
    if (together > size) return found.slice(0, index);
  }
  return found;
}

const NOTHING: Pruned = { roots: [], runs: 0 };

async function* clearing(retention: Retention, pace: Pace): AsyncGenerator<Pruned> {
  for (;;) {
    const { isDone } = await pace.working(
      (size) => retention.clear(size),
      ({ rows }) => rows,
    );
    yield NOTHING;
    if (isDone) return;
  }
}

import type { PrunablePage, PrunableRun, Retention, RetentionQuery } from "../ledger/port.ts";
import type { Clock } from "../model/clock.ts";
import { shortestKeptMs } from "../model/retention.ts";

/** Runs that are looked at in one read. */
const LOOKED_AT = 1_000;
/**
 * So many pages in a row without anything old end a walk: ids are given out in time order, but each engine has a block of a thousand of
 * its own, which it may use up slowly.
 */
const YOUNG_PAGES = 20;
/** How long one transaction should take, about: nobody's commit waits longer for it. */
const TRANSACTION_MS = 20;
/** Fewer would not be quicker: what takes long then is the way to the server, or a busy machine. */
const MIN_SIZE = 100;
const MAX_SIZE = 1_000;
/** For each millisecond of work so many of rest, in which everything else has the ledger for itself. */
const REST = 3;
const MIN_REST_MS = 5;

/** How much is done at once, and how much time passes in between. */
export class Pace {
  readonly #clock: Pick<Clock, "monotonic" | "setTimer">;
  readonly #isBackground: boolean;
  #size = MIN_SIZE;

  /** @param isBackground its rests alone do not keep the process alive */
  constructor(clock: Pick<Clock, "monotonic" | "setTimer">, isBackground: boolean) {
    this.#clock = clock;
    this.#isBackground = isBackground;
  }

  /** Does one transaction, which tells how many rows it was about, and rests. The next one may be about more, or should be about less. */
  async deleting<T>(work: (size: number) => Promise<T>, rowsOf: (result: T) => number): Promise<T> {
    const size = this.#size;
    const { result, tookMs } = await this.#timed(() => work(size));
    if (tookMs > TRANSACTION_MS) this.#size = Math.max(MIN_SIZE, size >> 1);
    else if (tookMs < TRANSACTION_MS / 2 && rowsOf(result) >= size) this.#size = Math.min(MAX_SIZE, size * 2);
    return result;
  }

  /** Does a look, and rests. */
  async looking<T>(work: () => Promise<T>): Promise<T> {
    return (await this.#timed(work)).result;
  }

  async #timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
    const begun = this.#clock.monotonic();
    const result = await work();
    const tookMs = this.#clock.monotonic() - begun;
    await new Promise<void>((resolve) => this.#clock.setTimer(Math.max(MIN_REST_MS, tookMs * REST), resolve, this.#isBackground));
    return { result, tookMs };
  }
}

/** What one transaction has removed: runs without a parent, and how many runs went with them, themselves included. */
export interface Pruned {
  readonly roots: readonly PrunableRun[];
  readonly runs: number;
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

/** Removes what may go, and clears away what it leaves: something, or nothing, after each transaction, where whoever takes no more ends it. */
export async function* pruneRuns(retention: Retention, query: RetentionQuery, pace: Pace, limit: number): AsyncGenerator<Pruned> {
  let left = limit;
  yield* clearing(retention, pace);
  if (shortestKeptMs(query.policy) === undefined) return;
  for await (const page of prunableRuns(retention, query, pace)) {
    yield NOTHING;
    if (page.length === 0) continue;
    for (let rest = page.slice(0, left); rest.length > 0; ) {
      const some = rest;
      const { taken, pruned } = await pace.deleting(
        (size) => removeSome(retention, query, some, size),
        (removed) => removed.pruned.runs,
      );
      rest = rest.slice(taken);
      left -= pruned.roots.length;
      yield pruned;
    }
    yield* clearing(retention, pace);
    if (left <= 0) return;
  }
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
    const { isDone } = await pace.deleting(
      (size) => retention.clear(size),
      ({ rows }) => rows,
    );
    yield NOTHING;
    if (isDone) return;
  }
}

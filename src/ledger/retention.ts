import { KEY_KEPT_MS, keptMs, shortestKeptMs } from "../model/retention.ts";
import { CLEARED_AT_ONCE, clearExpired } from "./events.ts";
import type { Cleared, PrunablePage, Removed, Retention, RetentionQuery } from "./port.ts";
import { type Family, type RetainedRun, type RetainedRuns, TABLES_OF_RUNS, type Transaction, type Within } from "./transaction.ts";
import type { Work } from "./work.ts";

const NOTHING: Removed = { rootIds: [], runs: 0 };

/** Runs without a parent whose time is over, among those behind an id; they and all runs below them have ended. */
function* findPrunable(runs: RetainedRuns, now: number, query: RetentionQuery, afterId: number, limit: number): Work<PrunablePage> {
  const page = yield* runs.page(query.tenant, afterId, limit);
  const alone = page.filter((run) => run.parentRunId === null && isOver(query, now, run));
  const over = yield* whollyOver(runs, now, query, alone);
  const shortest = shortestKeptMs(query.policy) ?? Number.POSITIVE_INFINITY;
  return {
    runs: over.map(({ run: { id, publicId, workflow, status, finishedAt }, family: { runs: count } }) => ({
      ...{ id, publicId, workflow, status, finishedAt },
      runs: count,
    })),
    next: page.length < limit ? undefined : page.at(-1)?.id,
    isOld: page.some(({ createdAt }) => createdAt <= now - shortest),
  };
}

interface WithFamily {
  readonly run: RetainedRun;
  readonly family: Family;
}

/** Those of some runs whose whole families may go. */
function* whollyOver(
  runs: RetainedRuns,
  now: number,
  { policy }: RetentionQuery,
  candidates: readonly RetainedRun[],
): Work<readonly WithFamily[]> {
  if (candidates.length === 0) return [];
  const families = new Map((yield* runs.families(candidates.map(({ id }) => id))).map((family) => [family.rootId, family]));
  return candidates.flatMap((run) => {
    const family = families.get(run.id);
    const keep = keptMs(policy, run.workflow, run.status);
    return family !== undefined && keep !== undefined && hasEndedBefore(family, now, now - keep) ? [{ run, family }] : [];
  });
}

/** By its own row alone: its status, its workflow and its end count for all runs below it. */
function isOver({ policy }: RetentionQuery, now: number, { workflow, status, finishedAt }: RetainedRun): boolean {
  const keep = keptMs(policy, workflow, status);
  return keep !== undefined && finishedAt !== null && finishedAt <= now - keep;
}

/** All of it, the last one by then; no idempotency key of it is owed any more. */
function hasEndedBefore({ runs, ended, lastEndAt, newestKeyAt }: Family, now: number, before: number): boolean {
  return ended === runs && lastEndAt !== null && lastEndAt <= before && (newestKeyAt === null || newestKeyAt <= now - KEY_KEPT_MS);
}

/** Runs with all runs below them, together; those that changed since they were found, or have grown beyond `limit`, are left. */
function* removeFamilies(transaction: Transaction, query: RetentionQuery, rootIds: readonly number[], limit: number): Work<Removed> {
  const { retained, now } = transaction;
  yield* transaction.hold({ retention: true });
  const held = yield* retained.members(rootIds, limit + 1);
  if (held.length > limit) return NOTHING;
  yield* transaction.hold({ runs: held });
  // nobody can reopen one of them now; what was reopened before has changed, and may have more runs below it
  const found = (yield* retained.some(rootIds)).filter(({ parentRunId }) => parentRunId === null);
  const gone = (yield* whollyOver(retained, now, query, found)).map(({ run }) => run.id);
  const members = yield* retained.members(gone, limit + 1);
  const known = new Set(held);
  if (!members.every((id) => known.has(id))) return NOTHING;
  yield* retained.remove(members);
  return { rootIds: gone, runs: members.length };
}

/**
 * Some runs of a family that is too large for one transaction: those that no run below keeps, up to `limit`. Its root goes last, so that it
 * stays readable until then. What has changed since the family was found ends this.
 */
function* removeLeaves(transaction: Transaction, query: RetentionQuery, rootId: number, limit: number): Work<Removed> {
  const { retained, now } = transaction;
  yield* transaction.hold({ retention: true });
  let leaves: readonly number[] = [rootId];
  for (let below = leaves; below.length > 0; below = yield* retained.children(leaves, limit)) leaves = below;
  yield* transaction.hold({ runs: [...new Set([rootId, ...leaves])] });
  const [root] = yield* retained.some([rootId]);
  const keep = root === undefined ? undefined : keptMs(query.policy, root.workflow, root.status);
  if (root === undefined || keep === undefined || !isOver(query, now, root)) return NOTHING;
  const families = yield* retained.families(leaves);
  if (!families.every((family) => family.runs === 1 && hasEndedBefore(family, now, now - keep))) return NOTHING;
  yield* retained.remove(leaves);
  return { rootIds: leaves.includes(rootId) ? [rootId] : [], runs: leaves.length };
}

/** Rows that removed runs left, and events that have expired. */
function* clear(transaction: Transaction, limit: number): Work<Cleared> {
  const { retained } = transaction;
  yield* transaction.hold({ retention: true });
  const expired = yield* clearExpired(transaction, Math.min(limit, CLEARED_AT_ONCE));
  const runIds = yield* retained.removed(limit);
  let left = limit - expired;
  if (runIds.length > 0) for (const table of TABLES_OF_RUNS) left -= left <= 0 ? 0 : yield* retained.clear(table, runIds, left);
  if (runIds.length > 0 && left > 0) yield* retained.forget(runIds);
  return { rows: limit - left, isDone: left > 0 && runIds.length < limit && expired < CLEARED_AT_ONCE };
}

interface RetentionHost {
  readonly within: Within;
  /** Several reads that see the same state, and the ledger's time. */
  readonly reading: <T>(work: (runs: RetainedRuns, now: number) => Work<T>) => Promise<T>;
}

/** The operations as the port gives them; each of those that delete is a transaction of its own. */
export function retentionOperations({ within, reading }: RetentionHost): Retention {
  return {
    find: (query, afterId, limit) => reading((runs, now) => findPrunable(runs, now, query, afterId, limit)),
    removeFamilies: (query, rootIds, limit) => within((transaction) => removeFamilies(transaction, query, rootIds, limit)),
    removeLeaves: (query, rootId, limit) => within((transaction) => removeLeaves(transaction, query, rootId, limit)),
    clear: (limit) => within((transaction) => clear(transaction, limit)),
  };
}

import type { Admissions } from "../claims.ts";
import type { InboxRow } from "../rows.ts";
import { SLOTS } from "../rows.ts";
import type { Transaction } from "../transaction.ts";
import type { Work } from "../work.ts";
import { type Desk, deskOf } from "./desk.ts";
import { takeNotes } from "./notes.ts";
import type { EntryRow, PartitionRow, SlotRow, TurnRow } from "./rows.ts";

/** Times that one transaction divides its room anew, and reads notes. */
const ROUNDS = 8;
/** Rates that come back at once. */
const RATES = 200;
/** Who cancels a run for a limit. */
const LIMIT = "limit";

export interface AdmissionRequest {
  /** Null: all of them. */
  readonly workerGroups: readonly string[] | null;
  readonly epoch: number;
  /** How many runs there is room for, at least 1. */
  readonly limit: number;
}

/**
 * Gives an engine the runs whose turn it is. What it costs grows with what it gives and with the notes that it finds, and with the logarithm of
 * what waits.
 */
export function* admit(transaction: Transaction, request: AdmissionRequest): Work<Admissions> {
  yield* transaction.hold({ admission: true });
  const desk = deskOf(transaction);
  let isMore = yield* takeNotes(desk);
  for (const row of yield* desk.tables.openRates(RATES)) desk.limiters.has(row);
  yield* callBack(desk);
  yield* desk.turns.save();
  const runs: number[] = [];
  const accepted: InboxRow[] = [];
  const workerGroups = request.workerGroups ?? (yield* desk.tables.workerGroups());
  for (let round = 0; round < ROUNDS; round++) {
    const room = request.limit - runs.length;
    if (room <= 0) break;
    const given = yield* admitRound(desk, { ...request, workerGroups }, room);
    if (given === undefined) break;
    runs.push(...given.runs);
    accepted.push(...given.accepted);
    isMore ||= round === ROUNDS - 1;
  }
  yield* desk.limiters.save();
  yield* desk.turns.save();
  return { runs, accepted, isMore, nextAt: yield* desk.tables.nextTime() };
}

type Given = Pick<Admissions, "runs" | "accepted">;

/** Undefined when nothing is ready. */
function* admitRound(
  desk: Desk,
  { workerGroups, epoch }: AdmissionRequest & { readonly workerGroups: readonly string[] },
  room: number,
): Work<Given | undefined> {
  const runs: number[] = [];
  const accepted: InboxRow[] = [];
  let isReady = false;
  for (const [index, workerGroup] of workerGroups.entries()) {
    const share = Math.ceil((room - runs.length) / (workerGroups.length - index));
    if (share === 0) break;
    const turns = yield* desk.turns.divide(workerGroup, share);
    if (turns.length === 0) continue;
    isReady = true;
    const given = yield* admitFrom(desk, turns, epoch);
    runs.push(...given.runs);
    accepted.push(...given.accepted);
  }
  return isReady ? { runs, accepted } : undefined;
}

/** A tenant's turn, and how many runs it may have. */
interface Share {
  readonly turn: TurnRow;
  readonly most: number;
}

/** What a round decides about one partition. */
interface Visit {
  partition: PartitionRow;
  readonly admitted: EntryRow[];
  readonly rejected: EntryRow[];
  /** Not there to be had: for them nobody makes room. */
  readonly gone: EntryRow[];
  /** Of which a holder is to be cancelled for it. */
  cancels: number | null;
}

function* admitFrom(desk: Desk, turns: readonly Share[], epoch: number): Work<Given> {
  const { tables, limiters } = desk;
  const partitions = yield* tables.ready(turns);
  yield* limiters.load(partitions.flatMap(({ limits }) => limits.map(({ limiter }) => limiter)));
  const entries = yield* firstEntries(desk, partitions, turns);
  const gone = yield* goneOf(desk, partitions, entries);
  const visits = partitions.map((partition) => visit(desk, partition, entries.get(partition.id) ?? [], gone));
  const { owned, accepted } = yield* take(desk, visits, epoch);
  yield* leave(desk, visits);
  for (const { turn } of turns) {
    const own = visits.filter(({ partition }) => partition.tenant === turn.tenant).flatMap(({ admitted }) => admitted);
    yield* desk.turns.admitted(turn.workerGroup, turn.tenant, own.filter(({ runId }) => owned.has(runId)).length);
  }
  yield* callBack(desk);
  const runs = visits.flatMap(({ admitted }) => admitted.map(({ runId }) => runId)).filter((runId) => owned.has(runId));
  return { runs, accepted };
}

/** A tenant's runs are divided among its partitions: alone, a partition may give all of them. */
function* firstEntries(
  { tables }: Desk,
  partitions: readonly PartitionRow[],
  turns: readonly Share[],
): Work<ReadonlyMap<number, readonly EntryRow[]>> {
  const wanted = turns.flatMap(({ turn, most }) => {
    const own = partitions.filter(({ tenant }) => tenant === turn.tenant);
    return own.map(({ id }, index) => ({ id, most: Math.floor(most / own.length) + (index < most % own.length ? 1 : 0) }));
  });
  const found = new Map<number, EntryRow[]>();
  for (const entry of yield* tables.entries(wanted)) found.set(entry.partitionId, [...(found.get(entry.partitionId) ?? []), entry]);
  return found;
}

/** Where a full limit ends runs, one that will not begin must neither take a slot nor make room: it is looked for before. */
function* goneOf(
  { tables }: Desk,
  partitions: readonly PartitionRow[],
  entries: ReadonlyMap<number, readonly EntryRow[]>,
): Work<ReadonlySet<number>> {
  const strict = partitions.filter(({ limits }) => limits.some(({ onLimit }) => onLimit !== "queue"));
  const runIds = strict.flatMap(({ id }) => (entries.get(id) ?? []).map(({ runId }) => runId));
  const there = new Set(yield* tables.asking(runIds));
  return new Set(runIds.filter((runId) => !there.has(runId)));
}

/** Takes slots for the runs of a partition, one after the other, until a limiter stands in the way. */
function visit({ limiters }: Desk, partition: PartitionRow, entries: readonly EntryRow[], gone: ReadonlySet<number>): Visit {
  const visited: Visit = { partition, admitted: [], rejected: [], gone: [], cancels: null };
  for (const entry of entries) {
    if (gone.has(entry.runId)) {
      visited.gone.push(entry);
      continue;
    }
    const full = partition.limits.find(({ limiter }) => (limiters.get(limiter)?.room ?? 1) === 0);
    if (full === undefined) {
      for (const { limiter } of partition.limits) limiters.get(limiter)?.take();
      visited.admitted.push(entry);
    } else if (full.onLimit === "reject") {
      visited.rejected.push(entry);
    } else {
      visited.partition = { ...partition, asideFor: full.limiter };
      if (full.onLimit === "cancel-running") visited.cancels = full.limiter;
      break;
    }
  }
  return visited;
}

/**
 * Gives the engine what it was decided that it has. What is not there to be had, because it ended, is held by a person or is with an engine for
 * a moment, gives its slots back; whoever lets it go asks anew.
 */
function* take(
  desk: Desk,
  visits: readonly Visit[],
  epoch: number,
): Work<{ readonly owned: ReadonlySet<number>; readonly accepted: readonly InboxRow[] }> {
  const { transaction, tables } = desk;
  const cancelled = visits.flatMap(({ rejected }) => rejected.map(({ runId }) => runId));
  for (const { cancels } of visits) if (cancels !== null) cancelled.push(...(yield* tables.holders(cancels, 1)));
  const keeping = yield* keepers(desk, visits);
  const wanted = visits.flatMap(({ partition, admitted }) =>
    admitted.map(({ runId }) => ({ runId, slots: partition.limits.length > 0 || keeping.has(runId) ? SLOTS.held : null })),
  );
  yield* transaction.hold({ runs: [...cancelled, ...wanted.map(({ runId }) => runId)] });
  const accepted: InboxRow[] = [];
  for (const targetRunId of new Set(cancelled)) accepted.push(...(yield* cancel(transaction, targetRunId)));
  const owned = new Set(yield* tables.own(wanted, epoch));
  const missing = wanted.map(({ runId }) => runId).filter((runId) => !owned.has(runId));
  yield* tables.unask([...missing, ...visits.flatMap(({ gone }) => gone.map(({ runId }) => runId))]);
  for (const { partition, admitted } of visits) yield* holdSlots(desk, partition, admitted, owned);
  return { owned, accepted };
}

/** Of the runs that need no slot those that keep one until their end, which somebody must hear of. */
function* keepers({ tables }: Desk, visits: readonly Visit[]): Work<ReadonlySet<number>> {
  const bare = visits.filter(({ partition }) => partition.limits.length === 0);
  const slots = yield* tables.slotsOf(bare.flatMap(({ admitted }) => admitted.map(({ runId }) => runId)));
  return new Set(slots.map(({ runId }) => runId));
}

function* holdSlots(
  { tables, limiters }: Desk,
  { limits }: PartitionRow,
  admitted: readonly EntryRow[],
  owned: ReadonlySet<number>,
): Work<void> {
  const slots: SlotRow[] = [];
  for (const { runId } of admitted) {
    for (const { limiter: limiterId, isUntilEnd } of limits) {
      const limiter = limiters.get(limiterId);
      if (!owned.has(runId)) limiter?.giveBack();
      else if (limiter?.row.periodMs === null) slots.push({ limiterId, runId, isUntilEnd });
    }
  }
  yield* tables.put("slot", slots);
}

function* cancel(transaction: Transaction, targetRunId: number): Work<readonly InboxRow[]> {
  const to = { targetRunId, kind: "cancel", ordinal: null, name: null, payload: null, actor: LIMIT } as const;
  const row = yield* transaction.post({ write: "postInbox", runId: targetRunId, ...to });
  return row === undefined ? [] : [row];
}

/** What was looked at leaves its partition; one that is empty is no more. */
function* leave({ tables, limiters, turns }: Desk, visits: readonly Visit[]): Work<void> {
  yield* tables.drop(
    "queue_entry",
    visits.flatMap(({ admitted, rejected, gone }) => [...admitted, ...rejected, ...gone]),
  );
  const heads = new Map(
    (yield* tables.entries(visits.map(({ partition }) => ({ id: partition.id, most: 1 })))).map((entry) => [entry.partitionId, entry.rank]),
  );
  const left: PartitionRow[] = [];
  const gone: PartitionRow[] = [];
  for (const { partition } of visits) {
    const { workerGroup, tenant, asideFor, limits } = partition;
    const head = heads.get(partition.id);
    if (head === undefined) gone.push(partition);
    else left.push({ ...partition, head });
    if (head === undefined || asideFor !== null) yield* turns.readied(workerGroup, tenant, -1);
    if (head === undefined) for (const { limiter } of limits) limiters.get(limiter)?.count({ partitions: -1 });
    else if (asideFor !== null) limiters.get(asideFor)?.count({ aside: 1 });
  }
  yield* tables.put("queue_partition", left);
  yield* tables.drop("queue_partition", gone);
}

/** Where a limiter has room, as many of the partitions that stand aside for it come back. */
function* callBack({ tables, limiters, turns }: Desk): Work<void> {
  for (const limiter of limiters.all()) {
    const { id, aside } = limiter.row;
    const most = Math.min(limiter.room, aside);
    if (most <= 0) continue;
    const back = yield* tables.aside(id, most);
    limiter.count({ aside: -back.length });
    yield* tables.put(
      "queue_partition",
      back.map((partition) => ({ ...partition, asideFor: null })),
    );
    for (const { workerGroup, tenant } of back) yield* turns.readied(workerGroup, tenant, 1);
  }
}

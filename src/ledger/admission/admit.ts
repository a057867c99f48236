import type { Admissions } from "../claims.ts";
import type { InboxRow } from "../rows.ts";
import type { Transaction } from "../transaction.ts";
import { done, together, type Work } from "../work.ts";
import { type Desk, deskOf } from "./desk.ts";
import { NOTES, takeNotes } from "./notes.ts";
import type { EntryRow, Front, PartitionRow, SlotRow, TurnRow } from "./rows.ts";

/** Times that one transaction divides its room anew, and reads notes. */
const ROUNDS = 8;
/** Rates that come back, or are forgotten, at once. */
const RATES = 200;
/** Who cancels a run for a limit. */
const LIMIT = "limit";

export interface AdmissionRequest {
  /** Null: all of them. */
  readonly workerGroups: readonly string[] | null;
  readonly epoch: number;
  /** How many runs there is room for, at least 1. */
  readonly limit: number;
  /** Whether the epoch still owns the ledger, asked in the transaction. */
  readonly isOwner: Work<boolean>;
}

/**
 * Gives an engine the runs whose turn it is. What it costs grows with what it gives and with the notes that it finds, and with the logarithm of
 * what waits. All admissions of a ledger take turns, so what can be asked together is: each answer that is waited for holds up all engines.
 */
export function* admit(transaction: Transaction, request: AdmissionRequest): Work<Admissions> {
  yield* transaction.hold({ admission: true });
  const desk = deskOf(transaction);
  yield* desk.tables.forgetRates(RATES);
  const [isOwner, notes, rates, stored] = yield* together(
    request.isOwner,
    desk.tables.notes(NOTES),
    desk.tables.openRates(RATES),
    request.workerGroups === null ? desk.tables.workerGroups() : done(request.workerGroups),
  );
  if (!isOwner) return { runs: [], accepted: [], isMore: false, nextAt: null };
  for (const row of rates) desk.limiters.has(row);
  yield* takeNotes(desk, notes);
  yield* callBack(desk);
  const workerGroups = request.workerGroups ?? [...new Set([...stored, ...desk.turns.workerGroups()])];
  const given = yield* admitRounds(desk, { ...request, workerGroups });
  yield* desk.limiters.save();
  yield* desk.turns.save();
  const isMore = given.isMore || notes.length === NOTES;
  // whoever was filled looks again when it has room, and need not be told of a time
  const isFull = given.runs.length === request.limit;
  return { ...given, isMore, nextAt: isFull ? null : yield* desk.tables.nextTime() };
}

interface Served extends AdmissionRequest {
  readonly workerGroups: readonly string[];
}
type Given = Pick<Admissions, "runs" | "accepted">;

function* admitRounds(desk: Desk, request: Served): Work<Given & Pick<Admissions, "isMore">> {
  const runs: number[] = [];
  const accepted: InboxRow[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const room = request.limit - runs.length;
    if (room <= 0 || !request.workerGroups.some((workerGroup) => desk.turns.mayHaveReady(workerGroup)))
      return { runs, accepted, isMore: false };
    const given = yield* admitRound(desk, request, room);
    runs.push(...given.runs);
    accepted.push(...given.accepted);
  }
  return { runs, accepted, isMore: true };
}

function* admitRound(desk: Desk, { workerGroups, epoch }: Served, room: number): Work<Given> {
  const runs: number[] = [];
  const accepted: InboxRow[] = [];
  for (const [index, workerGroup] of workerGroups.entries()) {
    const share = Math.ceil((room - runs.length) / (workerGroups.length - index));
    if (share === 0) break;
    const turns = yield* desk.turns.divide(workerGroup, share);
    if (turns.length === 0) continue;
    const given = yield* admitFrom(desk, turns, epoch);
    runs.push(...given.runs);
    accepted.push(...given.accepted);
  }
  return { runs, accepted };
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
  /** The rank of its first run then; null when it has none. */
  head: number | null;
  /** Of which a holder is to be cancelled for it. */
  cancels: number | null;
}

function* admitFrom(desk: Desk, turns: readonly Share[], epoch: number): Work<Given> {
  const { tables, limiters } = desk;
  const partitions = yield* tables.ready(turns);
  yield* limiters.load(partitions.flatMap(({ limits }) => limits.map(({ limiter }) => limiter)));
  const fronts = yield* frontsOf(desk, partitions, turns);
  const gone = yield* goneOf(desk, partitions, fronts);
  // who asked anew while its tenant's bound changed stands in two partitions
  const decided = new Set(gone);
  const visits = partitions.map((partition) => visit(desk, partition, fronts.get(partition.id), decided));
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
function* frontsOf({ tables }: Desk, partitions: readonly PartitionRow[], turns: readonly Share[]): Work<ReadonlyMap<number, Front>> {
  const wanted = turns.flatMap(({ turn, most }) => {
    const own = partitions.filter(({ tenant }) => tenant === turn.tenant);
    return own.map(({ id }, index) => ({ id, most: Math.floor(most / own.length) + (index < most % own.length ? 1 : 0) }));
  });
  return new Map((yield* tables.fronts(wanted)).map((front) => [front.partitionId, front]));
}

/** Where a full limit ends runs, one that will not begin must neither take a slot nor make room: it is looked for before. */
function* goneOf({ tables }: Desk, partitions: readonly PartitionRow[], fronts: ReadonlyMap<number, Front>): Work<ReadonlySet<number>> {
  const strict = partitions.filter(({ limits }) => limits.some(({ onLimit }) => onLimit !== "queue"));
  const runIds = strict.flatMap(({ id }) => (fronts.get(id)?.entries ?? []).map(({ runId }) => runId));
  const there = new Set(yield* tables.asking(runIds));
  return new Set(runIds.filter((runId) => !there.has(runId)));
}

/** Takes slots for the runs of a partition, one after the other, until a limiter stands in the way; of none is decided twice. */
function visit({ limiters }: Desk, partition: PartitionRow, front: Front | undefined, decided: Set<number>): Visit {
  const visited: Visit = { partition, admitted: [], rejected: [], gone: [], head: front?.next ?? null, cancels: null };
  for (const entry of front?.entries ?? []) {
    if (decided.has(entry.runId)) {
      visited.gone.push(entry);
      continue;
    }
    const full = partition.limits.find(({ limiter }) => (limiters.get(limiter)?.room ?? 1) === 0);
    if (full === undefined || full.onLimit === "reject") decided.add(entry.runId);
    if (full === undefined) {
      for (const { limiter } of partition.limits) limiters.get(limiter)?.take();
      visited.admitted.push(entry);
    } else if (full.onLimit === "reject") {
      visited.rejected.push(entry);
    } else {
      visited.partition = { ...partition, asideFor: full.limiter };
      visited.head = entry.rank;
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
  const full = visits.flatMap(({ cancels }) => (cancels === null ? [] : [cancels]));
  cancelled.push(...(yield* together(...full.map((limiter) => tables.holders(limiter, 1)))).flat());
  const wanted = visits.flatMap(({ partition, admitted }) =>
    admitted.map(({ runId }) => ({ runId, getsSlot: partition.limits.length > 0 })),
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
  const left: PartitionRow[] = [];
  const gone: PartitionRow[] = [];
  for (const { partition, head } of visits) {
    const { workerGroup, tenant, asideFor, limits } = partition;
    if (head === null) gone.push(partition);
    else left.push({ ...partition, head });
    if (head === null || asideFor !== null) yield* turns.readied(workerGroup, tenant, -1);
    if (head === null) for (const { limiter } of limits) limiters.get(limiter)?.count({ partitions: -1 });
    else if (asideFor !== null) limiters.get(asideFor)?.count({ aside: 1 });
  }
  yield* tables.put("queue_partition", left);
  yield* tables.drop("queue_partition", gone);
}

/** Where a limiter has room, as many of the partitions that stand aside for it come back. */
function* callBack({ tables, limiters, turns }: Desk): Work<void> {
  const roomy = limiters.all().flatMap((limiter) => {
    const most = Math.min(limiter.room, limiter.row.aside);
    return most > 0 ? [{ limiter, most }] : [];
  });
  const lists = yield* together(...roomy.map(({ limiter, most }) => tables.aside(limiter.row.id, most)));
  for (const [index, { limiter }] of roomy.entries()) limiter.count({ aside: -(lists[index]?.length ?? 0) });
  const back = lists.flat();
  yield* turns.knowAll(back);
  yield* tables.put(
    "queue_partition",
    back.map((partition) => ({ ...partition, asideFor: null })),
  );
  for (const { workerGroup, tenant } of back) yield* turns.readied(workerGroup, tenant, 1);
}

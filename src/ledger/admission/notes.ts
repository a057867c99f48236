import type { Admission, Limiter as AdmissionLimiter } from "../../model/admission.ts";
import type { TenantShare } from "../placement.ts";
import type { NoteKind } from "../rows.ts";
import { together, type Work } from "../work.ts";
import type { Books } from "./desk.ts";
import type { AdmissionNote, EntryRow, NotedRun, PartitionLimit, SlotRow } from "./rows.ts";

/** Notes that one transaction reads. */
export const NOTES = 1_000;
/** The limiter that a tenant's own bound is: those of workflows begin with their names. */
const TENANT_LIMITER = '[null,"tenant"]';

type Asking = AdmissionNote & { readonly run: NotedRun };

/** Does what the notes say, and deletes them: slots are free again, and runs stand in their partitions. */
export function* takeNotes(desk: Books, notes: readonly AdmissionNote[]): Work<void> {
  if (notes.length === 0) return;
  const { tables, turns } = desk;
  yield* tables.dropNotes(notes.map(({ id }) => id));
  yield* endGathering(desk, notes);
  const asking = notes.filter(isAsking);
  const waiting = asking.filter(({ run }) => !run.isPaused);
  yield* tables.unask(asking.filter(({ run }) => run.isPaused).map(({ runId }) => runId));
  const leaving = leavingOf(notes);
  const [slots, shares] = yield* together(
    tables.slotsOf([...new Set([...leaving.keys(), ...waiting.map(({ runId }) => runId)])]),
    tables.shares([...new Set(waiting.map(({ run }) => run.tenant))]),
    turns.knowAll(waiting.map(({ run }) => run)),
  );
  const isLeft = ({ runId, isUntilEnd }: SlotRow): boolean => leaving.get(runId) === "ended" || (leaving.has(runId) && isUntilEnd === 0);
  const left = slots.filter(isLeft);
  const asked = askedOf(waiting, shares);
  yield* together(desk.limiters.load(left.map(({ limiterId }) => limiterId)), desk.limiters.knowAll(asked));
  for (const { limiterId } of left) desk.limiters.get(limiterId)?.free();
  yield* tables.drop("slot", left);
  const kept = new Set(slots.filter((slot) => !isLeft(slot)).map(({ runId, limiterId }) => slotOf(runId, limiterId)));
  const placed: Placed[] = [];
  for (const each of asked) placed.push({ note: each.note, limits: yield* limitsOf(desk, each, kept) });
  yield* stand(desk, placed);
}

const isAsking = (note: AdmissionNote): note is Asking => note.note === "asks" && note.run !== null && !note.run.hasEnded;

/** By the run that leaves slots: that it has ended counts more than that it was parked. */
function leavingOf(notes: readonly AdmissionNote[]): ReadonlyMap<number, NoteKind> {
  const leaving = new Map(notes.filter(({ note }) => note !== "asks").map(({ runId, note }) => [runId, note]));
  for (const { runId, note } of notes) if (note === "ended") leaving.set(runId, note);
  return leaving;
}

/** Nobody joins a run any more whose time has come. */
function* endGathering({ tables }: Books, notes: readonly AdmissionNote[]): Work<void> {
  const over = notes.flatMap(({ runId, run }) => {
    const gather = run === null ? null : admissionOf(run)?.gather;
    return run === null || gather === null || gather === undefined ? [] : [{ runId, tenant: run.tenant, name: gather.id }];
  });
  const found = yield* together(...over.map(({ tenant, name }) => tables.gathering(tenant, name)));
  yield* tables.drop(
    "gathering",
    found.filter((row, index) => row?.runId === over[index]?.runId).filter((row) => row !== undefined),
  );
}

/** A run that asks for its turn, and what it needs for it. */
interface Asked {
  readonly note: Asking;
  readonly tenant: string;
  readonly needed: readonly AdmissionLimiter[];
}

function askedOf(waiting: readonly Asking[], shares: readonly TenantShare[]): readonly Asked[] {
  const bounds = new Map(shares.map(({ tenant, most }) => [tenant, most]));
  return waiting.map((note) => ({ note, tenant: note.run.tenant, needed: neededBy(note, bounds.get(note.run.tenant) ?? null) }));
}

const slotOf = (runId: number, limiterId: number): string => `${runId} ${limiterId}`;

/** The limiters that it needs a slot of; a rate counts its first start alone. */
function neededBy({ run }: Asking, most: number | null): readonly AdmissionLimiter[] {
  const asked: AdmissionLimiter[] = [...(admissionOf(run)?.limiters ?? [])];
  if (most !== null) asked.push({ id: TENANT_LIMITER, limit: most, periodMs: null, onLimit: "queue", holds: "activity" });
  return asked.filter(({ periodMs }) => periodMs === null || !run.hasStarted);
}

/** But for those that it keeps a slot of until its end. */
function* limitsOf(
  { limiters }: Books,
  { note: { runId, run }, needed }: Asked,
  kept: ReadonlySet<string>,
): Work<readonly PartitionLimit[]> {
  const terms = needed.map(({ id, limit, periodMs }) => ({ name: id, limitedTo: limit, periodMs }));
  const found = yield* limiters.named(run.tenant, run.versionId, terms);
  return found.flatMap(({ row }, index) => {
    const asks = needed[index];
    if (asks === undefined || kept.has(slotOf(runId, row.id))) return [];
    // who goes on after a wait has come long ago: it neither ends for a full limit nor ends others
    return [{ limiter: row.id, onLimit: run.hasStarted ? "queue" : asks.onLimit, isUntilEnd: asks.holds === "run" ? 1 : 0 }];
  });
}

interface Placed {
  readonly note: Asking;
  readonly limits: readonly PartitionLimit[];
}

/** Every run stands in the partition of those that have its limiters. */
function* stand(desk: Books, placed: readonly Placed[]): Work<void> {
  if (placed.length === 0) return;
  const { tables, turns, limiters } = desk;
  const named = placed.map(({ note, limits }) => ({ name: partitionName(note.run, limits), note, limits }));
  const [stored, last] = yield* together(
    tables.partitionsNamed([...new Set(named.map(({ name }) => name))]),
    tables.lastId("queue_partition"),
  );
  const partitions = new Map(stored.map((row) => [row.name, row]));
  let lastId = last;
  const entries: EntryRow[] = [];
  for (const { name, note, limits } of named) {
    const { workerGroup, tenant } = note.run;
    const rank = rankOf(note.run);
    const before = partitions.get(name);
    if (before === undefined) {
      partitions.set(name, { id: ++lastId, name, workerGroup, tenant, limits, head: rank, asideFor: null });
      for (const { limiter } of limits) limiters.get(limiter)?.count({ partitions: 1 });
      yield* turns.readied(workerGroup, tenant, 1);
    } else partitions.set(name, { ...before, limits, head: Math.min(before.head, rank) });
    entries.push({ partitionId: partitions.get(name)?.id ?? lastId, rank, runId: note.runId });
  }
  yield* tables.put("queue_partition", [...partitions.values()]);
  yield* tables.put("queue_entry", entries);
}

/**
 * Those that have the same limits; the order in which a definition names them says nothing. Who has begun stands apart where the others do not
 * just wait for a full limit.
 */
function partitionName(run: NotedRun, limits: readonly PartitionLimit[]): string {
  const isApart = run.hasStarted && admissionOf(run)?.limiters.some(({ onLimit }) => onLimit !== "queue") === true;
  const ids = limits.map(({ limiter }) => limiter).toSorted((a, b) => a - b);
  return JSON.stringify([run.workerGroup, run.tenant, ...ids, ...(isApart ? ["begun"] : [])]);
}

const rankOf = (run: NotedRun): number => run.createdAt - (admissionOf(run)?.priorityMs ?? 0);

/** As the engine stored it. */
function admissionOf({ admission }: NotedRun): Admission | null {
  return admission === null ? null : (JSON.parse(admission) as Admission);
}

import type { Admission, Limiter as AdmissionLimiter } from "../../model/admission.ts";
import type { Work } from "../work.ts";
import type { Books } from "./desk.ts";
import type { AdmissionNote, EntryRow, NotedRun, PartitionLimit } from "./rows.ts";

/** Notes that one transaction reads. */
const NOTES = 1_000;
/** The limiter that a tenant's own bound is: those of workflows begin with their names. */
const TENANT_LIMITER = '[null,"tenant"]';

type Asking = AdmissionNote & { readonly run: NotedRun };

/**
 * Does what the notes say: slots are free again, and runs stand in their partitions.
 *
 * @returns whether there may be more
 */
export function* takeNotes(desk: Books): Work<boolean> {
  const notes = yield* desk.tables.notes(NOTES);
  if (notes.length === 0) return false;
  yield* leaveSlots(desk, notes);
  yield* endGathering(desk, notes);
  yield* queue(desk, notes.filter(isAsking));
  yield* desk.tables.dropNotes(notes.map(({ id }) => id));
  return notes.length === NOTES;
}

const isAsking = (note: AdmissionNote): note is Asking => note.note === "asks" && note.run !== null && !note.run.hasEnded;

function* leaveSlots({ tables, limiters }: Books, notes: readonly AdmissionNote[]): Work<void> {
  const leaving = new Map(notes.filter(({ note }) => note !== "asks").map(({ runId, note }) => [runId, note]));
  if (leaving.size === 0) return;
  for (const { runId, note } of notes) if (note === "ended") leaving.set(runId, note);
  const slots = (yield* tables.slotsOf([...leaving.keys()])).filter((slot) => leaving.get(slot.runId) === "ended" || slot.isUntilEnd === 0);
  yield* limiters.load(slots.map(({ limiterId }) => limiterId));
  for (const { limiterId } of slots) limiters.get(limiterId)?.free();
  yield* tables.drop("slot", slots);
}

/** Nobody joins a run any more whose time has come. */
function* endGathering({ tables }: Books, notes: readonly AdmissionNote[]): Work<void> {
  for (const { runId, run } of notes) {
    const gather = run === null ? null : admissionOf(run)?.gather;
    if (run === null || gather === null || gather === undefined) continue;
    const open = yield* tables.gathering(run.tenant, gather.id);
    if (open?.runId === runId) yield* tables.drop("gathering", [open]);
  }
}

function* queue(desk: Books, asking: readonly Asking[]): Work<void> {
  const paused = asking.filter(({ run }) => run.isPaused);
  yield* desk.tables.unask(paused.map(({ runId }) => runId));
  const waiting = asking.filter(({ run }) => !run.isPaused);
  if (waiting.length === 0) return;
  const kept = new Map<number, Set<number>>();
  for (const { runId, limiterId } of yield* desk.tables.slotsOf(waiting.map((note) => note.runId))) {
    kept.set(runId, (kept.get(runId) ?? new Set()).add(limiterId));
  }
  const bounds = new Map((yield* desk.tables.shares(tenantsOf(waiting))).map(({ tenant, most }) => [tenant, most]));
  const asked = waiting.map((note) => ({ note, needed: neededBy(note, bounds.get(note.run.tenant) ?? null) }));
  for (const [tenant, of] of Map.groupBy(asked, ({ note }) => note.run.tenant)) {
    yield* desk.limiters.know(
      tenant,
      of.flatMap(({ needed }) => needed.map(({ id }) => id)),
    );
  }
  const placed: Placed[] = [];
  for (const { note, needed } of asked) placed.push({ note, limits: yield* limitsOf(desk, note, needed, kept.get(note.runId) ?? NONE) });
  yield* stand(desk, placed);
}

const NONE: ReadonlySet<number> = new Set();
const tenantsOf = (notes: readonly Asking[]): readonly string[] => [...new Set(notes.map(({ run }) => run.tenant))];

/** The limiters that it needs a slot of; a rate counts its first start alone. */
function neededBy({ run }: Asking, most: number | null): readonly AdmissionLimiter[] {
  const asked: AdmissionLimiter[] = [...(admissionOf(run)?.limiters ?? [])];
  if (most !== null) asked.push({ id: TENANT_LIMITER, limit: most, periodMs: null, onLimit: "queue", holds: "activity" });
  return asked.filter(({ periodMs }) => periodMs === null || !run.hasStarted);
}

/** But for those that it keeps a slot of until its end. */
function* limitsOf(
  { limiters }: Books,
  { run }: Asking,
  needed: readonly AdmissionLimiter[],
  kept: ReadonlySet<number>,
): Work<readonly PartitionLimit[]> {
  const terms = needed.map(({ id, limit, periodMs }) => ({ name: id, limitedTo: limit, periodMs }));
  const found = yield* limiters.named(run.tenant, run.versionId, terms);
  return found.flatMap(({ row }, index) => {
    const asks = needed[index];
    if (asks === undefined || kept.has(row.id)) return [];
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
  const { tables, turns, limiters } = desk;
  for (const [workerGroup, of] of Map.groupBy(placed, ({ note }) => note.run.workerGroup)) {
    yield* turns.know(
      workerGroup,
      of.map(({ note }) => note.run.tenant),
    );
  }
  const named = placed.map(({ note, limits }) => ({ name: partitionName(note.run, limits), note, limits }));
  const partitions = new Map((yield* tables.partitionsNamed([...new Set(named.map(({ name }) => name))])).map((row) => [row.name, row]));
  let lastId = yield* tables.lastId("queue_partition");
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

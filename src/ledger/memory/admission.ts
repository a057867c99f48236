import type {
  AdmissionNote,
  AdmissionRows,
  AdmissionTable,
  Front,
  GatheringRow,
  LimiterRow,
  PartitionRow,
  SlotRow,
  TurnRow,
  WeightedTurn,
} from "../admission/rows.ts";
import type { AdmissionTables } from "../admission/tables.ts";
import type { TenantShare } from "../placement.ts";
import { SLOTS } from "../rows.ts";
import { columnsOf, decodeNote, decodeRow, decodeShare, weighted } from "../sql/admission-rows.ts";
import { checksum } from "../sql/checksum.ts";
import type { Table } from "../sql/description.ts";
import { done, type Work } from "../work.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";

/** What the statements of the SQL backends find, by looking at every row. */
export class MemoryAdmissionTables implements AdmissionTables {
  readonly #tables: MemoryTables;
  readonly #now: number;

  constructor(tables: MemoryTables, now: number) {
    this.#tables = tables;
    this.#now = now;
  }

  put<T extends AdmissionTable>(table: T, rows: readonly AdmissionRows[T][]): Work<void> {
    for (const row of rows) {
      const [stored] = this.#tables.find(table, columnsOf(table, row, true));
      if (stored === undefined) this.#tables.insert(table, columnsOf(table, row));
      else this.#tables.update(table, stored, columnsOf(table, row));
    }
    return done(undefined);
  }

  drop<T extends AdmissionTable>(table: T, rows: readonly AdmissionRows[T][]): Work<void> {
    for (const row of rows) for (const stored of this.#tables.find(table, columnsOf(table, row, true))) this.#tables.remove(table, stored);
    return done(undefined);
  }

  lastId(table: "limiter" | "queue_partition"): Work<number> {
    return done(Math.max(0, ...[...this.#tables.all(table)].map((row) => Number(row["id"]))));
  }

  notes(limit: number): Work<readonly AdmissionNote[]> {
    const due = this.#where("admission_note", (row) => Number(row["due_at"]) <= this.#now, ["due_at", "id"]).slice(0, limit);
    return done(
      due.map((note) => {
        const [run = {}] = this.#tables.find("run", { id: note["run_id"] ?? null });
        return decodeNote({ ...run, ...note, found: run["id"] ?? null });
      }),
    );
  }

  dropNotes(ids: readonly number[]): Work<void> {
    for (const row of this.#where("admission_note", (note) => ids.includes(Number(note["id"])), ["id"]))
      this.#tables.remove("admission_note", row);
    return done(undefined);
  }

  limiters(ids: readonly number[]): Work<readonly LimiterRow[]> {
    return done(ids.flatMap((id) => this.#tables.find("limiter", { id })).map((row) => decodeRow("limiter", row)));
  }

  limitersNamed(tenant: string, names: readonly string[]): Work<readonly LimiterRow[]> {
    return this.#rows("limiter", (row) => row["tenant"] === tenant && names.includes(String(row["name"])), ["id"]);
  }

  forgetRates(limit: number): Work<void> {
    const isForgotten = (row: MemoryRow): boolean =>
      row["partitions"] === 0 && row["period_ms"] !== null && Number(row["used_until_us"]) <= this.#now * 1_000;
    for (const row of this.#where("limiter", isForgotten, ["used_until_us"]).slice(0, limit)) this.#tables.remove("limiter", row);
    return done(undefined);
  }

  openRates(limit: number): Work<readonly LimiterRow[]> {
    const isOpen = (row: MemoryRow): boolean =>
      Number(row["aside"]) > 0 && row["period_ms"] !== null && Number(row["open_at"]) <= this.#now;
    return this.#rows("limiter", isOpen, ["open_at"], limit);
  }

  slotsOf(runIds: readonly number[]): Work<readonly SlotRow[]> {
    return this.#rows("slot", (row) => runIds.includes(Number(row["run_id"])), ["limiter_id", "run_id"]);
  }

  holders(limiterId: number, limit: number): Work<readonly number[]> {
    const slots = this.#where("slot", (row) => row["limiter_id"] === limiterId, ["run_id"]);
    return done(slots.slice(0, limit).map((row) => Number(row["run_id"])));
  }

  partitionsNamed(names: readonly string[]): Work<readonly PartitionRow[]> {
    return this.#rows("queue_partition", (row) => names.includes(String(row["name"])), ["id"]);
  }

  ready(turns: readonly { readonly turn: TurnRow; readonly most: number }[]): Work<readonly PartitionRow[]> {
    const isReadyFor = ({ workerGroup, tenant }: TurnRow, row: MemoryRow): boolean =>
      row["aside_for"] === null && row["worker_group"] === workerGroup && row["tenant"] === tenant;
    const found = turns.flatMap(({ turn, most }) =>
      this.#where("queue_partition", (row) => isReadyFor(turn, row), ["head", "id"]).slice(0, most),
    );
    return done(found.map((row) => decodeRow("queue_partition", row)));
  }

  aside(limiterId: number, limit: number): Work<readonly PartitionRow[]> {
    return this.#rows("queue_partition", (row) => row["aside_for"] === limiterId, ["head", "id"], limit);
  }

  fronts(partitions: readonly { readonly id: number; readonly most: number }[]): Work<readonly Front[]> {
    const fronts = partitions.map(({ id, most }) => {
      const rows = this.#where("queue_entry", (row) => row["partition_id"] === id, ["rank", "run_id"]);
      const next = rows[most]?.["rank"];
      const entries = rows.slice(0, most).map((row) => decodeRow("queue_entry", row));
      return { partitionId: id, entries, next: next === undefined ? null : Number(next) };
    });
    return done(fronts.filter(({ entries }) => entries.length > 0));
  }

  turns(workerGroup: string, limit: number): Work<readonly WeightedTurn[]> {
    const isReady = (row: MemoryRow): boolean => row["worker_group"] === workerGroup && Number(row["ready"]) > 0;
    const rows = this.#where("turn", isReady, ["pass", "tenant"]).slice(0, limit);
    const weightOf = (row: MemoryRow) => this.#tables.find("tenant_share", { tenant: row["tenant"] ?? null })[0]?.["weight"];
    return done(rows.map((row) => weighted(decodeRow("turn", row), weightOf(row))));
  }

  turnsOf(workerGroup: string, tenants: readonly string[]): Work<readonly TurnRow[]> {
    return this.#rows("turn", (row) => row["worker_group"] === workerGroup && tenants.includes(String(row["tenant"])), ["tenant"]);
  }

  workerGroups(): Work<readonly string[]> {
    return done([...new Set([...this.#tables.all("turn")].map((row) => String(row["worker_group"])))]);
  }

  nextTime(): Work<number | null> {
    const notes = [...this.#tables.all("admission_note")].map((row) => Number(row["due_at"]));
    const rates = this.#where("limiter", (row) => Number(row["aside"]) > 0 && row["period_ms"] !== null, ["open_at"]);
    const times = [...notes, ...rates.map((row) => Number(row["open_at"]))];
    return done(times.length === 0 ? null : Math.min(...times));
  }

  shares(tenants: readonly string[]): Work<readonly TenantShare[]> {
    return done(tenants.flatMap((tenant) => this.#tables.find("tenant_share", { tenant })).map(decodeShare));
  }

  own(runs: readonly { readonly runId: number; readonly getsSlot: boolean }[], epoch: number): Work<readonly number[]> {
    const owned: number[] = [];
    const keeping = new Set([...this.#tables.all("slot")].map((row) => row["run_id"]));
    for (const { runId, getsSlot } of runs) {
      const run = this.#toBeOwned(runId);
      if (run === undefined) continue;
      this.#tables.update("run", run, { owner_epoch: epoch, slots: getsSlot || keeping.has(runId) ? SLOTS.held : null });
      owned.push(runId);
    }
    return done(owned);
  }

  gathering(tenant: string, name: string): Work<GatheringRow | undefined> {
    return done(this.#tables.find("gathering", { tenant, name }).map((row) => decodeRow("gathering", row))[0]);
  }

  gathered(runId: number): Work<string | undefined> {
    const run = this.#toBeJoined(runId);
    return done(run === undefined ? undefined : String(run["input"]));
  }

  regather(runId: number, input: string | null, dueAt: number): Work<string | undefined> {
    const run = this.#toBeJoined(runId);
    if (run === undefined) return done(undefined);
    if (input !== null) this.#tables.update("run", run, { input, input_crc: checksum(input, null) });
    for (const note of this.#tables.find("admission_note", { run_id: runId })) {
      if (note["note"] === "asks") this.#tables.update("admission_note", note, { due_at: dueAt });
    }
    return done(String(run["public_id"]));
  }

  #toBeJoined(id: number): MemoryRow | undefined {
    const [run] = this.#tables.find("run", { id });
    return run?.["finished_at"] === null && run["slots"] === SLOTS.asked && run["owner_epoch"] === null ? run : undefined;
  }

  #toBeOwned(id: number): MemoryRow | undefined {
    const run = this.#toBeJoined(id);
    return run?.["paused_by"] === null ? run : undefined;
  }

  asking(runIds: readonly number[]): Work<readonly number[]> {
    return done(runIds.filter((id) => this.#toBeOwned(id) !== undefined && !this.#isToEnd(id)));
  }

  unask(runIds: readonly number[]): Work<void> {
    for (const run of runIds.flatMap((id) => this.#tables.find("run", { id }))) {
      const isKept = run["paused_by"] === null && run["owner_epoch"] === null && !this.#isToEnd(Number(run["id"]));
      if (run["slots"] === SLOTS.asked && run["finished_at"] === null && !isKept) this.#tables.update("run", run, { slots: SLOTS.idle });
    }
    return done(undefined);
  }

  #isToEnd(runId: number): boolean {
    return this.#tables.find("inbox", { run_id: runId, kind: "cancel" }).some((row) => row["consumed_at"] === null);
  }

  #rows<T extends AdmissionTable>(
    table: T,
    isWanted: (row: MemoryRow) => boolean,
    order: readonly string[],
    limit = Number.POSITIVE_INFINITY,
  ) {
    const rows = this.#where(table, isWanted, order).slice(0, limit);
    return done(rows.map((row) => decodeRow(table, row)));
  }

  #where(table: Table, isWanted: (row: MemoryRow) => boolean, order: readonly string[]): readonly MemoryRow[] {
    const compare = (a: MemoryRow, b: MemoryRow): number => {
      for (const column of order) {
        const [left, right] = [a[column] ?? 0, b[column] ?? 0];
        if (left !== right) return left < right ? -1 : 1;
      }
      return 0;
    };
    return [...this.#tables.all(table)].filter(isWanted).toSorted(compare);
  }
}

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
import { done, together, type Work } from "../work.ts";
import { DROP, decodeNote, decodeRow, decodeShare, PUT, valuesOf, weighted } from "./admission-rows.ts";
import { checksum } from "./checksum.ts";
import type { RawRow } from "./fields.ts";

/** A list of ids, or of texts, is the first placeholder. */
const GIVEN = "json_each(?1) given";
const GIVEN_ID = "CAST(given.value AS INTEGER)";
/** Not joined: a planner without statistics begins with the table where it knows anything else of its rows, and reads all that are like that. */
const GIVEN_IDS = `(SELECT ${GIVEN_ID} FROM ${GIVEN})`;
const GIVEN_TEXTS = `(SELECT given.value FROM ${GIVEN})`;
const entryAt = (column: "rank" | "run_id", position: number): string =>
  `(SELECT f.${column} FROM queue_entry f WHERE f.partition_id = ${GIVEN_ID} ORDER BY f.rank, f.run_id LIMIT 1 OFFSET ${position})`;
/** So many lists are asked for one by one; of more of them only the first rows are read, by one statement: the next round reads on. */
const FEW_LISTS = 4;

const NEXT_TIME = `SELECT min(next.at) FROM (SELECT min(due_at) AS at FROM admission_note
  UNION ALL SELECT min(open_at) FROM limiter WHERE aside > 0 AND period_ms IS NOT NULL) next`;

const TO_BE_JOINED = `finished_at IS NULL AND slots = ${SLOTS.asked} AND owner_epoch IS NULL`;
/** An engine could be given it. */
const TO_BE_OWNED = `${TO_BE_JOINED} AND paused_by IS NULL`;
const IS_TO_END = "EXISTS (SELECT 1 FROM inbox i WHERE i.run_id = run.id AND i.kind = 'cancel' AND i.consumed_at IS NULL)";

/** What admission asks and writes, once for all databases. */
export const ADMISSION = {
  notes: `SELECT n.id, n.run_id, n.note, r.id AS found, r.tenant, r.worker_group, r.version_id, r.admission, r.created_at, r.started_at, r.finished_at, r.paused_by
    FROM admission_note n LEFT JOIN run r ON r.id = n.run_id WHERE n.due_at <= ?1 ORDER BY n.due_at, n.id LIMIT ?2`,
  dropNotes: `DELETE FROM admission_note WHERE id IN ${GIVEN_IDS}`,
  lastLimiter: "SELECT coalesce(max(id), 0) AS id FROM limiter",
  lastPartition: "SELECT coalesce(max(id), 0) AS id FROM queue_partition",
  limiters: `SELECT * FROM limiter WHERE id IN ${GIVEN_IDS}`,
  limitersNamed: `SELECT * FROM limiter WHERE tenant = ?2 AND name IN ${GIVEN_TEXTS}`,
  openRates: "SELECT * FROM limiter WHERE aside > 0 AND period_ms IS NOT NULL AND open_at <= ?1 ORDER BY open_at LIMIT ?2",
  forgetRates: `DELETE FROM limiter WHERE id IN (SELECT l.id FROM limiter l
    WHERE l.partitions = 0 AND l.period_ms IS NOT NULL AND l.used_until_us <= ?1 ORDER BY l.used_until_us LIMIT ?2)`,
  slots: `SELECT * FROM slot WHERE run_id IN ${GIVEN_IDS}`,
  holders: "SELECT run_id FROM slot WHERE limiter_id = ?1 ORDER BY run_id LIMIT ?2",
  partitionsNamed: `SELECT * FROM queue_partition WHERE name IN ${GIVEN_TEXTS}`,
  ready: "SELECT * FROM queue_partition WHERE aside_for IS NULL AND worker_group = ?1 AND tenant = ?2 ORDER BY head, id LIMIT ?3",
  firstReady: `SELECT p.* FROM ${GIVEN} CROSS JOIN queue_partition p ON p.id = (SELECT f.id FROM queue_partition f
    WHERE f.aside_for IS NULL AND f.worker_group = given.value ->> 0 AND f.tenant = given.value ->> 1 ORDER BY f.head, f.id LIMIT 1)`,
  aside: "SELECT * FROM queue_partition WHERE aside_for = ?1 ORDER BY head, id LIMIT ?2",
  entries: "SELECT * FROM queue_entry WHERE partition_id = ?1 ORDER BY rank, run_id LIMIT ?2",
  // each column for itself: PostgreSQL has no index condition for a row, and would look at every entry
  firstEntries: `SELECT e.*, ${entryAt("rank", 1)} AS next FROM ${GIVEN} CROSS JOIN queue_entry e ON e.partition_id = ${GIVEN_ID}
    AND e.rank = ${entryAt("rank", 0)} AND e.run_id = ${entryAt("run_id", 0)}`,
  turns: `SELECT t.*, (SELECT s.weight FROM tenant_share s WHERE s.tenant = t.tenant) AS weight FROM turn t
    WHERE t.worker_group = ?1 AND t.ready > 0 ORDER BY t.pass, t.tenant LIMIT ?2`,
  turnsOf: `SELECT * FROM turn WHERE worker_group = ?2 AND tenant IN ${GIVEN_TEXTS}`,
  /** From one to the next: there are few of them, and many tenants in each. */
  workerGroups: `WITH RECURSIVE found(worker_group) AS (SELECT min(worker_group) FROM turn
      UNION ALL SELECT (SELECT min(t.worker_group) FROM turn t WHERE t.worker_group > found.worker_group) FROM found WHERE found.worker_group IS NOT NULL)
    SELECT worker_group FROM found WHERE worker_group IS NOT NULL`,
  nextTime: `SELECT (${NEXT_TIME}) AS next_at`,
  /** ?1 now, ?2 worker groups as JSON, or null for all of them. */
  outlook: `SELECT CASE WHEN EXISTS (SELECT 1 FROM admission_note WHERE due_at <= ?1)
      OR EXISTS (SELECT 1 FROM limiter WHERE aside > 0 AND period_ms IS NOT NULL AND open_at <= ?1)
      OR EXISTS (SELECT 1 FROM json_each(?2) given CROSS JOIN turn t INDEXED BY turn_next ON t.worker_group = given.value AND t.ready > 0)
      OR (?2 IS NULL AND EXISTS (SELECT 1 FROM turn INDEXED BY turn_next WHERE ready > 0))
    THEN 1 ELSE 0 END AS is_ready, (${NEXT_TIME}) AS next_at`,
  shares: `SELECT * FROM tenant_share WHERE tenant IN ${GIVEN_TEXTS}`,
  own: `UPDATE run SET owner_epoch = ?2, slots = CASE WHEN ?3 = 1 OR EXISTS (SELECT 1 FROM slot s WHERE s.run_id = run.id) THEN ${SLOTS.held} END
    WHERE id IN ${GIVEN_IDS} AND ${TO_BE_OWNED} RETURNING id`,
  gathering: "SELECT * FROM gathering WHERE tenant = ?1 AND name = ?2",
  gathered: `SELECT input FROM run WHERE id = ?1 AND ${TO_BE_JOINED}`,
  regather: `UPDATE run SET input = coalesce(?2, input), input_crc = coalesce(?3, input_crc) WHERE id = ?1 AND ${TO_BE_JOINED} RETURNING public_id`,
  postpone: "UPDATE admission_note SET due_at = ?2 WHERE run_id = ?1 AND note = 'asks'",
  asking: `SELECT id FROM run WHERE id IN ${GIVEN_IDS} AND ${TO_BE_OWNED} AND NOT ${IS_TO_END}`,
  /** Since it was looked at, it may have been let go, and asks anew: then it stays as it is. */
  unask: `UPDATE run SET slots = ${SLOTS.idle} WHERE id IN ${GIVEN_IDS} AND slots = ${SLOTS.asked} AND finished_at IS NULL
    AND (paused_by IS NOT NULL OR owner_epoch IS NOT NULL OR ${IS_TO_END})`,
} as const;

type Values = readonly (string | number | null)[];

interface Statements {
  rows(sql: string, ...values: Values): Work<readonly RawRow[]>;
  /** One whose answer nobody needs. */
  send(sql: string, ...values: Values): Work<void>;
}

/** On a connection, in the one transaction that admits. */
export class SqlAdmissionTables implements AdmissionTables {
  readonly #connection: Statements;
  readonly #now: number;

  constructor(connection: Statements, now: number) {
    this.#connection = connection;
    this.#now = now;
  }

  put<T extends AdmissionTable>(table: T, rows: readonly AdmissionRows[T][]): Work<void> {
    return this.#send(
      PUT[table],
      rows.map((row) => valuesOf(table, row)),
    );
  }

  drop<T extends AdmissionTable>(table: T, rows: readonly AdmissionRows[T][]): Work<void> {
    return this.#send(
      DROP[table],
      rows.map((row) => valuesOf(table, row)),
    );
  }

  *lastId(table: "limiter" | "queue_partition"): Work<number> {
    const [row] = yield* this.#connection.rows(table === "limiter" ? ADMISSION.lastLimiter : ADMISSION.lastPartition);
    return Number(row?.["id"]);
  }

  *notes(limit: number): Work<readonly AdmissionNote[]> {
    return (yield* this.#connection.rows(ADMISSION.notes, this.#now, limit)).map(decodeNote);
  }

  dropNotes(ids: readonly number[]): Work<void> {
    return this.#send(ADMISSION.dropNotes, ids);
  }

  *limiters(ids: readonly number[]): Work<readonly LimiterRow[]> {
    return (yield* this.#of(ADMISSION.limiters, ids)).map((row) => decodeRow("limiter", row));
  }

  *limitersNamed(tenant: string, names: readonly string[]): Work<readonly LimiterRow[]> {
    return (yield* this.#of(ADMISSION.limitersNamed, names, tenant)).map((row) => decodeRow("limiter", row));
  }

  forgetRates(limit: number): Work<void> {
    return this.#connection.send(ADMISSION.forgetRates, this.#now * 1_000, limit);
  }

  *openRates(limit: number): Work<readonly LimiterRow[]> {
    return (yield* this.#connection.rows(ADMISSION.openRates, this.#now, limit)).map((row) => decodeRow("limiter", row));
  }

  *slotsOf(runIds: readonly number[]): Work<readonly SlotRow[]> {
    return (yield* this.#of(ADMISSION.slots, runIds)).map((row) => decodeRow("slot", row));
  }

  *holders(limiterId: number, limit: number): Work<readonly number[]> {
    return (yield* this.#connection.rows(ADMISSION.holders, limiterId, limit)).map((row) => Number(row["run_id"]));
  }

  *partitionsNamed(names: readonly string[]): Work<readonly PartitionRow[]> {
    return (yield* this.#of(ADMISSION.partitionsNamed, names)).map((row) => decodeRow("queue_partition", row));
  }

  *ready(turns: readonly { readonly turn: TurnRow; readonly most: number }[]): Work<readonly PartitionRow[]> {
    const many = turns.filter(({ most }) => most > 1);
    if (many.length > FEW_LISTS) return yield* this.#firstReady(turns);
    const [first, lists] = yield* together(
      this.#firstReady(turns.filter(({ most }) => most === 1)),
      together(...many.map(({ turn, most }) => this.#connection.rows(ADMISSION.ready, turn.workerGroup, turn.tenant, most))),
    );
    return [...first, ...lists.flat().map((row) => decodeRow("queue_partition", row))];
  }

  *#firstReady(turns: readonly { readonly turn: TurnRow }[]): Work<readonly PartitionRow[]> {
    const rows = yield* this.#of(
      ADMISSION.firstReady,
      turns.map(({ turn }) => [turn.workerGroup, turn.tenant]),
    );
    return rows.map((row) => decodeRow("queue_partition", row));
  }

  *aside(limiterId: number, limit: number): Work<readonly PartitionRow[]> {
    return (yield* this.#connection.rows(ADMISSION.aside, limiterId, limit)).map((row) => decodeRow("queue_partition", row));
  }

  *fronts(partitions: readonly { readonly id: number; readonly most: number }[]): Work<readonly Front[]> {
    const many = partitions.filter(({ most }) => most > 1);
    if (many.length > FEW_LISTS) return yield* this.#firstEntries(partitions);
    const [first, lists] = yield* together(
      this.#firstEntries(partitions.filter(({ most }) => most === 1)),
      together(...many.map(({ id, most }) => this.#front(id, most))),
    );
    return [...first, ...lists.filter(({ entries }) => entries.length > 0)];
  }

  *#front(partitionId: number, most: number): Work<Front> {
    const rows = yield* this.#connection.rows(ADMISSION.entries, partitionId, most + 1);
    const found = rows.map((row) => decodeRow("queue_entry", row));
    return { partitionId, entries: found.slice(0, most), next: found[most]?.rank ?? null };
  }

  *#firstEntries(partitions: readonly { readonly id: number }[]): Work<readonly Front[]> {
    const rows = yield* this.#of(
      ADMISSION.firstEntries,
      partitions.map(({ id }) => id),
    );
    return rows.map((row) => {
      const entry = decodeRow("queue_entry", row);
      return { partitionId: entry.partitionId, entries: [entry], next: row["next"] === null ? null : Number(row["next"]) };
    });
  }

  *turns(workerGroup: string, limit: number): Work<readonly WeightedTurn[]> {
    return (yield* this.#connection.rows(ADMISSION.turns, workerGroup, limit)).map((row) =>
      weighted(decodeRow("turn", row), row["weight"]),
    );
  }

  *turnsOf(workerGroup: string, tenants: readonly string[]): Work<readonly TurnRow[]> {
    return (yield* this.#of(ADMISSION.turnsOf, tenants, workerGroup)).map((row) => decodeRow("turn", row));
  }

  *workerGroups(): Work<readonly string[]> {
    return (yield* this.#connection.rows(ADMISSION.workerGroups)).map((row) => String(row["worker_group"]));
  }

  *nextTime(): Work<number | null> {
    const [row] = yield* this.#connection.rows(ADMISSION.nextTime);
    return row?.["next_at"] === null ? null : Number(row?.["next_at"]);
  }

  *shares(tenants: readonly string[]): Work<readonly TenantShare[]> {
    return (yield* this.#of(ADMISSION.shares, tenants)).map(decodeShare);
  }

  *own(runs: readonly { readonly runId: number; readonly getsSlot: boolean }[], epoch: number): Work<readonly number[]> {
    const owned = yield* together(
      ...[true, false].map((getsSlot) => {
        const ids = runs.filter((run) => run.getsSlot === getsSlot).map(({ runId }) => runId);
        return this.#of(ADMISSION.own, ids, epoch, getsSlot ? 1 : 0);
      }),
    );
    return owned.flat().map((row) => Number(row["id"]));
  }

  *gathering(tenant: string, name: string): Work<GatheringRow | undefined> {
    return (yield* this.#connection.rows(ADMISSION.gathering, tenant, name)).map((row) => decodeRow("gathering", row))[0];
  }

  *gathered(runId: number): Work<string | undefined> {
    return (yield* this.#connection.rows(ADMISSION.gathered, runId)).map((row) => String(row["input"]))[0];
  }

  *regather(runId: number, input: string | null, dueAt: number): Work<string | undefined> {
    const crc = input === null ? null : checksum(input, null);
    const [row] = yield* this.#connection.rows(ADMISSION.regather, runId, input, crc);
    if (row === undefined) return undefined;
    yield* this.#connection.rows(ADMISSION.postpone, runId, dueAt);
    return String(row["public_id"]);
  }

  *asking(runIds: readonly number[]): Work<readonly number[]> {
    return (yield* this.#of(ADMISSION.asking, runIds)).map((row) => Number(row["id"]));
  }

  unask(runIds: readonly number[]): Work<void> {
    return this.#send(ADMISSION.unask, runIds);
  }

  #of(sql: string, list: readonly unknown[], ...values: Values): Work<readonly RawRow[]> {
    return list.length === 0 ? done([]) : this.#connection.rows(sql, JSON.stringify(list), ...values);
  }

  #send(sql: string, list: readonly unknown[]): Work<void> {
    return list.length === 0 ? done(undefined) : this.#connection.send(sql, JSON.stringify(list));
  }
}

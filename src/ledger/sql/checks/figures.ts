import type { Work } from "../../work.ts";
import { PARKED } from "../reads.ts";
import type { Read } from "./payloads.ts";

/** How full the ledger is, and who waits for whom in it (I10): nothing here is wrong in itself. */
export interface LedgerFigures {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Unfinished runs by status. */
  readonly unfinished: Readonly<Record<string, number>>;
  /** Age of the oldest unfinished run, milliseconds; null when there is none. */
  readonly oldestUnfinishedMs: number | null;
  /** Runs in the queue that no engine has taken. */
  readonly queuedWithoutEngine: number;
  /** Parked runs whose time has come. */
  readonly overdue: number;
  /** Runs that a person holds, or that are held because they took engines down. */
  readonly held: number;
  /** Steps that wait until an engine has their operator. */
  readonly withoutOperator: number;
}

const TABLES = [
  "version",
  "run",
  "step",
  "attempt",
  "event",
  "wait",
  "inbox",
  "subscription",
  "event_kept",
  "task",
  "worker",
  "lane",
  "ready",
];
const ROWS = TABLES.map((table) => `SELECT '${table}' AS name, count(*) AS total FROM ${table}`).join(" UNION ALL ");
const UNFINISHED = "SELECT status AS name, count(*) AS total FROM run WHERE finished_at IS NULL GROUP BY status ORDER BY status";
/** ?1 now. */
const OTHERS = `SELECT ?1 - (SELECT min(created_at) FROM run WHERE finished_at IS NULL) AS oldest,
  (SELECT count(*) FROM run WHERE finished_at IS NULL AND status = 'QUEUED' AND owner_epoch IS NULL AND paused_by IS NULL) AS queued,
  (SELECT count(*) FROM run r WHERE ${PARKED} AND EXISTS (SELECT 1 FROM wait w WHERE w.run_id = r.id AND w.due_at <= ?1)) AS overdue,
  (SELECT count(*) FROM run WHERE finished_at IS NULL AND (paused_by IS NOT NULL OR reason = 'quarantined')) AS held,
  (SELECT count(*) FROM wait WHERE kind = 'no_worker') AS unknown`;

/** @param now by the ledger's clock */
export function* ledgerFigures(read: Read, now: number): Work<LedgerFigures> {
  const rows = yield* counted(read, ROWS);
  const unfinished = yield* counted(read, UNFINISHED);
  const [others] = yield* read(OTHERS, now);
  const oldest = others?.["oldest"] ?? null;
  return {
    rows,
    unfinished,
    oldestUnfinishedMs: oldest === null ? null : Math.max(0, Number(oldest)),
    queuedWithoutEngine: Number(others?.["queued"]),
    overdue: Number(others?.["overdue"]),
    held: Number(others?.["held"]),
    withoutOperator: Number(others?.["unknown"]),
  };
}

function* counted(read: Read, sql: string): Work<Readonly<Record<string, number>>> {
  return Object.fromEntries((yield* read(sql)).map((row) => [String(row["name"]), Number(row["total"])]));
}

import type { LiveEngine, WorkerIdentity } from "../port.ts";
import { decodeOwner } from "../sql/decode.ts";
import { Fields, type RawRow } from "../sql/fields.ts";
import { COLD_WRITES } from "../sql/reads.ts";
import type { SqlTransaction } from "../sql/transaction.ts";
import type { Work } from "../work.ts";
import { SERVER_TIME } from "./functions.ts";

/** The next epoch is one more than the last: those who come at the same time take turns. */
const TURN = "SELECT pg_advisory_xact_lock('worker'::regclass::oid::bigint)";
const LANE = "INSERT INTO lane (epoch, number, token) VALUES (?1, ?2, 0)";
const FIRST_HEARTBEAT = "UPDATE worker SET heartbeat_at = ?2, lease_ms = ?3 WHERE epoch = ?1";
/** Waits for batches of the worker that are at work, which hold its row; ?2 the time by which its lease has run out, null: whether it has or not. */
const LOCK = `SELECT epoch FROM worker WHERE epoch = ?1 AND fenced_at IS NULL AND (heartbeat_at + lease_ms < ?2 OR ?2 IS NULL) FOR UPDATE`;
const FENCE = "UPDATE worker SET fenced_at = ?2 WHERE epoch = ?1";
const OWNED = "SELECT id FROM run WHERE finished_at IS NULL AND owner_epoch = ?1 ORDER BY id FOR NO KEY UPDATE";
const RELEASE = `WITH released AS (UPDATE run SET owner_epoch = NULL WHERE finished_at IS NULL AND owner_epoch = ?1 RETURNING id, inbox_seq)
  INSERT INTO ready (owner, run_id, seq) SELECT 0, id, inbox_seq FROM released ON CONFLICT (owner, run_id) DO NOTHING`;
/** A worker that stops parks what it can; nothing in the ledger would wake that. */
const HANDED_BACK = `INSERT INTO ready (owner, run_id, seq) SELECT 0, id, inbox_seq FROM run
  WHERE finished_at IS NULL AND owner_epoch IS NULL AND status = 'SUSPENDED' AND reason = 'shutdown' ON CONFLICT (owner, run_id) DO NOTHING`;
const FORGET_MAIL = "DELETE FROM ready WHERE owner = ?1";
const FORGET_LANES = "DELETE FROM lane WHERE epoch = ?1";
/** Workers whose lease has run out by ?1. */
export const EXPIRED = "SELECT epoch FROM worker WHERE fenced_at IS NULL AND heartbeat_at + lease_ms < ?1 ORDER BY epoch";
/** When the first lease of others than ?1 runs out, unless they are heard of. */
export const NEXT_EXPIRY = "SELECT min(heartbeat_at + lease_ms) + 1 AS at FROM worker WHERE fenced_at IS NULL AND epoch <> ?1";
/** Those that were not fenced, with the age of their last heartbeat. */
export const WORKERS = `SELECT epoch, name, host, pid, version, worker_groups, heartbeat_at + lease_ms >= ${SERVER_TIME} AS is_alive,
  greatest(${SERVER_TIME} - heartbeat_at, 0) AS silent_ms FROM worker WHERE fenced_at IS NULL ORDER BY epoch`;

/** A worker that lives and drives runs of the group ?1. */
export const SERVING = `SELECT epoch FROM worker w WHERE fenced_at IS NULL AND heartbeat_at + lease_ms >= ${SERVER_TIME}
  AND (worker_groups IS NULL OR EXISTS (SELECT 1 FROM json_each(w.worker_groups) g WHERE g.value = ?1)) LIMIT 1`;

/** ?1 the epoch; no row for a worker that was fenced. The first column is no key: a batch that holds the row does not hold this up. */
export const HEARTBEAT = `UPDATE worker SET heartbeat_at = greatest(heartbeat_at, ${SERVER_TIME}) WHERE epoch = ?1 AND fenced_at IS NULL
  RETURNING heartbeat_at`;

/** How a worker lives. */
interface Terms {
  readonly lanes: number;
  readonly leaseMs: number;
}

/** A worker with its lanes; its lease begins. */
export function* register(
  transaction: SqlTransaction,
  { name, host, pid, version, groups }: WorkerIdentity,
  { lanes, leaseMs }: Terms,
): Work<number> {
  yield* transaction.rows(TURN);
  const [row] = yield* transaction.rows(
    COLD_WRITES.own,
    name,
    host,
    pid,
    version,
    groups === null ? null : JSON.stringify(groups),
    transaction.now,
  );
  const epoch = Number(row?.["epoch"]);
  yield* transaction.rows(FIRST_HEARTBEAT, epoch, transaction.now, leaseMs);
  for (let number = 0; number < lanes; number++) yield* transaction.rows(LANE, epoch, number);
  return epoch;
}

/**
 * Nothing of this worker is written any more, and what it had is there for others.
 *
 * @param expiredBy only when its lease has run out by then; null: whether it has or not
 * @returns whether it was fenced by this
 */
export function* fence(transaction: SqlTransaction, epoch: number, expiredBy: number | null): Work<boolean> {
  if ((yield* transaction.rows(LOCK, epoch, expiredBy)).length === 0) return false;
  yield* transaction.rows(FENCE, epoch, transaction.now);
  yield* transaction.rows(OWNED, epoch);
  yield* transaction.rows(RELEASE, epoch);
  yield* transaction.rows(HANDED_BACK);
  yield* transaction.rows(FORGET_MAIL, epoch);
  yield* transaction.rows(FORGET_LANES, epoch);
  return true;
}

export function decodeWorker(row: RawRow): LiveEngine {
  const fields = new Fields(row, "The row of a worker", {});
  return { ...decodeOwner(row), epoch: fields.integer("epoch"), silentMs: fields.integer("silent_ms"), isAlive: row["is_alive"] === true };
}

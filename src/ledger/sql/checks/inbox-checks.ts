import { PARKED } from "../reads.ts";
import { type LedgerCheck, runs } from "./check.ts";

const INBOX = "inbox i JOIN run r ON r.id = i.run_id";
const ROW = "i.kind || ' ' || i.seq";

/** What must hold of what runs are sent, and of who has them. */
export const INBOX_CHECKS: readonly LedgerCheck[] = [
  {
    id: "inbox-numbers",
    invariant: "I5",
    holds: "What a run was sent is numbered from 1 without gaps",
    sql: `SELECT r.id AS run_id, r.public_id AS run, coalesce(n.total, 0) || ' rows up to ' || coalesce(n.last, 0) || ', counted ' || r.inbox_seq AS found
      FROM run r LEFT JOIN (SELECT run_id, count(*) AS total, min(seq) AS first, max(seq) AS last FROM inbox GROUP BY run_id) n ON n.run_id = r.id
      WHERE r.inbox_seq <> coalesce(n.total, 0) OR r.inbox_seq <> coalesce(n.last, 0) OR coalesce(n.first, 1) <> 1`,
  },
  {
    id: "inbox-order",
    invariant: "I5",
    holds: "What a run was sent is used after it was accepted, and signals of a name in that order",
    sql: [
      `SELECT r.id AS run_id, r.public_id AS run, ${ROW} || ' was used before it came' AS found FROM ${INBOX} WHERE i.consumed_at < i.accepted_at`,
      `SELECT r.id AS run_id, r.public_id AS run, ${ROW} || ' was used before an older signal ' || i.name AS found FROM ${INBOX}
       WHERE i.kind = 'signal' AND EXISTS (SELECT 1 FROM inbox o WHERE o.run_id = i.run_id AND o.kind = 'signal' AND o.name = i.name
         AND o.seq < i.seq AND o.consumed_at > i.consumed_at)`,
    ].join(" UNION ALL "),
  },
  {
    id: "inbox-told",
    invariant: "I5",
    holds: "Somebody is told of what a parked run was sent",
    // too late for the wait is what came when it was over: time wakes the run then
    sql: `SELECT r.id AS run_id, r.public_id AS run, ${ROW} || ' is unread, and nobody looks' AS found FROM ${INBOX}
      WHERE i.consumed_at IS NULL AND ${PARKED} AND coalesce(r.reason, '') <> 'shutdown'
        AND NOT EXISTS (SELECT 1 FROM ready y WHERE y.owner = 0 AND y.run_id = r.id)
        AND (i.kind IN ('cancel', 'pause', 'resume', 'retry') OR EXISTS (SELECT 1 FROM wait w WHERE w.run_id = i.run_id
          AND (w.due_at IS NULL OR w.due_at > i.accepted_at)
          AND ((i.kind = 'signal' AND w.kind = 'signal' AND w.key = i.name)
            OR (i.kind IN ('task', 'child') AND w.kind = i.kind AND w.ordinal = i.ordinal))))`,
  },
  {
    id: "owner-known",
    invariant: "I4",
    holds: "A run belongs to an engine that the ledger knows and has not fenced, and to none once it has ended",
    sql: runs(
      "r.status || ', of engine ' || r.owner_epoch",
      `r.owner_epoch IS NOT NULL AND (r.finished_at IS NOT NULL OR r.owner_epoch IN (SELECT epoch FROM fenced)
       OR r.owner_epoch NOT IN (SELECT epoch FROM worker))`,
    ),
  },
  {
    id: "owner-lanes",
    invariant: "I4",
    holds: "A fenced engine has no lane left, through which it could write, and no list of what it was sent",
    sql: `SELECT 0 AS run_id, NULL AS run, 'lane ' || l.number || ' of engine ' || l.epoch || ' at ' || l.token AS found FROM lane l
        WHERE l.epoch IN (SELECT epoch FROM fenced) OR l.epoch NOT IN (SELECT epoch FROM worker) OR l.token < 0
      UNION ALL SELECT y.run_id, r.public_id AS run, 'it is listed for engine ' || y.owner AS found FROM ready y LEFT JOIN run r ON r.id = y.run_id
        WHERE r.id IS NULL OR y.seq > r.inbox_seq OR y.owner IN (SELECT epoch FROM fenced)
          OR (y.owner <> 0 AND y.owner NOT IN (SELECT epoch FROM worker))`,
  },
];

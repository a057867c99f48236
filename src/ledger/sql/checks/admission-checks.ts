import { type LedgerCheck, runs } from "./check.ts";

/** Whoever admits next hears of it. */
const IS_NOTED = "EXISTS (SELECT 1 FROM admission_note n WHERE n.run_id = r.id)";
const IS_IN_QUEUE = "EXISTS (SELECT 1 FROM queue_entry e JOIN queue_partition p ON p.id = e.partition_id WHERE e.run_id = r.id)";
const IS_READY = "EXISTS (SELECT 1 FROM ready y WHERE y.owner = 0 AND y.run_id = r.id)";
const NO_RUN = "CAST(NULL AS INTEGER) AS run_id, CAST(NULL AS TEXT) AS run";

/** What must hold of runs that wait for their turn, and of what they have to have it. */
export const ADMISSION_CHECKS: readonly LedgerCheck[] = [
  {
    id: "queue-asks",
    invariant: "I2",
    holds: "A run that waits for its turn is in the queue",
    sql: runs(
      "r.status || ', slots ' || coalesce('' || r.slots, 'none') || ', and nobody would admit it'",
      `r.finished_at IS NULL AND r.owner_epoch IS NULL AND r.paused_by IS NULL AND NOT ${IS_READY}
       AND ((r.slots = 2 AND NOT ${IS_NOTED} AND NOT ${IS_IN_QUEUE}) OR (r.status = 'QUEUED' AND coalesce(r.slots, -1) <> 2))`,
    ),
  },
  {
    id: "queue-order",
    invariant: "I2",
    holds: "Every partition of the queue has runs, stands where its first one does, and is counted once",
    sql: [
      `SELECT ${NO_RUN}, 'partition ' || p.name || ' begins at ' || p.head AS found FROM queue_partition p
       WHERE p.head <> coalesce((SELECT min(e.rank) FROM queue_entry e WHERE e.partition_id = p.id), p.head - 1)`,
      `SELECT ${NO_RUN}, 'tenant ' || t.tenant || ' has ' || t.ready || ' partitions ready in ' || t.worker_group AS found FROM turn t
       WHERE t.ready <> (SELECT count(*) FROM queue_partition p WHERE p.worker_group = t.worker_group AND p.tenant = t.tenant AND p.aside_for IS NULL)`,
      `SELECT ${NO_RUN}, 'limiter ' || l.name || ' has ' || l.aside || ' partitions aside' AS found FROM limiter l
       WHERE l.aside <> (SELECT count(*) FROM queue_partition p WHERE p.aside_for = l.id)`,
      `SELECT ${NO_RUN}, 'partition ' || p.name || ' stands aside for nothing' AS found FROM queue_partition p
       WHERE p.aside_for IS NOT NULL AND NOT EXISTS (SELECT 1 FROM limiter l WHERE l.id = p.aside_for)`,
    ].join(" UNION ALL "),
  },
  {
    id: "slots-held",
    invariant: "I2",
    holds: "Whoever holds a slot is at work, or keeps it until its end",
    sql: `SELECT s.run_id, coalesce(r.public_id, '') AS run, 'holds a slot of ' || coalesce(l.name, 'nothing') AS found
      FROM slot s LEFT JOIN run r ON r.id = s.run_id LEFT JOIN limiter l ON l.id = s.limiter_id
      WHERE l.id IS NULL OR (NOT EXISTS (SELECT 1 FROM admission_note n WHERE n.run_id = s.run_id)
        AND (r.id IS NULL OR r.finished_at IS NOT NULL OR (s.is_until_end = 0 AND coalesce(r.slots, 0) <> 1)))`,
  },
  {
    id: "slots-counted",
    invariant: "I2",
    holds: "A limit counts the slots that are held",
    sql: `SELECT ${NO_RUN}, 'limiter ' || l.name || ' counts ' || l.held AS found FROM limiter l
      WHERE l.held <> (SELECT count(*) FROM slot s WHERE s.limiter_id = l.id)`,
  },
];

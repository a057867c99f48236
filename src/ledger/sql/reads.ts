/**
 * Every read, written once. Placeholders are numbered; reads that serve a caller lead with the tenant. They read the views,
 * whose columns are the same on every backend.
 */
export const READS = {
  run: "SELECT * FROM run_row WHERE tenant = ?1 AND public_id = ?2",
  runById: "SELECT * FROM run_row WHERE id = ?1",
  runByKey: "SELECT * FROM run_row WHERE id = (SELECT id FROM run WHERE tenant = ?1 AND idempotency_scope = ?2 AND idempotency_key = ?3)",
  /** ?2 status or null, ?3 workflow or null, ?4 ids below, ?5 limit. */
  runs: `SELECT * FROM run_row WHERE tenant = ?1 AND id < ?4 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR workflow = ?3)
    ORDER BY id DESC LIMIT ?5`,
  stepRuns: "SELECT * FROM step_runs WHERE tenant = ?1 AND run_id = ?2 ORDER BY ordinal",
  attempts: `SELECT a.* FROM attempt a JOIN run r ON r.id = a.run_id WHERE r.tenant = ?1 AND r.public_id = ?2
    ORDER BY a.revision, a.ordinal, a.attempt`,
  history: "SELECT * FROM history WHERE tenant = ?1 AND run_id = ?2 ORDER BY revision, position, sequence, attempt",
  stepRows: `SELECT s.*, r.public_id, coalesce(s.path, d.path) AS step FROM step s JOIN run r ON r.id = s.run_id
    LEFT JOIN version_steps d ON d.version_id = r.version_id AND d.ordinal = s.ordinal WHERE s.key BETWEEN ?1 << 20 AND ?1 << 20 | 1048575 ORDER BY s.key`,
  waitRows: "SELECT * FROM wait WHERE run_id = ?1 ORDER BY ordinal",
  inboxRows: "SELECT * FROM inbox WHERE run_id = ?1 ORDER BY seq",
  openInbox: "SELECT * FROM inbox WHERE consumed_at IS NULL ORDER BY accepted_at, run_id, seq LIMIT ?1",
  openInboxHeads: "SELECT run_id, max(seq) AS seq FROM inbox WHERE consumed_at IS NULL GROUP BY run_id",
  version: "SELECT * FROM version WHERE id = ?1",
  versionByHash: "SELECT * FROM version WHERE tenant = ?1 AND workflow = ?2 AND hash = ?3",
  latestVersion: "SELECT * FROM version WHERE tenant = ?1 AND workflow = ?2 ORDER BY id DESC LIMIT 1",
  owner: "SELECT * FROM worker ORDER BY epoch DESC LIMIT 1",
  fact: "SELECT value FROM meta WHERE key = ?1",
  /** ?1 ids above, ?2 limit. */
  unfinishedAll: "SELECT * FROM run_row WHERE finished_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2",
  unfinishedQueued: "SELECT * FROM run_row WHERE status = 'QUEUED' AND id > ?1 ORDER BY id LIMIT ?2",
  /** ?1 ids above, ?2 limit, ?3 now. */
  unfinishedDue: `SELECT * FROM run_row WHERE status = 'SUSPENDED' AND owner_epoch IS NULL AND id > ?1
    AND id IN (SELECT run_id FROM wait WHERE due_at <= ?3) ORDER BY id LIMIT ?2`,
} as const;

/** Statements outside the hot path that change something, written once. */
export const COLD_WRITES = {
  reserveRunIds: "UPDATE meta SET value = value + ?1 WHERE key = 'next_run_id' RETURNING value - ?1 AS first",
  raiseClock: "UPDATE meta SET value = ?1 WHERE key = 'clock' AND value < ?1",
  own: `INSERT INTO worker (epoch, name, host, pid, version, owned_at)
    VALUES ((SELECT coalesce(max(epoch), 0) + 1 FROM worker), ?1, ?2, ?3, ?4, ?5) RETURNING epoch`,
  insertVersion: `INSERT INTO version (tenant, workflow, version, hash, definition, definition_crc, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id`,
  insertVersionStep: "INSERT INTO version_steps (version_id, ordinal, path, uses) VALUES (?1, ?2, ?3, ?4)",
  countInbox:
    "UPDATE run SET inbox_seq = inbox_seq + 1 WHERE tenant = ?1 AND public_id = ?2 AND finished_at IS NULL RETURNING id, inbox_seq AS seq",
  insertInbox: "INSERT INTO inbox (run_id, seq, kind, actor, accepted_at, payload, payload_crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
} as const;

import { StepwellError } from "../../model/errors.ts";
import type { Admissions, Claims, DueRun, Pickup } from "../claims.ts";
import type { OpenInboxRow } from "../rows.ts";
import { decodeDue, decodeOpenInbox } from "../sql/decode-waiting.ts";
import type { RawRow } from "../sql/fields.ts";
import { IS_AWAITED, PARKED, PARKED_UNTIL } from "../sql/reads.ts";
import { SqlAdmission } from "../sql/sql-admission.ts";
import type { SqlBackend } from "../sql/sql-backend.ts";
import { type Connections, prepared } from "./connections.ts";

/**
 * The worker that asks, ?1, unless it is fenced. Its row is locked as a batch locks it: a claim that arrives while the fence is being set waits
 * for it and takes nothing, and one that comes first is released with everything else that the worker has.
 */
const CLAIMANT_ROW = "SELECT epoch FROM worker WHERE epoch = ?1 AND fenced_at IS NULL FOR KEY SHARE";
const CLAIMANT = `claimant AS (${CLAIMANT_ROW})`;
const MAY_CLAIM = "EXISTS (SELECT 1 FROM claimant)";
/** Takes runs that a statement finds and nobody else is just taking. */
const taking = (found: string): string => `WITH ${CLAIMANT}, found AS (${found})
  UPDATE run SET owner_epoch = ?1 FROM found WHERE run.id = found.id RETURNING run.id`;

/** Whether the worker of ?2, its groups or null, drives a run. */
const IS_SERVED = "(?2::text[] IS NULL OR r.worker_group = ANY(?2))";

/** Of a wait: the worker of ?5, its operators or null, has what it is there for the want of. */
const IS_OFFERED = "w.kind = 'no_worker' AND (w.key = ANY(?5) OR ?5::text[] IS NULL)";
/**
 * ?1 the epoch, ?2 groups or null, ?3 ids above, ?4 limit. All begin with what is rare, and say so: without statistics the planner takes
 * parked runs for rare, and would look at each of them once a second.
 */
const CLAIMS: Readonly<Record<Pickup, string>> = {
  no_worker: taking(`SELECT r.id FROM run r WHERE ${MAY_CLAIM} AND r.finished_at IS NULL AND ${PARKED} AND r.id > ?3
    AND r.id = ANY(ARRAY(SELECT w.run_id FROM wait w WHERE ${IS_OFFERED} AND w.run_id > ?3))
    AND (${IS_SERVED} OR EXISTS (SELECT 1 FROM wait w WHERE w.run_id = r.id AND ${IS_OFFERED} AND w.key LIKE '@%'))
    ORDER BY r.id LIMIT ?4 FOR NO KEY UPDATE SKIP LOCKED`),
  left_behind: `WITH ${CLAIMANT}, taken AS (DELETE FROM ready WHERE ${MAY_CLAIM} AND owner = 0 AND run_id IN
      (SELECT y.run_id FROM ready y LEFT JOIN run r ON r.id = y.run_id WHERE y.owner = 0 AND y.run_id > ?3 AND (r.id IS NULL OR ${IS_SERVED})
        ORDER BY y.run_id LIMIT ?4 FOR UPDATE OF y SKIP LOCKED) RETURNING run_id)
    UPDATE run SET owner_epoch = ?1 FROM taken WHERE run.id = taken.run_id AND owner_epoch IS NULL AND finished_at IS NULL RETURNING run.id`,
};
/** ?2 groups or null, ?3 now, ?4 limit. A run may have several waits that are due. */
const CLAIM_DUE = `WITH ${CLAIMANT}, found AS (SELECT w.due_at, r.id FROM wait w
      JOIN LATERAL (SELECT r.id FROM run r WHERE r.id = w.run_id AND ${PARKED_UNTIL} AND ${IS_SERVED} FOR NO KEY UPDATE SKIP LOCKED) AS r ON true
    WHERE ${MAY_CLAIM} AND w.due_at <= ?3 ORDER BY w.due_at, w.run_id LIMIT ?4)
  UPDATE run SET owner_epoch = ?1 FROM (SELECT id, min(due_at) AS due_at FROM found GROUP BY id) AS f WHERE run.id = f.id
  RETURNING f.due_at, run.id AS run_id`;
const CLAIM_ONE = `WITH ${CLAIMANT} UPDATE run r SET owner_epoch = ?1 WHERE ${MAY_CLAIM} AND id = ?3 AND finished_at IS NULL AND (owner_epoch IS NULL OR owner_epoch = ?1)
  AND ${IS_SERVED} RETURNING id`;
const OWNED = "SELECT id FROM run WHERE finished_at IS NULL AND owner_epoch = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
const MAIL = "SELECT run_id, seq FROM ready WHERE owner = ?1 ORDER BY run_id LIMIT ?2";
const MAIL_ROWS = `SELECT i.*, ${IS_AWAITED} AS is_awaited FROM inbox i WHERE i.consumed_at IS NULL AND i.run_id = ANY(?1) ORDER BY i.id`;
const MAIL_READ = `DELETE FROM ready AS r USING unnest(?2::bigint[], ?3::bigint[]) AS d(run_id, seq)
  WHERE r.owner = ?1 AND r.run_id = d.run_id AND r.seq <= d.seq`;

export interface ClaimingBackend extends Pick<SqlBackend, "search" | "within"> {
  readonly connections: Connections;
  /** Undefined while no engine owns the ledger through this connection. */
  readonly epoch: number | undefined;
  now(): Promise<number>;
}

/** How one engine takes runs of a ledger that it shares with others: what it is given is its own until it parks it, ends it or is fenced. */
export class PostgresClaims implements Claims {
  readonly #backend: ClaimingBackend;
  readonly #admission: SqlAdmission;
  /** An answer was lost: there may be runs that are this engine's without its knowledge. */
  #mustReconcile = false;
  /** Mail that was given, and the id of its last row if it had any: to be asked for what follows that is to have delivered it. */
  #given: readonly RawRow[] = [];
  #lastGiven: number | undefined;

  constructor(backend: ClaimingBackend) {
    this.#backend = backend;
    this.#admission = new SqlAdmission(backend);
  }

  /** The worker of these groups owns the ledger now. */
  ownedFor(workerGroups: readonly string[] | null): void {
    this.#admission.workerGroups = workerGroups;
  }

  async admit(epoch: number, limit: number): Promise<Admissions> {
    try {
      return await this.#admission.admit(epoch, limit, function* (transaction) {
        return (yield* transaction.rows(CLAIMANT_ROW, epoch)).length > 0;
      });
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** In id order. */
  async runs(pickup: Pickup, afterId: number, limit: number, operators?: readonly string[]): Promise<readonly number[]> {
    const { workerGroups } = this.#admission;
    if (pickup === "no_worker") return idsOf(await this.#claim(CLAIMS.no_worker, workerGroups, afterId, limit, operators ?? null));
    const ids = await this.#claim(CLAIMS.left_behind, workerGroups, afterId, limit);
    if (!this.#mustReconcile) return idsOf(ids);
    const owned = idsOf(await this.#claim(OWNED, afterId, limit));
    if (owned.length < limit) this.#mustReconcile = false;
    return [...new Set([...idsOf(ids), ...owned])].toSorted((a, b) => a - b);
  }

  async due(_after: DueRun | undefined, limit: number): Promise<readonly DueRun[]> {
    const due = (await this.#claim(CLAIM_DUE, this.#admission.workerGroups, await this.#backend.now(), limit)).map(decodeDue);
    return due.toSorted((a, b) => a.dueAt - b.dueAt || a.runId - b.runId);
  }

  /** Whether the run is this engine's from now on. */
  async one(runId: number): Promise<boolean> {
    return (await this.#claim(CLAIM_ONE, this.#admission.workerGroups, runId)).length > 0;
  }

  /** What runs of this engine were sent by others. It is given again until it is asked for what follows it. */
  async sent(afterId: number, limit: number): Promise<readonly OpenInboxRow[]> {
    if (this.#given.length > 0 && (this.#lastGiven === undefined || afterId === this.#lastGiven)) {
      const [runs, seqs] = [this.#given.map((row) => row["run_id"]), this.#given.map((row) => row["seq"])];
      await this.#claim(MAIL_READ, runs, seqs);
      this.#given = [];
    }
    const mail = await this.#claim(MAIL, limit);
    const rows = mail.length === 0 ? [] : await this.#ask(MAIL_ROWS, [mail.map((row) => row["run_id"])]);
    const sent = rows.map(decodeOpenInbox);
    this.#given = mail;
    this.#lastGiven = sent.at(-1)?.id;
    return sent;
  }

  async #claim(sql: string, ...values: readonly unknown[]): Promise<readonly RawRow[]> {
    const { epoch } = this.#backend;
    if (epoch === undefined) return [];
    try {
      return await this.#ask(sql, [epoch, ...values]);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    if (error instanceof StepwellError && error.code === "LEDGER_UNREACHABLE") this.#mustReconcile = true;
  }

  #ask(sql: string, values: readonly unknown[]): Promise<readonly RawRow[]> {
    return this.#backend.connections.with(
      "writers",
      async (client) => (await client.query<RawRow>({ ...prepared(sql), values: [...values] })).rows,
    );
  }
}

const idsOf = (rows: readonly RawRow[]): readonly number[] => rows.map((row) => Number(row["id"])).toSorted((a, b) => a - b);

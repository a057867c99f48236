import type { Family, RetainedRun, RetainedRuns, TableOfRuns } from "../transaction.ts";
import type { Work } from "../work.ts";
import { type RawRow, runFields } from "./fields.ts";
import { RUN_STATUSES } from "./words.ts";

/** A list of ids, which is the first placeholder. */
const GIVEN = "json_each(?1) given";
const GIVEN_ID = "CAST(given.value AS INTEGER)";
const COLUMNS = "r.id, r.public_id, v.workflow, r.status, r.parent_run_id, r.created_at, r.finished_at";

/** ?1 the ids of those at the top. A row for each run of a family, with its root. */
const FAMILIES = `WITH RECURSIVE family (root_id, id) AS (SELECT ${GIVEN_ID}, ${GIVEN_ID} FROM ${GIVEN}
  UNION ALL SELECT f.root_id, r.id FROM family f CROSS JOIN run r ON r.parent_run_id = f.id)`;

/** Deletes what a table has of given runs, ?2 rows at most. */
const clearing = (table: TableOfRuns, key: readonly string[], join: string): string =>
  `DELETE FROM ${table} WHERE (${key.join(", ")}) IN (SELECT ${key.map((column) => `t.${column}`).join(", ")}
    FROM ${GIVEN} CROSS JOIN ${table} t ON ${join} LIMIT ?2) RETURNING 1 AS gone`;
const OF_RUN = `t.run_id = ${GIVEN_ID}`;

export const RETENTION = {
  page: `SELECT ${COLUMNS} FROM run r CROSS JOIN version v ON v.id = r.version_id WHERE r.tenant = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3`,
  some: `SELECT ${COLUMNS} FROM ${GIVEN} CROSS JOIN run r ON r.id = ${GIVEN_ID} CROSS JOIN version v ON v.id = r.version_id ORDER BY r.id`,
  families: `${FAMILIES} SELECT f.root_id, count(*) AS runs, count(r.finished_at) AS ended, max(r.finished_at) AS last_end_at,
      max(CASE WHEN r.idempotency_key IS NOT NULL THEN r.created_at END) AS newest_key_at
    FROM family f CROSS JOIN run r ON r.id = f.id GROUP BY f.root_id`,
  members: `${FAMILIES} SELECT id FROM family LIMIT ?2`,
  children: `SELECT r.id FROM ${GIVEN} CROSS JOIN run r ON r.parent_run_id = ${GIVEN_ID} LIMIT ?2`,
  note: `INSERT INTO removed_run (run_id) SELECT ${GIVEN_ID} FROM ${GIVEN}`,
  remove: `DELETE FROM run WHERE id IN (SELECT ${GIVEN_ID} FROM ${GIVEN})`,
  removed: "SELECT run_id FROM removed_run ORDER BY run_id LIMIT ?1",
  forget: `DELETE FROM removed_run WHERE run_id IN (SELECT ${GIVEN_ID} FROM ${GIVEN})
    AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.run_id = removed_run.run_id)`,
} as const;

export const CLEARING: Readonly<Record<TableOfRuns, string>> = {
  step: clearing("step", ["key"], `t.key BETWEEN ${GIVEN_ID} << 28 AND ${GIVEN_ID} << 28 | 268435455`),
  attempt: clearing("attempt", ["run_id", "ordinal", "attempt"], OF_RUN),
  event: clearing("event", ["id"], OF_RUN),
  wait: clearing("wait", ["run_id", "ordinal"], OF_RUN),
  // SQLite would give the id of the last row out again, below those behind which engines look for new ones
  inbox: clearing("inbox", ["id"], `${OF_RUN} AND t.id < (SELECT max(id) FROM inbox)`),
  subscription: clearing("subscription", ["id"], OF_RUN),
  task: clearing("task", ["id"], OF_RUN),
};

interface Statements {
  rows(sql: string, ...values: readonly (string | number)[]): Work<readonly RawRow[]>;
}

/** On a connection, in a transaction or not; what deletes wants one. */
export class SqlRetainedRuns implements RetainedRuns {
  readonly #connection: Statements;

  constructor(connection: Statements) {
    this.#connection = connection;
  }

  *page(tenant: string, afterId: number, limit: number): Work<readonly RetainedRun[]> {
    return (yield* this.#connection.rows(RETENTION.page, tenant, afterId, limit)).map(decodeRetained);
  }

  *some(runIds: readonly number[]): Work<readonly RetainedRun[]> {
    return (yield* this.#about(RETENTION.some, runIds)).map(decodeRetained);
  }

  *families(runIds: readonly number[]): Work<readonly Family[]> {
    return (yield* this.#about(RETENTION.families, runIds)).map(decodeFamily);
  }

  *members(runIds: readonly number[], limit: number): Work<readonly number[]> {
    return idsOf(yield* this.#about(RETENTION.members, runIds, limit), "id");
  }

  *children(runIds: readonly number[], limit: number): Work<readonly number[]> {
    return idsOf(yield* this.#about(RETENTION.children, runIds, limit), "id");
  }

  *remove(runIds: readonly number[]): Work<void> {
    yield* this.#about(RETENTION.note, runIds);
    yield* this.#about(RETENTION.remove, runIds);
  }

  *removed(limit: number): Work<readonly number[]> {
    return idsOf(yield* this.#connection.rows(RETENTION.removed, limit), "run_id");
  }

  *clear(table: TableOfRuns, runIds: readonly number[], limit: number): Work<number> {
    return (yield* this.#about(CLEARING[table], runIds, limit)).length;
  }

  *forget(runIds: readonly number[]): Work<void> {
    yield* this.#about(RETENTION.forget, runIds);
  }

  #about(sql: string, runIds: readonly number[], ...values: readonly number[]): Work<readonly RawRow[]> {
    return this.#connection.rows(sql, JSON.stringify(runIds), ...values);
  }
}

const idsOf = (rows: readonly RawRow[], column: string): readonly number[] => rows.map((row) => Number(row[column]));

function decodeRetained(row: RawRow): RetainedRun {
  const fields = runFields(row, "public_id");
  return {
    id: fields.integer("id"),
    publicId: fields.text("public_id"),
    workflow: fields.text("workflow"),
    status: fields.oneOf(RUN_STATUSES, "status"),
    parentRunId: fields.integerOrNull("parent_run_id"),
    createdAt: fields.integer("created_at"),
    finishedAt: fields.integerOrNull("finished_at"),
  };
}

function decodeFamily(row: RawRow): Family {
  const fields = runFields(row, "root_id");
  return {
    rootId: fields.integer("root_id"),
    runs: fields.integer("runs"),
    ended: fields.integer("ended"),
    lastEndAt: fields.integerOrNull("last_end_at"),
    newestKeyAt: fields.integerOrNull("newest_key_at"),
  };
}

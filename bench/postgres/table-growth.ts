import { query } from "../../test/fixtures/postgres/new-database.ts";

/** What plain runs leave in a database, once they have ended. */
export interface Growth {
  /** The table of steps with its indexes. */
  readonly bytesPerStep: number;
  /** All tables with their indexes. */
  readonly bytesPerRun: number;
  /** Rows that were replaced or deleted, less one for each end of a step and of a run. */
  readonly deadPerRun: number;
  /** Of all updates those that touched no index and left the page alone. */
  readonly hotPercent: number;
  readonly walPerRun: number;
}

const TABLES = `SELECT relname AS name, pg_total_relation_size(relid) AS bytes, n_tup_upd AS updated, n_tup_hot_upd AS hot, n_tup_del AS deleted
  FROM pg_stat_user_tables WHERE schemaname = 'stepwell'`;

/** Vacuums the database and measures it; all that is in there are runs of so many steps that have ended. */
export async function growthOf(url: string, stepsPerRun: number): Promise<Omit<Growth, "walPerRun">> {
  const [counted] = await query(url, "SELECT count(*) AS runs FROM stepwell.run");
  const runs = Number(counted?.["runs"]);
  await query(url, "VACUUM");
  const tables = await query(url, TABLES);
  const sum = (column: string): number => tables.reduce((total, row) => total + Number(row[column]), 0);
  const steps = tables.find(({ name }) => name === "step");
  return {
    bytesPerStep: Number(steps?.["bytes"]) / (runs * stepsPerRun),
    bytesPerRun: sum("bytes") / runs,
    deadPerRun: (sum("updated") + sum("deleted")) / runs - (stepsPerRun + 1),
    hotPercent: (sum("hot") / sum("updated")) * 100,
  };
}

import { invariant } from "../../model/errors.ts";
import type { RawRow } from "../sql/fields.ts";
import { FEW_ROWS, LAST_ORDINAL } from "../sql/load-run.ts";
import { READS } from "../sql/reads.ts";
import type { SqlConnection } from "../sql/transaction.ts";
import { done, type Work } from "../work.ts";
import { SERVER_TIME } from "./functions.ts";

const ALL_STEPS = READS.stepRows.replaceAll("?2", "0").replaceAll("?3", String(LAST_ORDINAL));
const listOf = (read: string): string => `(SELECT json_agg(f) FROM (${read}) AS f)`;

/**
 * What `loadRun` reads of most runs, in one statement: it sees one state without a transaction around it, and costs one round trip
 * instead of six. Steps are left out where there may be many.
 */
export const GATHER = `SELECT ${listOf(READS.storedRun)} AS run, ${listOf(READS.lastOrdinal)} AS last, ${listOf(READS.waitRows)} AS waits,
  ${listOf(READS.inboxRows)} AS inbox,
  CASE WHEN coalesce((${READS.lastOrdinal}), -1) < ${FEW_ROWS} THEN coalesce(${listOf(ALL_STEPS)}, '[]') END AS steps,
  ${SERVER_TIME} AS now`;

/** By the read that the members of that row answer. */
const MEMBERS: ReadonlyMap<string, string> = new Map([
  [READS.storedRun, "run"],
  [READS.lastOrdinal, "last"],
  [READS.waitRows, "waits"],
  [READS.inboxRows, "inbox"],
  [READS.stepRows, "steps"],
]);

/** Answers the reads of one run from what that statement found; of another run, or of a part of its steps, nobody asks. */
export class GatheredRun implements Pick<SqlConnection, "rows"> {
  readonly #row: RawRow;

  constructor(row: RawRow) {
    this.#row = row;
  }

  /** Whether it holds all that there is to know: of a run that may have many steps, reads must choose among them. */
  get isWhole(): boolean {
    return this.#row["steps"] !== null;
  }

  rows(sql: string): Work<readonly RawRow[]> {
    const member = MEMBERS.get(sql);
    invariant(member !== undefined, "a run of few steps is read as it was gathered");
    const found: unknown = this.#row[member];
    return done(Array.isArray(found) ? found : []);
  }
}

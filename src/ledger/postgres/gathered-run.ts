import { invariant } from "../../model/errors.ts";
import type { RawRow } from "../sql/fields.ts";
import { FEW_ROWS, LAST_ORDINAL } from "../sql/load-run.ts";
import { READS } from "../sql/reads.ts";
import type { SqlConnection } from "../sql/transaction.ts";
import { done, type Work } from "../work.ts";
import { type Connections, prepared } from "./connections.ts";
import { SERVER_TIME } from "./functions.ts";

const ofEach = (read: string): string => read.replaceAll("?1", "asked.id");
const ALL_STEPS = READS.stepRows.replaceAll("?2", "0").replaceAll("?3", String(LAST_ORDINAL));
const listOf = (read: string): string => `(SELECT json_agg(f) FROM (${ofEach(read)}) AS f)`;

/**
 * What `loadRun` reads of most runs, ?1, a row for each: it sees one state without a transaction around it, and costs one round trip
 * instead of six for each of them. Steps are left out where there may be many; of a run that has none they are not looked for.
 */
const GATHER = `SELECT asked.id, ${listOf(READS.storedRun)} AS run, json_build_array(last) AS last, ${listOf(READS.waitRows)} AS waits,
  ${listOf(READS.inboxRows)} AS inbox,
  CASE WHEN last.ordinal IS NULL THEN '[]' WHEN last.ordinal < ${FEW_ROWS} THEN coalesce(${listOf(ALL_STEPS)}, '[]') END AS steps,
  (SELECT ${SERVER_TIME}) AS now FROM unnest(?1::bigint[]) AS asked(id) LEFT JOIN LATERAL (${ofEach(READS.lastOrdinal)}) AS last ON true`;
/** What is read of them stands in memory twice for a moment. */
const RUNS_AT_ONCE = 32;

/** By the read that the members of that row answer. */
const MEMBERS: ReadonlyMap<string, string> = new Map([
  [READS.storedRun, "run"],
  [READS.lastOrdinal, "last"],
  [READS.waitRows, "waits"],
  [READS.inboxRows, "inbox"],
  [READS.stepRows, "steps"],
]);

/** Reads runs; those that are asked for in one turn share statements. */
export class RunReader {
  readonly #connections: Connections;
  #asked = new Map<number, PromiseWithResolvers<RawRow>>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** What GATHER finds of the run. */
  read(runId: number): Promise<RawRow> {
    if (this.#asked.size === 0) queueMicrotask(() => this.#send());
    const asked = this.#asked.get(runId) ?? Promise.withResolvers<RawRow>();
    this.#asked.set(runId, asked);
    return asked.promise;
  }

  #send(): void {
    const asked = [...this.#asked];
    this.#asked = new Map();
    for (let first = 0; first < asked.length; first += RUNS_AT_ONCE) void this.#gather(asked.slice(first, first + RUNS_AT_ONCE));
  }

  /** On a connection whose plans find rows by index. */
  async #gather(asked: readonly (readonly [number, PromiseWithResolvers<RawRow>])[]): Promise<void> {
    try {
      const runIds = asked.map(([runId]) => runId);
      const { rows } = await this.#connections.with("writers", (client) => client.query<RawRow>({ ...prepared(GATHER), values: [runIds] }));
      const found = new Map(rows.map((row) => [row["id"], row]));
      for (const [runId, { resolve }] of asked) resolve(found.get(runId) ?? {});
    } catch (cause) {
      for (const [, { reject }] of asked) reject(cause);
    }
  }
}

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

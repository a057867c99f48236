import { describe, expect, test } from "vitest";
import { query } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { WORKER } from "../../testing/conformance/ledger/kit.ts";
import type { Ledger } from "../port.ts";
import { openPostgresLedger } from "./ledger.ts";

const RUNS = 10_000;
const LOOKS = 40;
const GIVEN = 2;
const AT = 1_000;
/** A worker that ends looks three times for runs of its own among all that are unfinished, and a look finds some dozen rows. */
const MOST = RUNS * 4;

const TABLES = ["run", "wait", "admission_note", "limiter", "queue_partition", "queue_entry", "turn"];
const WITHOUT_STATISTICS = TABLES.map((table) => `ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
const EVERY_RUN = `FROM generate_series(1, ${RUNS}) i`;
const VERSION =
  "INSERT INTO version (id, tenant, workflow, hash, definition, definition_crc, created_at) VALUES (1, 'default', 'w', 'h', '{}', 0, 0)";
const runs = (
  status: "QUEUED" | "SUSPENDED",
  slots: 2 | null,
) => `INSERT INTO run (id, public_id, version_id, status, input, initiator, trigger,
  environment, created_at, slots, created_revision, revision, input_crc) SELECT i, 'r' || i, 1, '${status}', '{}', 'api', 'call', 'test', 0, ${slots}, 1, 1, 0 ${EVERY_RUN}`;

/** Runs that are parked until a time, all but some in an hour. */
const PARKED = [
  runs("SUSPENDED", null),
  `INSERT INTO wait (run_id, ordinal, kind, due_at, since) SELECT i, 0, 'timer', CASE WHEN i % 100 = 0 THEN ${AT} ELSE 3600000 END, 0 ${EVERY_RUN}`,
];
/** Runs in one partition, and as many others, each of a tenant of its own, that stand aside. */
const QUEUED = [
  runs("QUEUED", 2),
  `INSERT INTO queue_entry SELECT 1, i, i ${EVERY_RUN}`,
  `INSERT INTO queue_partition SELECT i, 'p' || i, 'default', 't' || i, '[]', i, CASE WHEN i = 1 THEN NULL ELSE 1 END ${EVERY_RUN}`,
  `INSERT INTO limiter SELECT i, 't' || i, 'l', 1, 1, 1000, 1, 0, 0, 1, 0 ${EVERY_RUN}`,
  `INSERT INTO turn SELECT 'default', 't' || i, CASE WHEN i = 1 THEN 1 ELSE 0 END, 0 ${EVERY_RUN}`,
  `INSERT INTO admission_note (run_id, note, due_at) SELECT i, 'asks', 3600000 ${EVERY_RUN}`,
];

/** Everything that an engine asks for again and again; returns how many runs it was given. */
async function look(ledger: Ledger, epoch: number): Promise<number> {
  const { runs: admitted } = await ledger.claims.admit(epoch, GIVEN);
  await ledger.waits.nextDue();
  await ledger.claims.runs("left_behind", 0, 200);
  await ledger.claims.runs("no_worker", 0, 200, ["one"]);
  return admitted.length + (await ledger.claims.due(undefined, GIVEN)).length;
}

/** Rows that sessions which have ended found in the tables of a schema. */
async function foundIn(server: string, schema: string): Promise<number> {
  const [row] = await query(
    server,
    `SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = '${schema}')
       + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = '${schema}') AS found`,
  );
  return Number(row?.["found"]);
}

/**
 * Without statistics, and with statements that were prepared while the tables were empty: so it is on the first day of a ledger, and in the
 * minutes before autovacuum comes.
 */
describe("what an engine asks for again and again", () => {
  const database = sharedDatabase();

  test.each([
    ["parked", PARKED],
    ["queued", QUEUED],
  ])("reads a few rows, however many runs are %s", async (schema, fill) => {
    const server = await database();
    const ledger = await openPostgresLedger({ url: `${server}?schema=${schema}`, clock: { now: () => AT } });
    const { epoch } = await ledger.own(WORKER);
    await look(ledger, epoch);
    await query(server, [`SET search_path = ${schema}`, ...WITHOUT_STATISTICS, VERSION, ...fill].join(";"));
    const before = await foundIn(server, schema);
    let given = 0;
    for (let n = 0; n < LOOKS; n++) given += await look(ledger, epoch);
    // sessions tell what they did when they end
    await ledger.close();
    expect(given).toBe(LOOKS * GIVEN);
    const found = (await foundIn(server, schema)) - before;
    expect(found).toBeGreaterThan(LOOKS * GIVEN);
    expect(found).toBeLessThan(MOST);
  });
});

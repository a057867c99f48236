import { describe, expect, test } from "vitest";
import { MIGRATIONS, type Migration } from "../../../src/ledger/migrations/migrations.ts";
import { Connections } from "../../../src/ledger/postgres/connections.ts";
import { migratePostgres } from "../../../src/ledger/postgres/migrate.ts";
import { placeOf } from "../../../src/ledger/postgres/settings.ts";
import { openLedger, verifyLedger } from "../../../src/ledger/url.ts";
import { Stepwell } from "../../../src/main/stepwell.ts";
import { openSession, query } from "../../fixtures/postgres/database.ts";
import { sharedDatabase } from "../../fixtures/postgres/file-database.ts";
import { startProxy } from "../../fixtures/postgres/proxy.ts";

const NEXT = MIGRATIONS.length + 1;
/** Tables that the present version reads whole rows of. */
const WIDENED = ["run", "step", "attempt", "wait", "inbox", "version", "worker", "subscription", "event_kept"];
/** What a version that is to come may do to a ledger while the present one works on it. */
const EXPANDING: Migration = {
  number: NEXT,
  name: "expanding",
  compatibleFrom: MIGRATIONS.length,
  sql: "CREATE TABLE remark (run_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
  postgres: WIDENED.map((table) => `ALTER TABLE ${table} ADD COLUMN remark TEXT;`).join("\n"),
};
const DEFINITION = { name: "signed", steps: [{ id: "paid", uses: "wait", with: { signal: "paid" } }] };

const database = sharedDatabase();

/** Brings the ledger to a version that has one migration more. */
async function expand(url: string, migration: Migration = EXPANDING): Promise<void> {
  const connections = await Connections.open(placeOf(url), 60_000);
  try {
    await migratePostgres(connections, [...MIGRATIONS, migration], true);
  } finally {
    await connections.close();
  }
}

/** At work on a ledger, with a workflow whose runs wait for a signal. */
async function engineOn(url: string): Promise<Stepwell> {
  const stepwell = new Stepwell({ ledger: await openLedger(url) });
  await stepwell.register(DEFINITION);
  return stepwell;
}

async function expectSuccess(stepwell: Stepwell, run: string): Promise<void> {
  await stepwell.signal(run, "paid");
  expect((await stepwell.result(run)).status).toBe("SUCCEEDED");
}

/** Everything that the connections of an engine can be asked, on each of them. */
async function readAll(stepwell: Stepwell, run: string): Promise<void> {
  const reads = [() => stepwell.get(run), () => stepwell.explain(run), () => stepwell.list(), () => stepwell.signal(run, "note")];
  await Promise.all(Array.from({ length: 8 }, () => reads.map((read) => read())).flat());
}

describe("P15 two versions side by side", () => {
  test("F80 an engine at work goes on over a migration that only adds, and another of its version may still be started", async () => {
    const url = `${await database()}?schema=widened`;
    await using stepwell = await engineOn(url);
    const [first, second] = [await stepwell.start("signed"), await stepwell.start("signed")];
    await readAll(stepwell, first);
    await expand(url);
    await readAll(stepwell, first);
    await expectSuccess(stepwell, first);
    await stepwell.stop();
    await using later = new Stepwell({ ledger: await openLedger(url) });
    await expectSuccess(later, second);
    expect((await verifyLedger(url)).checks.filter(({ count }) => count > 0)).toEqual([]);
  });

  test("F80 a migration that takes something away is not for the version before", async () => {
    const url = `${await database()}?schema=narrowed`;
    await (await openLedger(url)).close();
    await expand(url, { ...EXPANDING, compatibleFrom: NEXT });
    await expect(openLedger(url)).rejects.toMatchObject({ code: "LEDGER_SCHEMA_NEWER" });
  });

  test("F80 a migration waits a second for a lock, and leaves everything as it was when it does not get it", async () => {
    const server = await database();
    const url = `${server}?schema=held`;
    await using stepwell = await engineOn(url);
    const run = await stepwell.start("signed");
    await using reader = await openSession(server);
    await reader.run("SELECT count(*) FROM held.wait");
    const migrated = expect(expand(url)).rejects.toMatchObject({ code: "LEDGER_BUSY", data: { sqlState: "55P03" } });
    await reader.blocks(1);
    await expectSuccess(stepwell, run);
    await migrated;
    expect(await query(server, "SELECT number FROM held.migration")).toHaveLength(MIGRATIONS.length);
    expect(await query(server, "SELECT 1 FROM pg_attribute WHERE attname = 'remark' AND attrelid::regclass::text LIKE 'held.%'")).toEqual(
      [],
    );
    await reader.end("ROLLBACK");
    await expand(url);
    expect(await query(server, "SELECT number FROM held.migration")).toHaveLength(NEXT);
  });

  test("F44 F80 a read that the server ends for the sake of a migration is done again", async () => {
    const server = await database();
    const ledger = await openLedger(`${server}?schema=crossed`);
    await using migrating = await openSession(server);
    await migrating.run("LOCK TABLE crossed.run IN ACCESS EXCLUSIVE MODE");
    const read = ledger.waits.listSignals("default", "nobody");
    await migrating.blocks(1);
    // each waits for the other now, and the one that has waited for longer is ended
    await migrating.run("LOCK TABLE crossed.inbox IN ACCESS EXCLUSIVE MODE");
    await migrating.end("COMMIT");
    await expect(read).resolves.toEqual([]);
    await ledger.close();
  });

  test("F80 a migration whose process hangs holds its locks for a second at most", async () => {
    const server = await database();
    const url = `${server}?schema=hanging`;
    await using stepwell = await engineOn(url);
    const run = await stepwell.start("signed");
    await using proxy = await startProxy(server);
    const held = proxy.holdRequest("INSERT INTO migration");
    const hung = expect(expand(`${proxy.url}?schema=hanging`)).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
    await held;
    await expectSuccess(stepwell, run);
    await hung;
    await expand(url);
    expect(await query(server, "SELECT number FROM hanging.migration")).toHaveLength(NEXT);
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "../../testing/conformance/ledger/kit.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import { openDatabase } from "./connection.ts";
import { openSqliteLedger } from "./ledger.ts";
import { migrate } from "./migrate.ts";

const DUMP = new URL("../migrations/schema.sql", import.meta.url);
const NEXT = MIGRATIONS.length + 1;
const EXTRA = {
  number: NEXT,
  name: "extra",
  compatibleFrom: NEXT,
  sql: "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT;",
  postgres: "",
};

let directory = "";
let file = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stepwell-migrate-"));
  file = join(directory, "ledger.db");
});

afterEach(() => rmSync(directory, { recursive: true }));

/** The schema as text: what `sqlite3 FILE .schema` prints, in an order that does not depend on history. */
function schemaOf(db: DatabaseSync): string {
  const rows = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name").all();
  return rows.map((row) => `${String(row["sql"])};\n`).join("\n");
}

describe("migrations", () => {
  test("a fresh install equals the checked-in dump (STEPWELL_WRITE_SCHEMA=1 writes it)", async () => {
    const db = await openDatabase(file, 50);
    if (process.env["STEPWELL_WRITE_SCHEMA"] === "1") writeFileSync(DUMP, schemaOf(db));
    expect(schemaOf(db)).toBe(readFileSync(DUMP, "utf8"));
    db.close();
  });

  test("numbers follow each other without a gap", () => {
    expect(MIGRATIONS.map((migration) => migration.number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  test("a ledger that is up to date is opened without writing", async () => {
    (await openDatabase(file, 50)).close();
    const before = readFileSync(file);
    (await openDatabase(file, 50)).close();
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("an older ledger gets what it lacks, once, and keeps its rows", async () => {
    const db = await openDatabase(file, 50);
    db.exec("UPDATE meta SET value = 42 WHERE key = 'next_run_id'");
    for (let round = 0; round < 2; round++) migrate(db, file, [...MIGRATIONS, EXTRA]);
    expect(db.prepare("SELECT number, name FROM migration ORDER BY number").all()).toHaveLength(MIGRATIONS.length + 1);
    expect(db.prepare("SELECT value FROM meta WHERE key = 'next_run_id'").get()).toEqual({ value: 42 });
    db.close();
  });

  test("a migration that breaks leaves the ledger as it was", async () => {
    const db = await openDatabase(file, 50);
    const before = schemaOf(db);
    db.close();
    const again = new DatabaseSync(file);
    expect(() => migrate(again, file, [...MIGRATIONS, { ...EXTRA, sql: `${EXTRA.sql} CREATE TABLE run (id);` }])).toThrow("run");
    again.close();
    const whole = await openDatabase(file, 50);
    expect(schemaOf(whole)).toBe(before);
    whole.close();
  });

  test("a ledger that needs a newer version is LEDGER_SCHEMA_NEWER, one with a migration that only adds is opened", async () => {
    const db = await openDatabase(file, 50);
    migrate(db, file, [...MIGRATIONS, { ...EXTRA, compatibleFrom: MIGRATIONS.length }]);
    await (await openSqliteLedger({ file })).close();
    migrate(db, file, [...MIGRATIONS, EXTRA, { ...EXTRA, number: NEXT + 1, compatibleFrom: NEXT, sql: "" }]);
    db.close();
    expect((await refusal(openSqliteLedger({ file }))).code).toBe("LEDGER_SCHEMA_NEWER");
  });

  test("a ledger whose migration was altered is LEDGER_CORRUPT", async () => {
    const db = await openDatabase(file, 50);
    db.exec("UPDATE migration SET checksum = 'other' WHERE number = 1");
    db.close();
    const refused = await refusal(openSqliteLedger({ file }));
    expect(refused).toMatchObject({ code: "LEDGER_CORRUPT", message: expect.stringContaining("migration 1") });
  });

  test("another program's database is refused and left alone", async () => {
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE songs (title TEXT)");
    db.close();
    const before = readFileSync(file);
    expect((await refusal(openSqliteLedger({ file }))).code).toBe("LEDGER_CORRUPT");
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("what is opened is durable: WAL, FULL, and the page cache that was measured", async () => {
    const db = await openDatabase(file, 50);
    const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(["journal_mode", "synchronous", "fullfsync", "foreign_keys", "cache_size", "wal_autocheckpoint"].map(pragma)).toEqual([
      "wal",
      2,
      1,
      1,
      -8_192,
      1_000,
    ]);
    db.close();
  });

  test("a database that cannot be as durable as promised is refused", async () => {
    expect((await refusal(openDatabase(":memory:", 50))).code).toBe("LEDGER_UNAVAILABLE");
  });
});

import { describe, expect, test } from "vitest";
import { createDatabase, query } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { closedPort } from "../../../test/fixtures/postgres/proxy.ts";
import { refusal, WORKER } from "../../testing/conformance/ledger/kit.ts";
import { MIGRATIONS } from "../migrations/migrations.ts";
import { Connections } from "./connections.ts";
import { openPostgresLedger } from "./ledger.ts";
import { migratePostgres } from "./migrate.ts";
import { placeOf } from "./settings.ts";

const opened = (url: string) => refusal(openPostgresLedger({ url }));

function changed(url: string, change: (parsed: URL) => void): string {
  const parsed = new URL(url);
  change(parsed);
  return parsed.href;
}

describe("a ledger in PostgreSQL that cannot be opened", () => {
  const database = sharedDatabase();

  test.each([
    ["postgres://", "names no database"],
    ["postgres://host", "names no database"],
    ["postgres://host:port/db", "cannot be read"],
    ["postgres://host/db?schema=a-b", '"a-b" cannot be the name'],
  ])("says what is wrong with the URL %s", async (url, message) => {
    const error = await opened(url);
    expect(error).toMatchObject({ code: "USAGE", hint: expect.stringContaining("postgres://user:password@host") });
    expect(error.message).toContain(message);
  });

  test("says that nobody listens, whichever address the name has", async () => {
    const port = String(await closedPort());
    for (const hostname of ["127.0.0.1", "localhost"]) {
      const error = await opened(changed(await database(), (url) => Object.assign(url, { port, hostname })));
      expect(error).toMatchObject({ code: "LEDGER_UNREACHABLE", hint: expect.stringContaining("server runs") });
      expect(error.message).toMatch(/ECONNREFUSED .*:\d+/);
    }
  });

  test("says that the password is wrong, or missing, and tells it to nobody", async () => {
    for (const password of ["not-the-password", ""]) {
      const error = await opened(changed(await database(), (url) => Object.assign(url, { password })));
      expect(error).toMatchObject({ code: "LEDGER_UNAVAILABLE", hint: expect.stringContaining("user") });
      expect(error.message).toContain("password");
      expect(error.message).not.toContain("not-the-password");
    }
  });

  test("says that there is no such database", async () => {
    const error = await opened(changed(await database(), (url) => Object.assign(url, { pathname: "nowhere" })));
    expect(error).toMatchObject({ code: "LEDGER_UNAVAILABLE", data: { sqlState: "3D000" } });
    expect(error.message).toContain('database "nowhere" does not exist');
  });

  test("says that the user may not make a schema, and uses one that was made for it", async () => {
    await using own = await createDatabase(await database());
    const name = new URL(own.url).pathname.slice(1);
    await query(own.url, `CREATE ROLE r${name} LOGIN PASSWORD 'secret'`);
    try {
      const url = changed(own.url, (parsed) => Object.assign(parsed, { username: `r${name}`, password: "secret" }));
      const error = await opened(url);
      expect(error).toMatchObject({ code: "LEDGER_UNAVAILABLE", data: { sqlState: "42501" }, hint: expect.stringContaining("privileges") });
      await query(own.url, `CREATE SCHEMA stepwell AUTHORIZATION r${name}`);
      await (await openPostgresLedger({ url })).close();
    } finally {
      await own.drop();
      await query(await database(), `DROP ROLE r${name}`);
    }
  });

  test("leaves alone a schema that is somebody else's, or of a newer Stepwell", async () => {
    await using own = await createDatabase(await database());
    await query(own.url, "CREATE SCHEMA theirs CREATE TABLE orders (id int)");
    const theirs = await opened(`${own.url}?schema=theirs`);
    expect(theirs).toMatchObject({ code: "LEDGER_CORRUPT", hint: expect.stringContaining("?schema=name") });
    await (await openPostgresLedger({ url: own.url })).close();
    await query(own.url, "INSERT INTO stepwell.migration VALUES (99, 'from the future', 'x', 99)");
    const newer = await opened(own.url);
    expect(newer).toMatchObject({ code: "LEDGER_SCHEMA_NEWER" });
    expect(newer.message).toContain("from the future");
    await expect(query(own.url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'theirs'")).resolves.toHaveLength(1);
  });

  test("is left as it was by a migration that fails in its middle, after those before it", async () => {
    await using own = await createDatabase(await database());
    const connections = await Connections.open(placeOf(own.url), 1_000);
    const sql = "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT";
    const broken = { number: 2, name: "broken", compatibleFrom: 2, sql, postgres: "SELECT 1 / 0" };
    await expect(migratePostgres(connections, [...MIGRATIONS, broken], false)).rejects.toMatchObject({ data: { sqlState: "22012" } });
    await expect(query(own.url, "SELECT number FROM stepwell.migration")).resolves.toEqual([{ number: "1" }]);
    await expect(query(own.url, "SELECT to_regclass('stepwell.half') AS half")).resolves.toEqual([{ half: null }]);
    await connections.close();
    await (await openPostgresLedger({ url: own.url })).close();
  });

  test("is made by one of ten that open it at once, and all of them can use it", async () => {
    await using own = await createDatabase(await database());
    const ledgers = await Promise.all(Array.from({ length: 10 }, () => openPostgresLedger({ url: own.url })));
    const owners = await Promise.all(ledgers.map((ledger) => ledger.own(WORKER)));
    expect(new Set(owners.map(({ epoch }) => epoch)).size).toBe(10);
    await expect(query(own.url, "SELECT number FROM stepwell.migration")).resolves.toHaveLength(MIGRATIONS.length);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  });

  test("looks for a run whose id holds the character NUL as for any other that is not there", async () => {
    await using own = await createDatabase(await database());
    const ledger = await openPostgresLedger({ url: own.url });
    await expect(ledger.getRun("default", "a\0b")).resolves.toBeUndefined();
    await expect(ledger.findEnds("default", ["a\0b"])).resolves.toEqual({ ended: [], missing: [] });
    await ledger.close();
  });
});

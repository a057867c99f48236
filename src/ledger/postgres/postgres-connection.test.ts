import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { follow } from "../work.ts";
import { PostgresConnection } from "./postgres-connection.ts";

describe("statements of a transaction that nobody waits for", () => {
  const database = sharedDatabase();
  let client: pg.Client;

  beforeAll(async () => {
    client = new pg.Client({ connectionString: await database(), pipeline: true });
    await client.connect();
    await client.query("CREATE TABLE kept (id INTEGER PRIMARY KEY)");
  });

  afterAll(async () => {
    await client.end();
  });

  const kept = async (): Promise<readonly unknown[]> => (await client.query("SELECT id FROM kept ORDER BY id")).rows.map(({ id }) => id);

  test("are done in their order, before what is asked behind them", async () => {
    const connection = new PostgresConnection(client, 0);
    connection.send("BEGIN");
    for (const id of [1, 2, 3]) connection.send("INSERT INTO kept (id) VALUES (?1)", id);
    await expect(follow(connection.rows("SELECT count(*)::integer AS found FROM kept"))).resolves.toEqual([{ found: 3 }]);
    connection.send("COMMIT");
    await connection.settled();
    await expect(kept()).resolves.toEqual([1, 2, 3]);
  });

  test("fail the transaction with the answer of the first that fails, and nothing of it is written", async () => {
    const before = await kept();
    const connection = new PostgresConnection(client, 0);
    connection.send("BEGIN");
    connection.send("INSERT INTO kept (id) VALUES (?1)", 10);
    connection.send("INSERT INTO kept (id) VALUES (?1)", 10);
    await expect(follow(connection.rows("SELECT 1"))).rejects.toThrow("aborted");
    connection.send("COMMIT");
    await expect(connection.settled()).rejects.toMatchObject({ code: "23505" });
    await expect(kept()).resolves.toEqual(before);
  });
});

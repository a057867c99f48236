import { rmSync } from "node:fs";
import { createDatabase } from "../test/fixtures/postgres/new-database.ts";
import type { Place } from "./contestant.ts";
import { newDirectory } from "./processes.ts";

/**
 * Gives work an empty folder, and with the URL of a PostgreSQL server an empty database too; both are removed afterwards.
 *
 * @param template of the database: another one that is copied
 */
export async function inOwnPlace<T>(server: string | null, work: (place: Place) => Promise<T>, template?: string): Promise<T> {
  const directory = newDirectory();
  const database = server === null ? undefined : await createDatabase(server, template);
  try {
    return await work({ directory, database: database?.url ?? null });
  } finally {
    await database?.drop();
    rmSync(directory, { recursive: true, force: true });
  }
}

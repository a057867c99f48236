import type { DatabaseSync } from "node:sqlite";

/** The locks of this process. A connection that nobody holds is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

/**
 * A lock beside the ledger that the kernel releases when the process dies, however it dies: an exclusive transaction on a
 * small database of its own, held open. SQLite keeps such locks apart even between connections of one process.
 *
 * @returns undefined while somebody else holds it
 */
export async function takeLock(file: string): Promise<OwnerLock | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(`${file}-lock`, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
    return new OwnerLock(db);
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

export class OwnerLock {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    held.add(db);
  }

  release(): void {
    held.delete(this.#db);
    this.#db.close();
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return typeof error === "object" && error !== null && "errcode" in error && error.errcode === SQLITE_BUSY;
}

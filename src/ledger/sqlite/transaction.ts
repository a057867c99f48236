import type { InboxRow, RunRow } from "../rows.ts";
import { decodeInbox, decodeRun } from "../sql/decode.ts";
import { READS } from "../sql/reads.ts";
import type { Transaction } from "../transaction.ts";
import type { PostInbox, Write } from "../writes.ts";
import type { SqliteCommits } from "./commits.ts";
import type { SqliteSession } from "./session.ts";

/** The open transaction of a connection. */
export class SqliteTransaction implements Transaction {
  readonly now: number;
  readonly #session: SqliteSession;
  readonly #commits: SqliteCommits;

  constructor(session: SqliteSession, commits: SqliteCommits, now: number) {
    this.#session = session;
    this.#commits = commits;
    this.now = now;
  }

  apply(write: Write): void {
    this.#commits.apply(write, this.now);
  }

  post(write: PostInbox): InboxRow | undefined {
    const before = this.#commits.posted.length;
    this.apply(write);
    return this.#commits.posted[before];
  }

  run(tenant: string, publicId: string): RunRow | undefined {
    const row = this.#session.get(READS.run, tenant, publicId);
    return row === undefined ? undefined : decodeRun(row);
  }

  signal(runId: number, signalId: string): InboxRow | undefined {
    const row = this.#session.get(READS.signal, runId, signalId);
    return row === undefined ? undefined : decodeInbox(row);
  }

  awaits(runId: number, name: string): boolean {
    return this.#session.get(READS.awaits, runId, name) !== undefined;
  }
}

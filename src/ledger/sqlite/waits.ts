import type { DueRun, WaitReads } from "../port.ts";
import type { InboxRow, RunRow, WaitView } from "../rows.ts";
import { decodeRun } from "../sql/decode.ts";
import { decodeDue, decodeInbox, decodeWaitView } from "../sql/decode-waiting.ts";
import { READS } from "../sql/reads.ts";
import type { SqliteCommits } from "./commits.ts";
import type { SqliteSession } from "./session.ts";

export class SqliteWaits implements WaitReads {
  readonly #session: SqliteSession;
  readonly #commits: SqliteCommits;

  constructor(session: SqliteSession, commits: SqliteCommits) {
    this.#session = session;
    this.#commits = commits;
  }

  async now(): Promise<number> {
    return this.#commits.now();
  }

  async nextDue(): Promise<number | null> {
    const row = this.#session.get(READS.nextDue);
    return row === undefined ? null : Number(row["due_at"]);
  }

  async due(after: DueRun | undefined, limit: number): Promise<readonly DueRun[]> {
    const { dueAt, runId } = after ?? { dueAt: 0, runId: 0 };
    return this.#session.all(READS.dueRuns, this.#commits.now(), dueAt, runId, limit).map(decodeDue);
  }

  async listWaits(tenant: string, publicId: string): Promise<readonly WaitView[]> {
    return this.#session.all(READS.waits, tenant, publicId).map(decodeWaitView);
  }

  async listSignals(tenant: string, publicId: string): Promise<readonly InboxRow[]> {
    return this.#session.all(READS.signals, tenant, publicId).map(decodeInbox);
  }

  async listChildren(tenant: string, publicId: string): Promise<readonly RunRow[]> {
    return this.#session.all(READS.children, tenant, publicId).map(decodeRun);
  }
}

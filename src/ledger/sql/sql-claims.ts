import type { Claims, DueRun, Pickup } from "../port.ts";
import type { OpenInboxRow } from "../rows.ts";
import { decodeDue, decodeOpenInbox } from "./decode-waiting.ts";
import { READS } from "./reads.ts";
import type { SqlBackend } from "./sql-backend.ts";

const PICKUPS: Readonly<Record<Pickup, string>> = {
  left_behind: READS.unfinishedLeftBehind,
  no_worker: READS.unfinishedNoWorker,
  queued: READS.unfinishedQueued,
};

/** Everything is the one engine's: to look is to claim. */
export class SqlClaims implements Claims {
  readonly #backend: Pick<SqlBackend, "rows" | "now">;

  constructor(backend: Pick<SqlBackend, "rows" | "now">) {
    this.#backend = backend;
  }

  async runs(pickup: Pickup, afterId: number, limit: number): Promise<readonly number[]> {
    return (await this.#backend.rows(PICKUPS[pickup], afterId, limit)).map((row) => Number(row["id"]));
  }

  async due(after: DueRun | undefined, limit: number): Promise<readonly DueRun[]> {
    const { dueAt, runId } = after ?? { dueAt: 0, runId: 0 };
    return (await this.#backend.rows(READS.dueRuns, await this.#backend.now(), dueAt, runId, limit)).map(decodeDue);
  }

  async one(): Promise<boolean> {
    return true;
  }

  async sent(afterId: number, limit: number): Promise<readonly OpenInboxRow[]> {
    return (await this.#backend.rows(READS.openInbox, afterId, limit)).map(decodeOpenInbox);
  }
}

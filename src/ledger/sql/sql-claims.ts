import type { Admissions, Claims, DueRun, Pickup } from "../claims.ts";
import type { OpenInboxRow } from "../rows.ts";
import { decodeDue, decodeOpenInbox } from "./decode-waiting.ts";
import { READS } from "./reads.ts";
import { SqlAdmission } from "./sql-admission.ts";
import type { SqlBackend } from "./sql-backend.ts";

const PICKUPS: Readonly<Record<Pickup, string>> = {
  left_behind: READS.unfinishedLeftBehind,
  no_worker: READS.unfinishedNoWorker,
};

type ClaimingBackend = Pick<SqlBackend, "rows" | "search" | "now" | "within">;

/** Everything that was admitted is the one engine's: to look is to claim. */
export class SqlClaims implements Claims {
  readonly #backend: ClaimingBackend;
  readonly #admission: SqlAdmission;

  constructor(backend: ClaimingBackend) {
    this.#backend = backend;
    this.#admission = new SqlAdmission(backend);
  }

  admit(epoch: number, limit: number): Promise<Admissions> {
    return this.#admission.admit(epoch, limit, function* (transaction) {
      const [owner] = yield* transaction.rows(READS.owner);
      return Number(owner?.["epoch"]) === epoch;
    });
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

import { admit } from "../admission/admit.ts";
import type { Admissions } from "../claims.ts";
import type { Work } from "../work.ts";
import { ADMISSION } from "./admission-tables.ts";
import type { SqlBackend } from "./sql-backend.ts";
import type { SqlTransaction } from "./transaction.ts";

/** Whoever has room asks here: with one read as long as nothing is ready, and with none when there was more than fitted. */
export class SqlAdmission {
  readonly #backend: Pick<SqlBackend, "search" | "within" | "now">;
  /** Null: all of them. */
  workerGroups: readonly string[] | null = null;
  #isMoreReady = false;

  constructor(backend: Pick<SqlBackend, "search" | "within" | "now">) {
    this.#backend = backend;
  }

  /** @param isOwner whether the epoch still owns the ledger, asked in the transaction */
  async admit(epoch: number, limit: number, isOwner: (transaction: SqlTransaction) => Work<boolean>): Promise<Admissions> {
    const nothing = this.#isMoreReady ? undefined : await this.#nothingReady();
    if (nothing !== undefined) return nothing;
    const { workerGroups } = this;
    const admissions = await this.#backend.within((transaction) =>
      admit(transaction, { workerGroups, epoch, limit, isOwner: isOwner(transaction) }),
    );
    this.#isMoreReady = admissions.isMore || admissions.runs.length === limit;
    return admissions;
  }

  /** Undefined when something is. */
  async #nothingReady(): Promise<Admissions | undefined> {
    const groups = this.workerGroups === null ? null : JSON.stringify(this.workerGroups);
    const [outlook = {}] = await this.#backend.search(ADMISSION.outlook, await this.#backend.now(), groups);
    if (Number(outlook["is_ready"]) !== 0) return undefined;
    return { runs: [], accepted: [], isMore: false, nextAt: outlook["next_at"] === null ? null : Number(outlook["next_at"]) };
  }
}

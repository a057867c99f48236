import { admit } from "../admission/admit.ts";
import type { Admissions } from "../claims.ts";
import type { Work } from "../work.ts";
import { ADMISSION } from "./admission-tables.ts";
import type { SqlBackend } from "./sql-backend.ts";
import type { SqlTransaction } from "./transaction.ts";

/** Whoever has room asks here: with one read as long as nothing is ready. */
export class SqlAdmission {
  readonly #backend: Pick<SqlBackend, "search" | "within" | "now">;
  /** Null: all of them. */
  workerGroups: readonly string[] | null = null;

  constructor(backend: Pick<SqlBackend, "search" | "within" | "now">) {
    this.#backend = backend;
  }

  /** @param isOwner whether the epoch still owns the ledger, asked in the transaction */
  async admit(epoch: number, limit: number, isOwner: (transaction: SqlTransaction) => Work<boolean>): Promise<Admissions> {
    const groups = this.workerGroups === null ? null : JSON.stringify(this.workerGroups);
    const [outlook = {}] = await this.#backend.search(ADMISSION.outlook, await this.#backend.now(), groups);
    const nextAt = outlook["next_at"] === null ? null : Number(outlook["next_at"]);
    if (Number(outlook["is_ready"]) === 0) return { runs: [], accepted: [], isMore: false, nextAt };
    const { workerGroups } = this;
    return this.#backend.within(function* (transaction) {
      if (!(yield* isOwner(transaction))) return { runs: [], accepted: [], isMore: false, nextAt: null };
      return yield* admit(transaction, { workerGroups, epoch, limit });
    });
  }
}

import type { Ledger } from "../ledger/port.ts";
import { asStepwellError, StepwellError } from "../model/errors.ts";
import { isTerminalRun } from "../model/status.ts";
import type { RunOutcome } from "./api.ts";
import { outcomeOf } from "./run-results.ts";
import type { Waiters } from "./waiters.ts";

/** Finds in the ledger how runs have ended that callers wait for and this engine does not drive. */
export class EndsElsewhere {
  readonly #ledger: Ledger;
  readonly #tenant: string;
  readonly #waiters: Waiters<RunOutcome>;
  readonly #isHere: (publicId: string) => boolean;

  constructor(ledger: Ledger, tenant: string, waiters: Waiters<RunOutcome>, isHere: (publicId: string) => boolean) {
    this.#ledger = ledger;
    this.#tenant = tenant;
    this.#waiters = waiters;
    this.#isHere = isHere;
  }

  async lookForAll(): Promise<void> {
    const elsewhere = this.#waiters.names().filter((publicId) => !this.#isHere(publicId));
    if (elsewhere.length === 0) return;
    for (const row of await this.#ledger.listEnded(this.#tenant, elsewhere)) this.#waiters.resolve(row.publicId, () => outcomeOf(row));
  }

  /** Tells who waits also when there is no such run. */
  async lookFor(publicId: string): Promise<void> {
    if (this.#isHere(publicId)) return;
    try {
      const row = await this.#ledger.getRun(this.#tenant, publicId);
      if (row === undefined) throw new StepwellError("RUN_NOT_FOUND", `there is no run ${publicId}`);
      if (isTerminalRun(row.status)) this.#waiters.resolve(publicId, () => outcomeOf(row));
    } catch (cause) {
      this.#waiters.reject(publicId, asStepwellError(cause));
    }
  }
}

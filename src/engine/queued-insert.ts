import type { Committing } from "../ledger/committer.ts";
import { asks } from "../ledger/queued-run.ts";
import type { InsertRun, Unit } from "../ledger/writes.ts";
import { StepwellError } from "../model/errors.ts";

/** A new run that waits for its turn: stored QUEUED, not held in memory. */
export class QueuedInsert implements Committing {
  readonly runId: number;
  readonly givesUp = true;
  readonly #insert: InsertRun;
  readonly #onStored: () => void;
  readonly #onRefused: (error: StepwellError) => void;

  constructor(insert: InsertRun, onStored: () => void, onRefused: (error: StepwellError) => void) {
    this.runId = insert.runId;
    this.#insert = insert;
    this.#onStored = onStored;
    this.#onRefused = onRefused;
  }

  form(): Unit {
    return { runId: this.runId, inboxSeq: null, writes: [this.#insert, asks(this.runId)] };
  }

  committed(): void {
    this.#onStored();
  }

  missed(): void {
    this.#onRefused(new StepwellError("LEDGER_CONFLICT", `run ${this.runId} existed before it was inserted`));
  }

  refused(error: StepwellError): void {
    this.#onRefused(error);
  }
}

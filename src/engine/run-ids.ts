import type { Ledger } from "../ledger/port.ts";

/** Ids that one reservation brings; at a million runs an hour that is 17 small commits a minute. */
const BLOCK = 1_000;

/** Internal run ids, reserved from the ledger in blocks. */
export class RunIds {
  readonly #ledger: Ledger;
  #next = 0;
  #end = 0;
  #reserving: Promise<void> | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async take(): Promise<number> {
    while (this.#next >= this.#end) await (this.#reserving ??= this.#reserve());
    return this.#next++;
  }

  /** An id that is already reserved, or undefined when `take` must reserve more. */
  tryTake(): number | undefined {
    return this.#next < this.#end ? this.#next++ : undefined;
  }

  async #reserve(): Promise<void> {
    try {
      this.#next = await this.#ledger.reserveRunIds(BLOCK);
      this.#end = this.#next + BLOCK;
    } finally {
      this.#reserving = undefined;
    }
  }
}

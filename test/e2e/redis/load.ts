import type { Ledger } from "../../../src/ledger/port.ts";
import type { Queue } from "../../../src/queue/port.ts";
import { aQueuedRun } from "../../../src/testing/conformance/ledger/builders.ts";
import { TENANT } from "../crash/book.ts";

const STEPS = ["a", "b", "c"] as const;
export const LAST_STEP = "c";

/** Each step has one effect at the sink. */
export const WORKFLOW = {
  name: "effects",
  steps: STEPS.map((id) => ({ id, uses: "effect", with: { what: id } })),
} as const;

/** Stores runs and announces them, as a process does that leaves them to workers. */
export class Load {
  /** When each was stored, on the monotonic clock. */
  readonly storedAt = new Map<string, number>();
  readonly #ledger: Ledger;
  readonly #queue: Queue;
  readonly #versionId: number;

  constructor(ledger: Ledger, queue: Queue, versionId: number) {
    this.#ledger = ledger;
    this.#queue = queue;
    this.#versionId = versionId;
  }

  async store(count: number): Promise<void> {
    for (let stored = 0; stored < count; stored++) {
      const publicId = `run-${this.storedAt.size}`;
      const run = aQueuedRun(this.#versionId, publicId, { tenant: TENANT, input: "{}" });
      await this.#ledger.enqueueRun(run);
      this.#queue.announce(run);
      this.storedAt.set(publicId, performance.now());
    }
  }
}

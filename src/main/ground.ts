import type { Ledger } from "../ledger/port.ts";
import { openLedger } from "../ledger/url.ts";
import type { Queue } from "../queue/port.ts";
import { openQueue } from "../queue/url.ts";

/** What engines of this process stand on, one after the other. */
export interface Ground {
  readonly ledger: Ledger;
  readonly queue: Queue;
}

/** By their names, or open. */
interface Places {
  readonly ledger?: string | Ledger;
  readonly queue?: string | Queue;
}

/** A ledger that was given is closed like one that was opened here. */
export async function openGround({ ledger = "sqlite:.stepwell/ledger.db", queue = "ledger" }: Places): Promise<Ground> {
  const opened = typeof ledger === "string" ? await openLedger(ledger) : ledger;
  try {
    return { ledger: opened, queue: typeof queue === "string" ? await openQueue(queue) : queue };
  } catch (cause) {
    await opened.close();
    throw cause;
  }
}

export async function closeGround({ ledger, queue }: Ground): Promise<void> {
  await Promise.all([ledger.close(), queue.close()]);
}

import type { Queue } from "../port.ts";

/** The ledger itself: the commit that stores a run is the word of it, and an engine looks when something has changed. */
export const LEDGER_QUEUE: Queue = {
  consume: () => undefined,
  announce: () => undefined,
  withdraw: () => undefined,
  roomMade: () => undefined,
  isTimeToLook: (hasLedgerChanged) => hasLedgerChanged,
  close: () => Promise.resolve(),
};

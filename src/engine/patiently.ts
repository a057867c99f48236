import { isPassing } from "../ledger/passing.ts";
import type { Clock } from "../model/clock.ts";
import { asStepwellError, type StepwellError } from "../model/errors.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

export interface Patience {
  readonly clock: Clock;
  /** Nobody needs the answer any more. */
  isOver(): boolean;
  /** Told before each further try. */
  stalled(error: StepwellError, retryInMs: number): void;
}

/**
 * Asks the ledger again for as long as it is busy, full or out of reach: whoever asked is in the middle of something that must not fail
 * of that.
 */
export async function patiently<T>(patience: Patience, ask: () => Promise<T>): Promise<T> {
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
    try {
      return await ask();
    } catch (cause) {
      const error = asStepwellError(cause);
      if (!isPassing(error) || patience.isOver()) throw cause;
      patience.stalled(error, delayMs);
    }
    const waitMs = delayMs;
    await new Promise<void>((resolve) => patience.clock.setTimer(waitMs, resolve));
  }
}

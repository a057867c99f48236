import { FIRST_RETRY_MS, isPassing, longerRetryMs } from "../ledger/passing.ts";
import type { Clock } from "../model/clock.ts";
import { asStepwellError, type StepwellError } from "../model/errors.ts";

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
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = longerRetryMs(delayMs)) {
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

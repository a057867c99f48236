import type { Clock } from "../model/clock.ts";
import { StepwellError } from "../model/errors.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/** Asks the ledger again for as long as it is busy or full: whoever asked is in the middle of something that must not fail of that. */
export async function patiently<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
    try {
      return await ask();
    } catch (cause) {
      const passes = cause instanceof StepwellError && (cause.code === "LEDGER_BUSY" || cause.code === "LEDGER_FULL");
      if (!passes) throw cause;
    }
    const waitMs = delayMs;
    await new Promise<void>((resolve) => clock.setTimer(waitMs, resolve));
  }
}

import { systemClock } from "../../../src/engine/system-clock.ts";
import { StepwellError } from "../../../src/model/errors.ts";

/** How often people look at the ledger. */
export const TICK_MS = 100;

/** Faults have their times, which nothing but the clock tells. */
export function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimer(ms, resolve);
  });
}

const isAway = (error: unknown): boolean => error instanceof StepwellError && error.code.startsWith("LEDGER_UN");

/** Does it again for as long as the server is away. */
export async function untilReached<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      await after(TICK_MS);
    }
  }
}

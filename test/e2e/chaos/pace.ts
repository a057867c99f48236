import { systemClock } from "../../../src/engine/system-clock.ts";

/** Faults have their times, which nothing but the clock tells. */
export function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimer(ms, resolve);
  });
}

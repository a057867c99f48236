import type { Clock } from "../model/clock.ts";
import { outsideRuns } from "./run-context.ts";

/** What the engine does later, it does outside the run that happened to cause it. */
export function detached(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, callback, background) => clock.setTimer(delayMs, () => outsideRuns(callback), background),
    soon: (callback) => clock.soon(() => outsideRuns(callback)),
  };
}

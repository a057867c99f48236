import type { Clock, Timer } from "../model/clock.ts";

/** Resolves when the work is done, or after so many milliseconds without it. */
export async function orLate(clock: Clock, work: Promise<void> | undefined, lateMs: number): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimer(lateMs, resolve);
  });
  await Promise.race([work, late]);
  timer?.cancel();
}

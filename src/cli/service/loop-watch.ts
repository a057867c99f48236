/** How late the event loop came to what was due, milliseconds. */
export interface LoopDelay {
  readonly lastMs: number;
  /** In the last minute. */
  readonly maxMs: number;
}

export interface LoopWatch {
  delay(): LoopDelay;
  end(): void;
}

const TICK_MS = 250;
const TICKS_OF_A_MINUTE = 60_000 / TICK_MS;

/**
 * Watches whether the event loop comes round. It also notices that the process itself stood still: it was stopped, or its machine slept.
 *
 * @param stallMs a delay of so much is told, when it is over
 */
export function watchLoop(stallMs: number, stalled: (delayMs: number) => void): LoopWatch {
  let dueAt = performance.now() + TICK_MS;
  let delays: readonly number[] = [0];
  const timer = setInterval(() => {
    const now = performance.now();
    const delay = Math.max(0, now - dueAt);
    delays = [...delays.slice(1 - TICKS_OF_A_MINUTE), delay];
    dueAt = now + TICK_MS;
    if (delay >= stallMs) stalled(delay);
  }, TICK_MS).unref();
  return {
    delay: () => ({ lastMs: Math.round(delays.at(-1) ?? 0), maxMs: Math.round(Math.max(...delays)) }),
    end: () => clearInterval(timer),
  };
}

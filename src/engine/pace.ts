import type { Clock } from "../model/clock.ts";

/** How long one transaction should take, about: nobody's commit waits longer for it. */
const TRANSACTION_MS = 20;
/** Fewer would not be quicker: what takes long then is the way to the server, or a busy machine. */
const MIN_SIZE = 100;
const MAX_SIZE = 1_000;
/** For each millisecond of work so many of rest, in which everything else has the ledger for itself. */
const REST = 3;
const MIN_REST_MS = 5;

/** How much is done at once, and how much time passes in between. */
export class Pace {
  readonly #clock: Pick<Clock, "monotonic" | "setTimer">;
  readonly #isBackground: boolean;
  readonly #minSize: number;
  #size: number;

  /**
   * @param isBackground its rests alone do not keep the process alive
   * @param minSize fewer at once would not be quicker
   */
  constructor(clock: Pick<Clock, "monotonic" | "setTimer">, isBackground: boolean, minSize = MIN_SIZE) {
    this.#clock = clock;
    this.#isBackground = isBackground;
    this.#minSize = minSize;
    this.#size = minSize;
  }

  /** Does a piece of work, which tells how much it did, and rests. The next one may be about more, or should be about less. */
  async working<T>(work: (size: number) => Promise<T>, doneBy: (result: T) => number): Promise<T> {
    const size = this.#size;
    const { result, tookMs } = await this.#timed(() => work(size));
    if (tookMs > TRANSACTION_MS) this.#size = Math.max(this.#minSize, size >> 1);
    else if (tookMs < TRANSACTION_MS / 2 && doneBy(result) >= size) this.#size = Math.min(MAX_SIZE, size * 2);
    return result;
  }

  /** Does a look, and rests. */
  async looking<T>(work: () => Promise<T>): Promise<T> {
    return (await this.#timed(work)).result;
  }

  async #timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
    const begun = this.#clock.monotonic();
    const result = await work();
    const tookMs = this.#clock.monotonic() - begun;
    await new Promise<void>((resolve) => this.#clock.setTimer(Math.max(MIN_REST_MS, tookMs * REST), resolve, this.#isBackground));
    return { result, tookMs };
  }
}

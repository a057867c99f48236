import type { Clock, Timer } from "../../../src/model/clock.ts";
import type { Kernel, Owner } from "./kernel.ts";

/** A simulated process: it owns its clock and its tasks. When it dies, none of its callbacks ever runs again. */
export class SimProcess implements Clock, Owner {
  readonly name: string;
  readonly kernel: Kernel;
  isAlive = true;
  /** What its wall clock shows beyond the true time; a jump changes it. */
  wallSkewMs = 0;
  /** Its timers fire so much too early, as those of an operating system may. */
  earlyMs = 0;
  readonly #bornMs: number;
  readonly #mourners = new Set<() => void>();

  constructor(kernel: Kernel, name: string) {
    this.kernel = kernel;
    this.name = name;
    this.#bornMs = kernel.nowMs;
  }

  now(): number {
    return this.kernel.nowMs + this.wallSkewMs;
  }

  monotonic(): number {
    return this.kernel.nowMs - this.#bornMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.kernel.after(delayMs > this.earlyMs ? delayMs - this.earlyMs : delayMs, this, callback);
  }

  soon(callback: () => void): void {
    this.kernel.soon(this, callback);
  }

  /** Without ceremony: what it has not made durable is gone. */
  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const mourn of this.#mourners) mourn();
  }

  whenDead(mourn: () => void): void {
    this.#mourners.add(mourn);
  }

  /** The answer, or undefined when the process died first: then nobody knows what became of the request. */
  outlive<T>(answer: Promise<T>): Promise<T | undefined> {
    if (!this.isAlive) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const died = (): void => resolve(undefined);
      this.#mourners.add(died);
      answer.then(resolve, reject).finally(() => this.#mourners.delete(died));
    });
  }
}

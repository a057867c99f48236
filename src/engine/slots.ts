/** A bound on how many attempts execute at once; who finds none free is served in the order of asking. */
export class Slots {
  #free: number;
  #waiting: (() => boolean)[] = [];
  #head = 0;

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a slot if one is free and nobody asked before. */
  take(): boolean {
    if (this.#free <= 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Takes a slot even when none is free: for attempts that were running before this process, or are running already. */
  takeAnyway(): void {
    this.#free -= 1;
  }

  /** Asks for the next slot; `serve` answers whether it still has a use for it. */
  wait(serve: () => boolean): void {
    this.#waiting.push(serve);
  }

  release(): void {
    if (this.#free < 0) {
      this.#free += 1;
      return;
    }
    for (;;) {
      const serve = this.#waiting[this.#head];
      if (serve === undefined) break;
      this.#head += 1;
      if (this.#head > 1_024 && this.#head * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
      if (serve()) return;
    }
    this.#waiting = [];
    this.#head = 0;
    this.#free += 1;
  }
}

import type { StepWait } from "./step-wait.ts";

/** A wait that time ends, and when it does at the earliest, on the ledger's clock. */
export interface Due {
  readonly wait: StepWait;
  readonly dueAt: number;
}

/** Fewer are not worth the sorting. */
const KEPT_AT_LEAST = 64;

/** Waits by their due times. One that ended early stays until it comes to the front, or until half of them have. */
export class DueQueue {
  #heap: Due[] = [];
  readonly #open = new Set<StepWait>();

  add(due: Due): void {
    this.#open.add(due.wait);
    this.#heap.push(due);
    this.#rise(this.#heap.length - 1);
  }

  /** The wait has ended, if it was one of them. */
  delete(wait: StepWait): void {
    if (!this.#open.delete(wait) || this.#heap.length < KEPT_AT_LEAST || this.#heap.length < this.#open.size * 2) return;
    // in a sorted list every parent stands before its children
    this.#heap = this.#heap.filter((due) => this.#open.has(due.wait)).toSorted((one, other) => one.dueAt - other.dueAt);
  }

  /** The one that time ends first. */
  next(): Due | undefined {
    for (let [first] = this.#heap; first !== undefined; [first] = this.#heap) {
      if (this.#open.has(first.wait)) return first;
      this.#dropFirst();
    }
    return undefined;
  }

  #dropFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >> 1;
      const [upper, lower] = [heap[parent], heap[child]];
      if (upper === undefined || lower === undefined || upper.dueAt <= lower.dueAt) return;
      heap[parent] = lower;
      heap[child] = upper;
      child = parent;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const child = (heap[left + 1]?.dueAt ?? Number.POSITIVE_INFINITY) < (heap[left]?.dueAt ?? Number.POSITIVE_INFINITY) ? left + 1 : left;
      const [upper, lower] = [heap[parent], heap[child]];
      if (upper === undefined || lower === undefined || upper.dueAt <= lower.dueAt) return;
      heap[parent] = lower;
      heap[child] = upper;
      parent = child;
    }
  }
}

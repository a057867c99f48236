import type { StepwellError } from "../model/errors.ts";
import { Passage } from "./passage.ts";

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: StepwellError) => void;
}

/** Callers that wait for something by name. */
export class Waiters<T> {
  readonly #waiting = new Passage<string, Waiter<T>[]>();

  get size(): number {
    return this.#waiting.size;
  }

  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  wait(name: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      const others = this.#waiting.get(name);
      if (others === undefined) this.#waiting.set(name, [waiter]);
      else others.push(waiter);
    });
  }

  /** Lists the names that somebody waits for. */
  names(): readonly string[] {
    return this.#waiting.keys();
  }

  resolve(name: string, makeValue: () => T): void {
    const waiters = this.#waiting.take(name);
    if (waiters === undefined) return;
    const value = makeValue();
    for (const waiter of waiters) waiter.resolve(value);
  }

  reject(name: string, error: StepwellError): void {
    const waiters = this.#waiting.take(name);
    if (waiters === undefined) return;
    for (const waiter of waiters) waiter.reject(error);
  }

  rejectAll(error: StepwellError): void {
    for (const name of this.names()) this.reject(name, error);
  }
}

import type { Book } from "./book.ts";
import type { SinkCall } from "./sink.ts";

/** Every step has one idempotency key, and every key one step, whoever executes it. */
export class StepKeys {
  readonly #book: Book;
  readonly #found = new Map<string, string>();

  constructor(book: Book) {
    this.#book = book;
  }

  judge({ run, step, key }: SinkCall, name: string): void {
    for (const [from, to] of [
      [key, `${run}:${step}`],
      [`${run}:${step}`, key],
    ] as const) {
      if ((this.#found.get(from) ?? to) !== to) this.#book.violated("repeated", `${name} came under two keys`);
      this.#found.set(from, to);
    }
  }
}

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { z } from "zod";

const Entry = z.object({
  /** Milliseconds since the Unix epoch. */
  at: z.number(),
  /** Method and path. */
  endpoint: z.string(),
  key: z.string(),
  /** SHA-256 of the request's body. */
  fingerprint: z.string(),
  status: z.number(),
  /** The effect took place with this call; a repetition of an earlier answer is none. */
  effect: z.boolean(),
  response: z.unknown(),
});

/** One call with an idempotency key. */
export type JournalEntry = z.infer<typeof Entry>;

/** Calls and effects of one key at one endpoint. */
export interface KeyCount {
  calls: number;
  /** Calls that were answered with success, repeated answers included. */
  answered: number;
  /** Never more than 1. */
  effects: number;
}

/** Every call with a key, in order. With a file, an entry is on disk before its call is answered and is there after a kill. */
export class Journal {
  readonly #entries: JournalEntry[];
  readonly #file: number | undefined;

  constructor(file?: string) {
    const text = file !== undefined && existsSync(file) ? readFileSync(file, "utf8") : "";
    this.#entries = text.split("\n").flatMap(readEntry);
    this.#file = file === undefined ? undefined : openSync(file, "a");
    if (this.#file !== undefined && text !== "" && !text.endsWith("\n")) writeSync(this.#file, "\n");
  }

  add(entry: JournalEntry): void {
    if (this.#file !== undefined) {
      writeSync(this.#file, `${JSON.stringify(entry)}\n`);
      fsyncSync(this.#file);
    }
    this.#entries.push(entry);
  }

  calls(endpoint: string, key: string): readonly JournalEntry[] {
    return this.#entries.filter((entry) => entry.endpoint === endpoint && entry.key === key);
  }

  counts(): Readonly<Record<string, Readonly<Record<string, KeyCount>>>> {
    const counts: Record<string, Record<string, KeyCount>> = {};
    for (const { endpoint, key, status, effect } of this.#entries) {
      const keys = (counts[endpoint] ??= {});
      const count = (keys[key] ??= { calls: 0, answered: 0, effects: 0 });
      count.calls++;
      if (status < 400) count.answered++;
      if (effect) count.effects++;
    }
    return counts;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** Nothing for a line that a kill has cut: its call was never answered. */
function readEntry(line: string): readonly JournalEntry[] {
  try {
    return [Entry.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}

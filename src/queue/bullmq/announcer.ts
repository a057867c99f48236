import type { Queue } from "bullmq";
import type { AnnouncedRun } from "../port.ts";
import { JOB_NAME, type JobPayload, payloadOf } from "./job.ts";

/** Words that are kept while Redis is away or slow; of more than these runs the engines learn by looking. */
export const MOST_WORDS = 10_000;
const BATCH = 500;
const AGAIN_MS = 1_000;

type Jobs = Pick<Queue, "addBulk" | "remove">;

interface Word {
  readonly name: string;
  readonly data: JobPayload;
  readonly opts: { readonly jobId: string; readonly delay?: number };
}

/** What came of sending words. */
export interface AnnouncerEvents {
  sent(): void;
  /** They are kept and sent again. */
  failed(cause: unknown): void;
}

/** Sends words to Redis, many at once and one batch after the other, and keeps some of those that cannot be sent. */
export class Announcer {
  readonly #jobs: Jobs;
  readonly #events: AnnouncerEvents;
  readonly #waiting = new Map<string, Word>();
  #sending: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(jobs: Jobs, events: AnnouncerEvents) {
    this.#jobs = jobs;
    this.#events = events;
  }

  announce(run: AnnouncedRun): void {
    if (this.#isOver || this.#waiting.size >= MOST_WORDS) return;
    // a job is known by its run, so that two words of one are one job
    const opts = { jobId: run.publicId, ...(run.delayMs !== undefined && { delay: run.delayMs }) };
    this.#waiting.set(run.publicId, { name: JOB_NAME, data: payloadOf(run), opts });
    // a server that is away is asked from time to time, however many words come
    if (this.#again === undefined) this.flush();
  }

  withdraw(publicId: string): void {
    if (this.#isOver || this.#waiting.delete(publicId)) return;
    // one connection carries both, so that the job is there before it is removed
    this.#jobs.remove(publicId).catch(ignore);
  }

  /** Sends what waits, unless that is under way. */
  flush(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Resolves when the words that wait are sent, or cannot be. */
  async close(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#again);
    await this.#sending;
    this.#waiting.clear();
  }

  async #sendAll(): Promise<void> {
    // words that come in this turn go together
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH);
      for (const [publicId] of batch) this.#waiting.delete(publicId);
      try {
        await this.#jobs.addBulk(batch.map(([, word]) => word));
        this.#events.sent();
      } catch (cause) {
        this.#keep(batch);
        this.#events.failed(cause);
        if (!this.#isOver) this.#again = setTimeout(() => this.flush(), AGAIN_MS).unref();
        return;
      }
    }
  }

  /** Some of a batch may have arrived: the same job again is the same job. */
  #keep(batch: readonly (readonly [string, Word])[]): void {
    for (const [publicId, word] of batch) if (this.#waiting.size < MOST_WORDS) this.#waiting.set(publicId, word);
  }
}

/** A job that stays wakes somebody for nothing. */
function ignore(): void {}

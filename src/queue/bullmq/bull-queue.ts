import type { Queue as Jobs } from "bullmq";
import type { Redis } from "ioredis";
import { asStepwellError } from "../../model/errors.ts";
import type { AnnouncedRun, Queue, QueueConsumer, QueueNews } from "../port.ts";
import { Announcer } from "./announcer.ts";
import { type Drivers, loadDrivers } from "./drivers.ts";
import { QUEUE_NAME } from "./job.ts";
import { JobWorker } from "./job-worker.ts";
import { type RedisPlace, redisPlaceOf } from "./place.ts";
import { clientForWords, clientForWorker, inspectServer, unreachable } from "./redis.ts";

export interface BullQueueOptions {
  /** `redis://…` or `rediss://…` */
  readonly url: string;
  /** A server that does not answer is waited for: nothing but waking engines depends on it. Default: it is refused. */
  readonly isPatient?: boolean;
  /**
   * How often an engine looks of its own accord, so that a lost word costs no more than this. Default 5,000. Within a tenth of it where others
   * have written to the ledger: there are runs that nobody can announce, and slots that others leave.
   */
  readonly sweepMs?: number;
}

const SWEEP_MS = 5_000;
const SOONER_WITH_NEWS = 10;
/** How long the end of a process waits for words that are on their way. */
const FAREWELL_MS = 500;
/** BullMQ notes what happens to jobs in a stream, which nobody reads here. */
const STREAM_LENGTH = 100;
const KEPT_NEWS = 9;

/**
 * Opens the queue that is kept by BullMQ on a Redis.
 *
 * @throws StepwellError `USAGE`, `NOT_SUPPORTED`, `QUEUE_UNREACHABLE`, `QUEUE_UNSUPPORTED`
 */
export async function openBullQueue({ url, isPatient = false, sweepMs = SWEEP_MS }: BullQueueOptions): Promise<Queue> {
  const place = redisPlaceOf(url);
  const queue = new BullQueue(await loadDrivers(), place, sweepMs);
  try {
    await queue.opened;
  } catch (cause) {
    const error = asStepwellError(cause);
    if (!isPatient || error.code !== "QUEUE_UNREACHABLE") {
      await queue.close();
      throw error;
    }
  }
  return queue;
}

/** One connection for words, one for the worker, and one on which the worker waits. */
class BullQueue implements Queue {
  readonly #place: RedisPlace;
  readonly #sweepMs: number;
  readonly #forWords: Redis;
  readonly #forWorker: Redis;
  readonly #jobs: Jobs;
  readonly #announcer: Announcer;
  readonly #worker: JobWorker;
  /** Whether the server answered when it was asked first. */
  readonly #first = Promise.withResolvers<void>();
  #consumer: QueueConsumer | undefined;
  /** Until there is somebody to tell. */
  #news: readonly QueueNews[] = [];
  #lastError: Error | undefined;
  #warning: string | undefined;
  #isStalled = false;
  #lookedAt = performance.now();
  /** The ledger has changed since then. */
  #hasNews = false;
  #closed: Promise<void> | undefined;

  constructor(drivers: Drivers, place: RedisPlace, sweepMs: number) {
    this.#place = place;
    this.#sweepMs = sweepMs;
    this.#forWords = this.#watched(clientForWords(drivers, place));
    this.#forWorker = clientForWorker(drivers, place).on("error", ignore);
    const { prefix } = place;
    const streams = { events: { maxLen: STREAM_LENGTH } };
    this.#jobs = new drivers.bullmq.Queue(QUEUE_NAME, { connection: this.#forWords, prefix, skipVersionCheck: true, streams });
    this.#jobs.on("error", ignore);
    this.#announcer = new Announcer(this.#jobs, {
      sent: () => this.#isBack(),
      failed: (cause) => this.#isAway(cause),
    });
    // the connection for words tells of the same troubles
    this.#worker = new JobWorker(drivers, this.#forWorker, prefix, ignore);
    this.#first.promise.catch(ignore);
  }

  get opened(): Promise<void> {
    return this.#first.promise;
  }

  consume(consumer: QueueConsumer): void {
    this.#consumer = consumer;
    for (const news of this.#news) consumer.told(news);
    this.#news = [];
    this.#worker.consume(consumer);
  }

  announce(run: AnnouncedRun): void {
    this.#announcer.announce(run);
  }

  withdraw(publicId: string): void {
    this.#announcer.withdraw(publicId);
  }

  roomMade(): void {
    this.#worker.roomMade();
  }

  /** Without Redis the ledger's changes are what there is to go by. */
  isTimeToLook(hasLedgerChanged: boolean): boolean {
    this.#hasNews ||= hasLedgerChanged;
    const now = performance.now();
    const passedMs = now - this.#lookedAt;
    const newsMs = this.#isStalled ? 0 : this.#sweepMs / SOONER_WITH_NEWS;
    if (passedMs < this.#sweepMs && !(this.#hasNews && passedMs >= newsMs)) return false;
    this.#lookedAt = now;
    this.#hasNews = false;
    return true;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, FAREWELL_MS);
    const ended = [this.#announcer.close(), this.#worker.close(), this.#jobs.close()];
    await Promise.race([Promise.allSettled(ended), late]);
    clearTimeout(timer);
    this.#forWords.disconnect();
    this.#forWorker.disconnect();
  }

  #watched(client: Redis): Redis {
    client.on("error", (error: Error) => {
      this.#lastError = error;
    });
    client.on("close", () => this.#isAway(this.#lastError));
    client.on("ready", () => void this.#found());
    return client;
  }

  /** The server answers, which may be another one than before. */
  async #found(): Promise<void> {
    try {
      const warning = await inspectServer(this.#forWords, this.#place);
      if (warning !== undefined && warning.message !== this.#warning) this.#tell({ type: "queue.warned", error: warning });
      this.#warning = warning?.message;
      this.#first.resolve();
      this.#isBack();
      this.#announcer.flush();
    } catch (cause) {
      this.#isAway(cause);
    }
  }

  #isAway(cause: unknown): void {
    const error = unreachable(cause, this.#place);
    this.#first.reject(error);
    if (this.#closed !== undefined || this.#isStalled) return;
    this.#isStalled = true;
    this.#tell({ type: "queue.stalled", error });
  }

  #isBack(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#tell({ type: "queue.resumed" });
  }

  #tell(news: QueueNews): void {
    if (this.#consumer === undefined) this.#news = [...this.#news.slice(-KEPT_NEWS), news];
    else this.#consumer.told(news);
  }
}

function ignore(): void {}

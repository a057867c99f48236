import type { Job, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { StepwellError } from "../../model/errors.ts";
import type { QueueConsumer } from "../port.ts";
import type { Drivers } from "./drivers.ts";
import { QUEUE_NAME, readJob } from "./job.ts";

/** Jobs at once: they share one look, so that more of them only make it older. */
const MOST_JOBS = 128;
/** Room that is made within this is offered together: to begin again costs Redis a script. */
const GATHER_MS = 20;
/** A job for another worker group goes from hand to hand, until it seems that nobody serves it. */
const MOST_HANDS = 20;
/** A job whose look failed comes again, here or to another engine. */
const AGAIN_MS = 1_000;
/** Jobs that were refused are kept for somebody to look at, not for ever. */
const KEPT_FAILED = { count: 1_000, age: 7 * 86_400 } as const;
/** Whatever took a worker down with it is no fault of the job, which is only the word of a run. */
const ANY_COUNT = 1_000_000_000;

/** Fetches jobs for as long as the engine has room. A job is done when the look is that it caused. */
export class JobWorker {
  readonly #worker: Worker;
  readonly #bullmq: Drivers["bullmq"];
  #consumer: QueueConsumer | undefined;
  #gathering: NodeJS.Timeout | undefined;

  /** @param failed what the worker says of its connection; it tries again by itself */
  constructor({ bullmq }: Drivers, connection: Redis, prefix: string, failed: (cause: unknown) => void) {
    this.#bullmq = bullmq;
    this.#worker = new bullmq.Worker(QUEUE_NAME, (job, token) => this.#process(job, token), {
      connection,
      prefix,
      autorun: false,
      concurrency: 1,
      // done before, and without writing to the console
      skipVersionCheck: true,
      removeOnComplete: { count: 0 },
      removeOnFail: KEPT_FAILED,
      maxStalledCount: ANY_COUNT,
      runRetryDelay: AGAIN_MS,
    });
    this.#worker.on("error", failed);
  }

  consume(consumer: QueueConsumer): void {
    this.#consumer = consumer;
    this.#fit();
  }

  roomMade(): void {
    if (!this.#worker.isPaused() || this.#gathering !== undefined) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#fit();
    }, GATHER_MS).unref();
  }

  /** Without waiting for jobs in hand: they come back when their lock has run out, and wake somebody for nothing. */
  async close(): Promise<void> {
    clearTimeout(this.#gathering);
    await this.#worker.close(true);
  }

  /** Fetches as many jobs at once as there is room for; while there is none, others have them. */
  #fit(): void {
    const room = this.#consumer?.freeRuns() ?? 0;
    if (room <= 0) {
      void this.#worker.pause(true);
      return;
    }
    this.#worker.concurrency = Math.min(room, MOST_JOBS);
    if (this.#worker.isPaused() || !this.#worker.isRunning()) void this.#worker.resume();
  }

  async #process(job: Job<unknown>, token: string | undefined): Promise<void> {
    const { DelayedError, UnrecoverableError, WaitingError } = this.#bullmq;
    const said = readJob(job);
    if (said instanceof StepwellError) {
      this.#consumer?.told({ type: "job.refused", jobId: job.id ?? "", error: said });
      throw new UnrecoverableError(`${said.code}: ${said.message}`);
    }
    if (this.#consumer === undefined || this.#consumer.freeRuns() <= 0) {
      this.#fit();
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (!this.#consumer.serves(said.workerGroup) && job.attemptsStarted < MOST_HANDS) {
      // steps aside for as long as it takes others to fetch it
      void this.#worker.pause(true);
      this.roomMade();
      await job.moveToWait(token);
      throw new WaitingError();
    }
    try {
      await this.#consumer.look();
    } catch {
      // the engine has told why
      await job.moveToDelayed(Date.now() + AGAIN_MS, token);
      throw new DelayedError();
    }
    this.#fit();
  }
}

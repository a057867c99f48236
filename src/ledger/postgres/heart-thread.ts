import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { asStepwellError } from "../../model/errors.ts";
import { BEATS, type Heart, type LeaseFate, type LeaseTerms } from "./heart.ts";

/** The same ending as this file: `.ts` in development, `.js` in the package. */
const WORKER_FILE = fileURLToPath(new URL(`heart-worker${extname(import.meta.url)}`, import.meta.url));

/** `attended`: the event loop of those who attend to the runs comes round. */
export type ToHeart =
  | { readonly type: "start"; readonly url: string }
  | { readonly type: "beat"; readonly terms: LeaseTerms }
  | { readonly type: "attended" };
export type FromHeart = "ready" | "held" | "lost";

/** Heartbeats from a thread of their own: also while the event loop of this one stands still, within bounds. */
export class HeartThread implements Heart {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  #attending: NodeJS.Timeout | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#ended = once(worker, "exit").catch((cause: unknown) => cause);
  }

  /** Resolves when its heartbeats can begin: a lease may be shorter than a thread takes to start. */
  static async started(url: string): Promise<HeartThread> {
    const worker = new Worker(WORKER_FILE, { name: "heartbeats" });
    const heart = new HeartThread(worker);
    heart.#tell({ type: "start", url });
    await once(worker, "message").catch((cause: unknown) => {
      throw asStepwellError(cause);
    });
    worker.unref();
    return heart;
  }

  beat(terms: LeaseTerms, fate: LeaseFate): void {
    this.#worker.on("message", (message: FromHeart) => {
      if (message === "held") fate.held();
      else this.#lose(fate);
    });
    void this.#ended.then(() => this.#lose(fate));
    this.#tell({ type: "beat", terms });
    this.#attending = setInterval(() => this.#tell({ type: "attended" }), terms.leaseMs / BEATS).unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#attending);
    this.#worker.removeAllListeners("message");
    await this.#worker.terminate();
  }

  #tell(message: ToHeart): void {
    const port = this.#worker;
    port.postMessage(message);
  }

  #lose(fate: LeaseFate): void {
    clearInterval(this.#attending);
    fate.lost();
  }
}

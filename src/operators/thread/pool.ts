import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Piscina } from "piscina";
import { StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import { fromPortable, toPortable } from "../../model/portable-error.ts";
import type { OperatorContext } from "../operator.ts";
import { Suspension } from "../suspension.ts";
import { isFromThread, type ThreadCall, type ThreadOutcome } from "./messages.ts";
import { Slots } from "./slots.ts";

export interface ThreadPoolOptions {
  /** Operators that run in threads at once; further ones wait. Default: the processors, at least 2. */
  readonly maxThreads?: number;
  /** Megabytes of JavaScript heap of one thread. */
  readonly heapMb?: number;
  /** Milliseconds that an aborted operator gets to end by itself before its thread is terminated. */
  readonly graceMs?: number;
}

/** Where a thread finds an operator: an export of a module, as `loadOperators` names it. */
export interface ThreadTarget {
  readonly url: string;
  readonly exportName: string;
}

export interface ThreadPool {
  /**
   * Runs an operator in a worker thread: it may block or crash there without touching this thread. A suspension comes back as one. Errors keep
   * their code, message and stack. After an abort the error is the operator's own if it ended in time, else the signal's reason.
   *
   * @throws StepwellError `THREAD_FAILED` when the thread died, `OPERATORS_INVALID`, `VALUE_NOT_JSON`, `ENGINE_STOPPED`; else whatever the operator threw
   */
  run(target: ThreadTarget, input: Json, context: OperatorContext): Promise<Json | Suspension>;
  /** Terminates every thread, also those that are busy. */
  close(): Promise<void>;
}

/** An idle thread is kept for the next step of a burst; loading a module again costs tens of milliseconds. */
const IDLE_TIMEOUT_MS = 10_000;
/** The same ending as this file: `.ts` in development, `.js` in the package. */
const WORKER_FILE = fileURLToPath(new URL(`worker${extname(import.meta.url)}`, import.meta.url));

type Pool = Piscina<ThreadCall, ThreadOutcome>;

/** A pool without threads; they start with the first step that needs one and do not keep the process alive. */
export function createThreadPool(options: ThreadPoolOptions = {}): ThreadPool {
  const maxThreads = options.maxThreads ?? Math.max(2, availableParallelism());
  const slots = new Slots(maxThreads);
  let pool: Promise<Pool> | undefined;
  let stopped: StepwellError | undefined;

  async function run(target: ThreadTarget, input: Json, context: OperatorContext): Promise<Json | Suspension> {
    await slots.take(context.signal);
    try {
      pool ??= startPool(maxThreads, options.heapMb ?? LIMITS.threadHeapMb);
      const outcome = await new Call(context, options.graceMs ?? LIMITS.threadGraceMs).run(await pool, target, input);
      if (!outcome.ok) throw fromPortable(outcome.error);
      return "suspended" in outcome ? new Suspension(outcome.suspended) : outcome.output;
    } catch (error) {
      throw stopped ?? error;
    } finally {
      slots.give();
    }
  }

  async function close(): Promise<void> {
    stopped = new StepwellError("ENGINE_STOPPED", "The engine stopped before a step in a worker thread had ended");
    slots.close(stopped);
    await (await pool)?.destroy();
  }

  return { run, close };
}

/** Never asked for more than it has threads: after a thread dies, Piscina alone would leave its queue waiting for one that ends well. */
async function startPool(maxThreads: number, heapMb: number): Promise<Pool> {
  const { Piscina } = await import("piscina");
  const pool = new Piscina<ThreadCall, ThreadOutcome>({
    minThreads: 0,
    maxThreads,
    idleTimeout: IDLE_TIMEOUT_MS,
    // Waiting on atomics would freeze what an operator leaves running in its thread, such as connections that it keeps.
    atomics: "disabled",
    recordTiming: false,
    workerHistogram: false,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  // A thread that breaks between two steps takes nothing with it; the next step gets another.
  pool.on("error", () => {});
  return pool;
}

/** One operator call in one thread. */
class Call {
  readonly #context: OperatorContext;
  readonly #graceMs: number;
  readonly #kill = new AbortController();
  #started = false;
  #grace: NodeJS.Timeout | undefined;

  constructor(context: OperatorContext, graceMs: number) {
    this.#context = context;
    this.#graceMs = graceMs;
  }

  async run(pool: Pool, { url, exportName }: ThreadTarget, input: Json): Promise<ThreadOutcome> {
    const { signal, stepId, workflow, runId, run, attempt, idempotencyKey } = this.#context;
    signal.throwIfAborted();
    const { port1, port2 } = new MessageChannel();
    port1.on("message", this.#receive);
    const stop = () => this.#stop(port1);
    signal.addEventListener("abort", stop, { once: true });
    const context = { stepId, workflow, runId, run, attempt, idempotencyKey };
    const call = { moduleUrl: url, exportName, input, context, port: port2 };
    try {
      return await pool.run(call, { filename: WORKER_FILE, name: "runCall", transferList: [port2], signal: this.#kill.signal });
    } catch (error) {
      throw this.#kill.signal.aborted ? signal.reason : threadFailed(stepId, error);
    } finally {
      // The outcome takes another way than the port and may overtake lines that were written before it.
      this.#drain(port1);
      port1.close();
      clearTimeout(this.#grace);
      signal.removeEventListener("abort", stop);
    }
  }

  readonly #receive = (message: unknown): void => {
    if (!isFromThread(message)) return;
    if (message.type === "started") this.#started = true;
    else this.#context.log[message.level](message.message, message.fields);
  };

  #drain(port: MessagePort): void {
    for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port))
      this.#receive(received.message);
  }

  /** Tells a running operator to stop and waits a moment for it; what has not begun, or is still loading its module, ends at once. */
  #stop(port: MessagePort): void {
    this.#drain(port);
    if (this.#started) {
      port.postMessage(toPortable(this.#context.signal.reason));
      this.#grace = setTimeout(() => this.#kill.abort(), this.#graceMs);
    } else {
      this.#kill.abort();
    }
  }
}

function threadFailed(stepId: string, cause: unknown): StepwellError {
  const how = cause instanceof Error ? cause.message : String(cause);
  return new StepwellError("THREAD_FAILED", `The worker thread of step "${stepId}" ended before the step: ${how}`, {
    hint: "It called process.exit, threw outside of the operator's promise, or used more memory than a thread has.",
    cause,
  });
}

import type { Ledger } from "../../ledger/port.ts";
import { inspectLedger, isSharedLedger } from "../../ledger/url.ts";
import type { ErrorCode } from "../../model/error-codes.ts";
import { asStepwellError, StepwellError } from "../../model/errors.ts";
import type { HttpProblem } from "../../server/problem-answer.ts";

/** A ledger that does not answer within this is out of reach for whoever asks. */
const ANSWER_MS = 3_000;
/** However many ask, the ledger is asked once in this time. */
const FRESH_MS = 1_000;

/** Whether a process may be given work. */
export class Readiness {
  #problem: HttpProblem | undefined = { code: "NOT_READY", detail: "The process is starting" };
  #isDraining = false;
  #hasBeenReady = false;
  #ask: () => Promise<void> = () => Promise.resolve();
  #asked: { readonly at: number; readonly problem: Promise<HttpProblem | undefined> } | undefined;

  /** @param ask whether that still holds; rejects when it does not */
  ready(ask: () => Promise<void>): void {
    this.#ask = ask;
    this.#asked = undefined;
    this.#problem = undefined;
    this.#hasBeenReady = true;
  }

  get hasBeenReady(): boolean {
    return this.#hasBeenReady;
  }

  lost(error: unknown): void {
    this.#problem = { code: codeOf(error) };
  }

  draining(): void {
    this.#isDraining = true;
  }

  /** Why not; without what only the log may say: addresses, names, places. */
  async unready(): Promise<HttpProblem | undefined> {
    return this.#known() ?? (await this.#fresh()) ?? this.#known();
  }

  #known(): HttpProblem | undefined {
    return this.#isDraining ? { code: "NOT_READY", detail: "The process is being stopped" } : this.#problem;
  }

  #fresh(): Promise<HttpProblem | undefined> {
    const now = performance.now();
    if (this.#asked === undefined || now - this.#asked.at >= FRESH_MS) this.#asked = { at: now, problem: problemOf(this.#ask()) };
    return this.#asked.problem;
  }
}

async function problemOf(answer: Promise<void>): Promise<HttpProblem | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<HttpProblem>();
  const timer = setTimeout(() => resolve({ code: "LEDGER_UNREACHABLE" }), ANSWER_MS);
  const told = answer.then(
    () => undefined,
    (error: unknown) => ({ code: codeOf(error) }),
  );
  try {
    return await Promise.race([told, late]);
  } finally {
    clearTimeout(timer);
  }
}

const codeOf = (error: unknown): ErrorCode => asStepwellError(error).code;

/**
 * Asks a ledger whether this process can work on it. On PostgreSQL over a connection of its own: busy pools do not delay the answer,
 * and the server's clock says whether the lease still holds, also when this process stood still.
 *
 * @param epoch of the engine in this process; undefined: there is none
 * @throws StepwellError what stands in the way
 */
export async function askLedger(url: string, ledger: Ledger, epoch: number | undefined): Promise<void> {
  if (!isSharedLedger(url)) {
    await ledger.waits.nextDue();
    return;
  }
  const found = await inspectLedger(url, 0);
  if (found?.kind !== "postgres" || found.schema === null || found.server.isReplica)
    throw new StepwellError("LEDGER_UNAVAILABLE", "The ledger is gone, or its server takes no writes");
  const { engines, migrations } = found.schema;
  if (migrations.applied < migrations.known)
    throw new StepwellError("LEDGER_UNAVAILABLE", "The schema of the ledger is not that of this version");
  if (epoch !== undefined && !engines.some((engine) => engine.epoch === epoch && engine.isAlive))
    throw new StepwellError("LEDGER_FENCED", "The lease has run out");
}

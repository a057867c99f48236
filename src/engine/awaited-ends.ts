import type { Ledger } from "../ledger/port.ts";
import { asStepwellError, StepwellError } from "../model/errors.ts";
import { isTerminalRun } from "../model/status.ts";
import type { RunOutcome } from "./api.ts";
import type { DrivenRun, RunEnd } from "./run-host.ts";
import { outcomeOf } from "./run-results.ts";
import { Waiters } from "./waiters.ts";

/** Ends of runs that callers wait for, also of those that this engine does not drive: these are found in the ledger. */
export class AwaitedEnds {
  readonly #ledger: Ledger;
  readonly #tenant: string;
  readonly #isHere: (publicId: string) => boolean;
  readonly #waiters = new Waiters<RunOutcome>();
  /** By public id: runs that cannot be driven on in this process, and why. */
  readonly #broken = new Map<string, StepwellError>();

  constructor(ledger: Ledger, tenant: string, isHere: (publicId: string) => boolean) {
    this.#ledger = ledger;
    this.#tenant = tenant;
    this.#isHere = isHere;
  }

  /** How many runs somebody waits for. */
  get size(): number {
    return this.#waiters.size;
  }

  /** @throws StepwellError `RUN_NOT_FOUND`, or what broke the run in this process */
  wait(publicId: string): Promise<RunOutcome> {
    const broken = this.#broken.get(publicId);
    if (broken !== undefined) return Promise.reject(broken);
    const ended = this.#waiters.wait(publicId);
    // not awaited: an engine that stops meanwhile rejects a promise that the caller must have by then
    void this.#lookFor(publicId);
    return ended;
  }

  ended(run: DrivenRun, end: RunEnd): void {
    const { workflow, version } = run.context;
    this.#waiters.resolve(run.publicId, () => ({ id: run.publicId, workflow, version, ...end }));
  }

  broke(publicId: string, error: StepwellError): void {
    this.#broken.set(publicId, error);
    this.#waiters.reject(publicId, error);
  }

  /** The run is driven here. */
  isDriven(publicId: string): void {
    this.#broken.delete(publicId);
  }

  rejectAll(error: StepwellError): void {
    this.#waiters.rejectAll(error);
  }

  async lookForAll(): Promise<void> {
    const elsewhere = this.#waiters.names().filter((publicId) => !this.#isHere(publicId));
    if (elsewhere.length === 0) return;
    const { ended, missing } = await this.#ledger.findEnds(this.#tenant, elsewhere);
    for (const row of ended) this.#waiters.resolve(row.publicId, () => outcomeOf(row));
    for (const publicId of missing) this.#waiters.reject(publicId, notThere(publicId));
  }

  /** Tells who waits also when there is no such run. */
  async #lookFor(publicId: string): Promise<void> {
    if (this.#isHere(publicId)) return;
    try {
      const row = await this.#ledger.getRun(this.#tenant, publicId);
      if (row === undefined) throw notThere(publicId);
      if (isTerminalRun(row.status)) this.#waiters.resolve(publicId, () => outcomeOf(row));
    } catch (cause) {
      this.#waiters.reject(publicId, asStepwellError(cause));
    }
  }
}

function notThere(publicId: string): StepwellError {
  return new StepwellError("RUN_NOT_FOUND", `there is no run ${publicId}`);
}

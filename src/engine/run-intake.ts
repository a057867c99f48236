import { isPassing } from "../ledger/passing.ts";
import type { InboxRow } from "../ledger/rows.ts";
import { asStepwellError, type StepwellError } from "../model/errors.ts";
import { isTerminalRun } from "../model/status.ts";
import type { Catalog } from "./catalog.ts";
import { Passage } from "./passage.ts";
import { RunDriver } from "./run-driver.ts";
import type { RunHost } from "./run-host.ts";
import { contextOf } from "./run-results.ts";

/** A run that is being read, and what may not be in what is read. */
interface Reading {
  /** Sent to it meanwhile. */
  readonly arrived: InboxRow[];
  /** It was given to this engine meanwhile. */
  isGiven: boolean;
}

export interface IntakeHost {
  readonly host: RunHost;
  readonly catalog: Catalog;
  /** Whether taking a run up means that it was claimed just now. */
  readonly isShared: boolean;
  /** The run, if it is in memory. */
  find(runId: number): RunDriver | undefined;
  begin(run: RunDriver): void;
  /** Whether the run is this engine's from now on; one that another engine has is not. */
  claim(runId: number): Promise<boolean>;
  /** A run cannot be looked at now. */
  lookFailed(cause: unknown): void;
  /** A run cannot be driven on in this process. */
  broke(publicId: string, error: StepwellError): void;
}

/** Brings runs of the ledger into memory: for what was sent to them, for their due times, and after their engine has died. */
export class RunIntake {
  readonly #to: IntakeHost;
  readonly #reading = new Passage<number, Reading>();
  /** Runs that this version of Stepwell cannot read; told once, left as they are. */
  readonly #unreadable = new Set<number>();

  constructor(to: IntakeHost) {
    this.#to = to;
  }

  /** A row is in the inbox of a run: its driver is told, or it gets one. */
  async deliver(row: InboxRow): Promise<void> {
    const run = this.#to.find(row.runId);
    if (run !== undefined) run.deliver([row]);
    else if (this.#reading.has(row.runId)) this.#reading.get(row.runId)?.arrived.push(row);
    else await this.hearOf(row.runId);
  }

  /** A commit put rows into inboxes: of parents, children, or runs that waited for an event. */
  deliverSoon(rows: readonly InboxRow[]): void {
    for (const row of rows) this.deliver(row).catch((cause: unknown) => this.#to.lookFailed(cause));
  }

  takeUpSoon(runIds: readonly number[]): void {
    for (const runId of runIds) this.takeUp(runId).catch((cause: unknown) => this.#to.lookFailed(cause));
  }

  /** What was accepted stays so: that its run cannot be read now is no matter of who sent it. */
  async deliverAccepted(row: InboxRow): Promise<void> {
    try {
      await this.deliver(row);
    } catch (cause) {
      if (!isPassing(asStepwellError(cause))) throw cause;
      this.#to.lookFailed(cause);
    }
  }

  /** A run has something to do: drives it on unless another engine does. */
  async hearOf(runId: number): Promise<void> {
    if (await this.#to.claim(runId)) await this.takeUp(runId);
  }

  /**
   * Drives a run on that is this engine's; does nothing for one that has ended.
   *
   * @param isAdmitted it has its turn: one that is in memory and waits for that does not know
   */
  async takeUp(runId: number, isAdmitted = false): Promise<void> {
    const { host, catalog } = this.#to;
    if (host.isStopping || this.#unreadable.has(runId)) return;
    const isGiven = this.#to.isShared || isAdmitted;
    const before = this.#reading.get(runId);
    if (before !== undefined) {
      before.isGiven ||= isGiven;
      return;
    }
    const here = this.#to.find(runId);
    if (here !== undefined) {
      if (isGiven) here.lookAgain();
      return;
    }
    const reading: Reading = { arrived: [], isGiven: false };
    this.#reading.set(runId, reading);
    let publicId = String(runId);
    try {
      const stored = await host.load(runId);
      if (stored === undefined || isTerminalRun(stored.run.status)) return;
      publicId = stored.run.publicId;
      const plan = await host.patiently(() => catalog.ofVersion(stored.run.versionId));
      const run = RunDriver.resume(host, plan, contextOf(stored.run), stored);
      this.#to.begin(run);
      run.deliver(reading.arrived);
      if (reading.isGiven) run.lookAgain();
    } catch (cause) {
      const error = asStepwellError(cause);
      if (error.code.startsWith("LEDGER_") && error.code !== "LEDGER_CORRUPT") throw error;
      this.#unreadable.add(runId);
      this.#to.broke(publicId, error);
    } finally {
      this.#reading.take(runId);
    }
  }
}

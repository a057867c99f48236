import { StepwellError } from "../../model/errors.ts";
import type { Connections } from "./connections.ts";
import { BEATS, type Heart, type LeaseTerms } from "./heart.ts";

export interface LeaseHost {
  readonly connections: Connections;
  /** The worker no longer has the right to write. */
  lost(error: StepwellError): void;
  /** Looks for workers whose lease has run out; milliseconds until that of another may have, null when there is no other. */
  sweep(): Promise<number | null>;
}

/**
 * Keeps a worker's lease by heartbeats, and looks for others whose lease has run out. After a lease without a heartbeat (the worker was
 * stopped, its event loop stood still, the network was cut) it takes itself for fenced, whoever else knows.
 */
export class Lease {
  readonly #host: LeaseHost;
  readonly #terms: LeaseTerms;
  readonly #heart: Heart;
  #isOver = false;
  #isSweeping = false;
  #nextSweep: NodeJS.Timeout | undefined;

  constructor(host: LeaseHost, terms: LeaseTerms, heart: Heart) {
    this.#host = host;
    this.#terms = terms;
    this.#heart = heart;
    heart.beat(terms, { held: () => void this.#sweep(), lost: () => this.#lose() });
  }

  /** No heartbeat follows. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#nextSweep);
    await this.#heart.end();
  }

  /** Beside the heartbeats: it may have to wait for what it fences. A lease that runs out before the next one is looked at then. */
  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    clearTimeout(this.#nextSweep);
    // what fails now is tried again after the next heartbeat
    const inMs = await this.#host.sweep().catch(() => null);
    this.#isSweeping = false;
    if (!this.#isOver && inMs !== null && inMs < this.#terms.leaseMs / BEATS)
      this.#nextSweep = setTimeout(() => void this.#sweep(), inMs + 1).unref();
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { name } = this.#host.connections.place;
    this.#host.lost(
      new StepwellError("LEDGER_FENCED", `The lease of this worker on ${name} has run out; its runs are free for others`, {
        hint: "Look for a process that was stopped, an operator that blocks the event loop, or a network that was cut.",
        data: { ledger: name, epoch: this.#terms.epoch },
      }),
    );
  }
}

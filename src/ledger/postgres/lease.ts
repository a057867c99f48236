import type { Client } from "pg";
import { StepwellError } from "../../model/errors.ts";
import type { Connections } from "./connections.ts";
import { prepared } from "./connections.ts";
import { HEARTBEAT } from "./workers.ts";

/** Heartbeats in one lease: two may be lost. */
const BEATS = 4;

export interface LeaseHost {
  readonly connections: Connections;
  /** The worker no longer has the right to write. */
  lost(error: StepwellError): void;
  /** Looks for workers whose lease has run out; milliseconds until that of another may have, null when there is no other. */
  sweep(): Promise<number | null>;
}

/**
 * Keeps a worker's lease by heartbeats on a connection of their own, that no busy pool can hold up, and looks for others whose lease has
 * run out. Time is that of the server; this process only watches how long it has not heard of a heartbeat: after a lease without
 * one (it was stopped, its event loop stood still, the network was cut) it takes itself for fenced, whoever else knows.
 */
export class Lease {
  readonly #host: LeaseHost;
  readonly #epoch: number;
  readonly #leaseMs: number;
  #client: Client | undefined;
  #connecting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** On the monotonic clock: when the last heartbeat that was answered had been sent. */
  #heldAt = performance.now();
  #isOver = false;
  #isSweeping = false;
  #nextSweep: NodeJS.Timeout | undefined;

  constructor(host: LeaseHost, epoch: number, leaseMs: number) {
    this.#host = host;
    this.#epoch = epoch;
    this.#leaseMs = leaseMs;
    this.#schedule();
  }

  /** No heartbeat follows. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#nextSweep);
    await this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#connecting = undefined;
    if (client !== undefined) await this.#host.connections.end(client);
  }

  #schedule(): void {
    if (this.#isOver) return;
    this.#timer = setTimeout(() => void this.#beat(), this.#leaseMs / BEATS).unref();
  }

  async #beat(): Promise<void> {
    const sentAt = performance.now();
    try {
      if (!(await this.#isHeld())) {
        this.#lose();
        return;
      }
      this.#heldAt = sentAt;
      void this.#sweep();
    } catch {
      // the next beat has another connection; a lease that runs out meanwhile is noticed below
      if (this.#client !== undefined) void this.#disconnect();
    }
    if (performance.now() - this.#heldAt >= this.#leaseMs) this.#lose();
    else this.#schedule();
  }

  /** Rejects when the server does not answer until the next heartbeat is due. */
  async #isHeld(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), this.#leaseMs / BEATS).unref();
    });
    try {
      return await Promise.race([this.#ask(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<boolean> {
    this.#connecting ??= this.#connect();
    await this.#connecting;
    const { rows } = (await this.#client?.query({ ...prepared(HEARTBEAT), values: [this.#epoch] })) ?? { rows: [] };
    return rows.length > 0;
  }

  /** A connection that comes late serves the next heartbeat. */
  async #connect(): Promise<void> {
    try {
      this.#client = await this.#host.connections.dedicated();
    } catch (cause) {
      this.#connecting = undefined;
      throw cause;
    }
    if (this.#isOver) await this.end();
  }

  /** Beside the heartbeats: it may have to wait for what it fences. A lease that runs out before the next one is looked at then. */
  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    clearTimeout(this.#nextSweep);
    // what fails now is tried again after the next heartbeat
    const inMs = await this.#host.sweep().catch(() => null);
    this.#isSweeping = false;
    if (!this.#isOver && inMs !== null && inMs < this.#leaseMs / BEATS)
      this.#nextSweep = setTimeout(() => void this.#sweep(), inMs + 1).unref();
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { name } = this.#host.connections.place;
    this.#host.lost(
      new StepwellError("LEDGER_FENCED", `The lease of this worker on ${name} has run out; its runs are free for others`, {
        hint: "Look for a process that was stopped, an operator that blocks the event loop, or a network that was cut.",
        data: { ledger: name, epoch: this.#epoch },
      }),
    );
  }
}

import type { Client } from "pg";
import { type Connections, prepared } from "./connections.ts";
import { HEARTBEAT } from "./workers.ts";

/** Heartbeats in one lease: two may be lost. */
export const BEATS = 4;

export interface LeaseTerms {
  readonly epoch: number;
  readonly leaseMs: number;
}

/** What becomes of a lease. */
export interface LeaseFate {
  /** A heartbeat was answered. */
  held(): void;
  /** The worker was fenced, or no heartbeat was answered for a lease. It comes once, and nothing after it. */
  lost(): void;
}

/** Sends the heartbeats of a worker. */
export interface Heart {
  beat(terms: LeaseTerms, fate: LeaseFate): void;
  /** No heartbeat follows. */
  end(): Promise<void>;
}

/**
 * Heartbeats on a connection of their own, that no busy pool can hold up. Time is that of the server; this process only watches how long
 * it has not heard of a heartbeat.
 */
export class ConnectedHeart implements Heart {
  readonly #connections: Connections;
  readonly #isAttended: () => boolean;
  #client: Client | undefined;
  #connecting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** On the monotonic clock: when the last heartbeat that was answered had been sent. */
  #heldAt = 0;
  #isOver = false;

  /** @param isAttended whether anybody still attends to the worker's runs; while nobody does, no heartbeat is sent */
  constructor(connections: Connections, isAttended: () => boolean) {
    this.#connections = connections;
    this.#isAttended = isAttended;
  }

  beat(terms: LeaseTerms, fate: LeaseFate): void {
    this.#heldAt = performance.now();
    this.#schedule(terms, fate);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#connecting = undefined;
    if (client !== undefined) await this.#connections.end(client);
  }

  #schedule(terms: LeaseTerms, fate: LeaseFate): void {
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#beat(terms, fate), terms.leaseMs / BEATS).unref();
  }

  async #beat(terms: LeaseTerms, fate: LeaseFate): Promise<void> {
    const isHeld = this.#isAttended() ? await this.#tryBeat(terms) : undefined;
    if (this.#isOver) return;
    if (isHeld === true) fate.held();
    if (isHeld === false || performance.now() - this.#heldAt >= terms.leaseMs) {
      this.#isOver = true;
      fate.lost();
    } else {
      this.#schedule(terms, fate);
    }
  }

  /** Undefined when the server did not answer: the next heartbeat has another connection. */
  async #tryBeat(terms: LeaseTerms): Promise<boolean | undefined> {
    const sentAt = performance.now();
    try {
      const isHeld = await this.#isHeld(terms);
      if (isHeld) this.#heldAt = sentAt;
      return isHeld;
    } catch {
      if (this.#client !== undefined) void this.#disconnect();
      return undefined;
    }
  }

  /** Rejects when the server does not answer until the next heartbeat is due. */
  async #isHeld(terms: LeaseTerms): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), terms.leaseMs / BEATS).unref();
    });
    try {
      return await Promise.race([this.#ask(terms.epoch), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(epoch: number): Promise<boolean> {
    this.#connecting ??= this.#connect();
    await this.#connecting;
    const { rows } = (await this.#client?.query({ ...prepared(HEARTBEAT), values: [epoch] })) ?? { rows: [] };
    return rows.length > 0;
  }

  /** A connection that comes late serves the next heartbeat. */
  async #connect(): Promise<void> {
    try {
      this.#client = await this.#connections.dedicated();
    } catch (cause) {
      this.#connecting = undefined;
      throw cause;
    }
    if (this.#isOver) await this.end();
  }
}

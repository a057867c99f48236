import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import type { Connections } from "./connections.ts";

/** A process that writes a thousand times a second gives two hundred hints: each takes a lock of the whole database at its commit. */
const GATHER_MS = 5;
/** How soon a lost listener is made anew; meanwhile everything is found by looking. */
const AGAIN_MS = 1_000;
const WATCH_MS = 5_000;
const ANSWER_MS = 5_000;

/**
 * Tells other processes that they may find something, and hears of it from them: one listener for each process, and never a word
 * in the transaction that wrote. Nothing depends on a hint.
 */
export class Hints {
  readonly #connections: Connections;
  readonly #self = randomUUID();
  #listener: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #hasHeard = false;
  #isOver = false;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Whether another process has written something since the last call. */
  heard(): boolean {
    const heard = this.#hasHeard;
    this.#hasHeard = false;
    return heard;
  }

  give(): void {
    if (this.#isOver) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#connections
        .with("writers", (client) => client.query("SELECT pg_notify($1, $2)", [this.#connections.place.schema, this.#self]))
        .catch(() => undefined);
    }, GATHER_MS).unref();
  }

  async listen(): Promise<void> {
    let client: Client | undefined;
    try {
      client = await this.#connections.dedicated(ANSWER_MS);
      client.on("notification", ({ payload }) => {
        this.#hasHeard ||= payload !== this.#self;
      });
      await client.query(`LISTEN ${this.#connections.place.schema}`);
      // what was told before is not heard any more
      this.#hasHeard = true;
      this.#watch(client);
    } catch {
      this.#listenAgain(client);
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    for (const timer of [this.#timer, this.#again, this.#watching]) clearTimeout(timer);
    if (this.#listener !== undefined) await this.#connections.end(this.#listener);
  }

  /** Asks the listener's connection for a sign of life from time to time: one that is only half there never ends by itself. */
  #watch(client: Client): void {
    if (this.#isOver) {
      void this.#connections.end(client);
      return;
    }
    this.#listener = client;
    client.once("end", () => this.#listenAgain(client));
    const ask = (): void => {
      client.query("SELECT 1").then(next, () => this.#listenAgain(client));
    };
    const next = (): void => {
      if (this.#listener === client) this.#watching = setTimeout(ask, WATCH_MS).unref();
    };
    next();
  }

  #listenAgain(lost: Client | undefined): void {
    if (lost !== undefined) void this.#connections.end(lost);
    if (this.#isOver || this.#listener !== lost) return;
    this.#listener = undefined;
    clearTimeout(this.#watching);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.listen(), AGAIN_MS).unref();
  }
}

import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import type { Connections } from "./connections.ts";

/** A process that writes a thousand times a second gives two hundred hints: each takes a lock of the whole database at its commit. */
const GATHER_MS = 5;
/** How soon a lost listener is made anew; meanwhile everything is found by looking. */
const AGAIN_MS = 1_000;

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
    try {
      const client = await this.#connections.dedicated();
      this.#listener = client;
      client.on("notification", ({ payload }) => {
        this.#hasHeard ||= payload !== this.#self;
      });
      client.once("end", () => this.#listenAgain());
      await client.query(`LISTEN ${this.#connections.place.schema}`);
      // what was told before is not heard any more
      this.#hasHeard = true;
    } catch {
      this.#listenAgain();
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    await this.#listener?.end();
  }

  #listenAgain(): void {
    this.#listener = undefined;
    if (this.#isOver) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.listen(), AGAIN_MS).unref();
  }
}

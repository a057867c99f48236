import type { MessagePort } from "node:worker_threads";
import { StepwellError } from "../../model/errors.ts";
import { fromPortable } from "../../model/portable-error.ts";
import type { Call, FromThread, Part } from "./protocol.ts";

interface Asked {
  readonly answer: (value: never) => void;
  readonly fail: (error: Error) => void;
}

export interface Opened {
  readonly lanes: number;
  readonly isShared: boolean;
}

/** A ledger at the other end of a port, in another thread, as those see it who ask it. */
export class LedgerThread {
  readonly #port: MessagePort;
  readonly #asked = new Map<number, Asked>();
  readonly #opening = Promise.withResolvers<Opened>();
  readonly #ended = Promise.withResolvers<void>();
  #lastId = 0;
  #hasEnded = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (message: FromThread) => this.#heard(message));
  }

  /** @throws StepwellError what opening the ledger raises */
  opened(): Promise<Opened> {
    return this.#opening.promise;
  }

  /** @throws StepwellError what the method raises; `LEDGER_IO` when the thread dies meanwhile, `LEDGER_UNAVAILABLE` when it has ended */
  ask(part: Part | null, method: string, args: readonly unknown[]): Promise<never> {
    if (this.#hasEnded) return Promise.reject(new StepwellError("LEDGER_UNAVAILABLE", "The ledger is closed"));
    const id = ++this.#lastId;
    return new Promise<never>((answer, fail) => {
      this.#asked.set(id, { answer, fail });
      const call: Call = { id, part, method, args };
      const port = this.#port;
      port.postMessage(call);
    });
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    await this.ask(null, "close", []);
    await this.#ended.promise;
  }

  #heard(message: FromThread): void {
    switch (message.type) {
      case "opened":
        this.#opening.resolve(message);
        return;
      case "refused":
        this.#opening.reject(fromPortable(message.error));
        return;
      case "answer":
        this.#take(message.id)?.answer(message.value);
        return;
      case "failure":
        this.#take(message.id)?.fail(fromPortable(message.error));
    }
  }

  #take(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  /**
   * The thread has ended. What it was asked and has not answered may have been done.
   *
   * @param cause when it was not asked to
   */
  end(cause: Error | undefined): void {
    this.#hasEnded = true;
    const error = new StepwellError("LEDGER_IO", `The thread of the ledger ended: ${cause?.message ?? "something ended it"}`, {
      hint: "Start the process again: it goes on with what the ledger holds.",
      cause,
    });
    this.#opening.reject(error);
    for (const { fail } of this.#asked.values()) fail(error);
    this.#asked.clear();
    this.#ended.resolve();
  }
}

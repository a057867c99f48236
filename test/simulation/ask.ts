import { StepwellError } from "../../src/model/errors.ts";
import type { Connected, Incarnation, World } from "./world.ts";

/** What a caller may hear while faults are on; it tries again. */
const REFUSALS: ReadonlySet<string> = new Set([
  "LEDGER_BUSY",
  "LEDGER_FULL",
  "ENGINE_STOPPED",
  "LEDGER_FENCED",
  "LEDGER_UNAVAILABLE",
  "LEDGER_CONFLICT",
]);

/** How somebody outside speaks to the world: to the engine that is open, or through another process's own handle. */
export class Asking {
  readonly #world: World;
  /** Answers that end a request for good: the caller hears them as an error. */
  readonly #final: ReadonlySet<string>;

  constructor(world: World, final: readonly string[] = ["RUN_FINISHED"]) {
    this.#world = world;
    this.#final = new Set(final);
  }

  /** Asks the engine that is open; undefined when its process died before it answered, or it could not answer now. */
  async engine<T>(question: (incarnation: Incarnation) => Promise<T>): Promise<T | undefined> {
    return this.#answerOf(await this.#world.engine(), question);
  }

  async elsewhere<T>(question: (connected: Connected) => Promise<T>): Promise<T | undefined> {
    return this.#answerOf(await this.#world.elsewhere(), question);
  }

  async #answerOf<A extends Connected, T>(asked: A, question: (asked: A) => Promise<T>): Promise<T | undefined> {
    try {
      return await asked.process.outlive(question(asked));
    } catch (error) {
      const code = error instanceof StepwellError ? error.code : "";
      if (this.#final.has(code)) throw error;
      if (!REFUSALS.has(code))
        this.#world.log.violated("P1", `a caller was refused: ${error instanceof Error ? error.stack : String(error)}`);
      return undefined;
    }
  }
}

import { StepwellError } from "../../src/model/errors.ts";
import type { Connected, Incarnation, World } from "./world.ts";

/** What a caller may hear while faults are on; it tries again. */
const REFUSALS: ReadonlySet<string> = new Set(["LEDGER_BUSY", "LEDGER_FULL", "ENGINE_STOPPED", "LEDGER_FENCED", "LEDGER_UNAVAILABLE"]);

export interface Manners {
  /** What it may hear besides, and tries again. */
  readonly tolerated?: readonly string[];
  /** What ends its request for good: it hears that as an error. */
  readonly final?: readonly string[];
}

/** How somebody outside speaks to the world: to the engine that is open, or through another process's own handle. */
export class Asking {
  readonly #world: World;
  readonly #tolerated: ReadonlySet<string>;
  readonly #final: ReadonlySet<string>;

  constructor(world: World, { tolerated = [], final = [] }: Manners = {}) {
    this.#world = world;
    this.#tolerated = new Set([...REFUSALS, ...tolerated]);
    this.#final = new Set(["RUN_FINISHED", ...final]);
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
      if (!this.#tolerated.has(code))
        this.#world.log.violated("P1", `a caller was refused: ${error instanceof Error ? error.stack : String(error)}`);
      return undefined;
    }
  }
}

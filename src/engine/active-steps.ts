import { Passage } from "./passage.ts";
import type { StepState } from "./step-state.ts";

const NONE: readonly StepState[] = [];

/**
 * Steps that have started and have not settled, in the order in which they started. Most runs have one at a time: it stands by itself,
 * and no map is made.
 */
export class ActiveSteps {
  /** Filled only while there are no others, so that it is older than all of them. */
  #first: StepState | undefined;
  #others: Passage<number, StepState> | undefined;

  get(ordinal: number): StepState | undefined {
    return this.#first?.ordinal === ordinal ? this.#first : this.#others?.get(ordinal);
  }

  has(ordinal: number): boolean {
    return this.get(ordinal) !== undefined;
  }

  add(state: StepState): void {
    if (this.#first === undefined && (this.#others === undefined || this.#others.size === 0)) {
      this.#first = state;
      return;
    }
    this.#others ??= new Passage();
    this.#others.set(state.ordinal, state);
  }

  delete(ordinal: number): void {
    if (this.#first?.ordinal === ordinal) this.#first = undefined;
    else this.#others?.take(ordinal);
  }

  /** Lists the steps that are here now. */
  values(): readonly StepState[] {
    const others = this.#others?.values() ?? NONE;
    return this.#first === undefined ? others : [this.#first, ...others];
  }
}

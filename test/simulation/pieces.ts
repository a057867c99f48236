/**
 * What a seed makes, piece by piece: runs, parts of programs, deaths, faults. A piece that is left out was drawn all the same, so that the
 * others stay what they are.
 */
export class Pieces {
  readonly #kept = new Set<string>();
  readonly #only: ReadonlySet<string> | undefined;

  /** @param only the pieces that stay; undefined: all of them */
  constructor(only: readonly string[] | undefined) {
    this.#only = only === undefined ? undefined : new Set(only);
  }

  /** Nothing is left out: it must be as rich as every seed is. */
  get isWhole(): boolean {
    return this.#only === undefined;
  }

  /** Those that were asked for and are there, in that order. */
  get kept(): readonly string[] {
    return [...this.#kept];
  }

  keeps(piece: string): boolean {
    const isKept = this.#only?.has(piece) ?? true;
    if (isKept) this.#kept.add(piece);
    return isKept;
  }
}

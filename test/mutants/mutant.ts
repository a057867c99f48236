/** A fault that is planted into a copy of the engine, to show that a proof would find it. */
export interface Mutant {
  readonly name: string;
  /** What it makes of the engine. */
  readonly does: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

import { invariant } from "../model/errors.ts";
import { at } from "./at.ts";
import type { Level } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { Path } from "./path.ts";

/** A step that an expression reads. */
export interface StepReference {
  /** In the level of the reading step. */
  readonly ordinal: number;
  /** The reading step is skipped when the read one was. */
  readonly required: boolean;
  readonly path: Path;
}

/** Collects which steps of a level are read by which. What a body reads of the outside, its block reads for it. */
export class LevelReferences {
  /** By ordinal of the reading step. */
  readonly byStep: readonly StepReference[][];
  /** Ids of outer steps that are read in here. */
  readonly outward = new Set<string>();
  readonly #level: Level;
  /** Of the level that the block of this body stands in; null for the workflow's own steps. */
  readonly #around: LevelReferences | null;
  readonly #report: Report;

  constructor(level: Level, around: LevelReferences | null, report: Report) {
    this.#level = level;
    this.#around = around;
    this.byStep = level.steps.map(() => []);
    this.#report = report;
  }

  /** Notes that a step of this level reads `id`; reader null: the block around it (or the workflow) does, after its steps have settled. */
  note(reader: number | null, id: string, required: boolean, path: Path): void {
    const { ordinals, block } = this.#level;
    const ordinal = ordinals.get(id);
    if (ordinal !== undefined) {
      if (reader !== null) at(this.byStep, reader).push({ ordinal, required, path });
    } else {
      invariant(this.#around !== null && block !== null, "only steps that there are can be read");
      this.outward.add(id);
      this.#around.#noteFromBody(block.ordinal, id, required, path);
    }
  }

  #noteFromBody(block: number, id: string, required: boolean, path: Path): void {
    if (this.#level.ordinals.get(id) !== block) this.note(block, id, required, path);
    else {
      const message = `Block \`${id}\` has not ended while its own steps run, so they cannot refer to it`;
      this.#report({ code: "STEP_NOT_BEFORE", path, message, hint: "Read the step inside whose output you mean." });
    }
  }
}

import type { LedgerWrite } from "../own-writes.ts";
import type { WriteKind } from "../sql/description.ts";
import { execute, executorsBy } from "../sql/executors.ts";
import type { Unit } from "../writes.ts";
import { BigintArray, TextArray } from "./binary-array.ts";
import { type Layout, layoutOf } from "./layout.ts";

/** Writes in the form in which the function takes them. */
export interface EncodedWrites {
  /** Pairs: the number of a statement among all of them, and of how many rows it is. */
  readonly stages: readonly number[];
  readonly numbers: Buffer;
  readonly texts: Buffer;
}

/**
 * What ends something comes before what takes its place, and what a run is sent comes last. Writes of one kind, whichever run they are
 * of, are one statement; so the order within a unit is kept by the order of kinds, or by another round of them.
 */
const ORDER: Readonly<Record<WriteKind, number>> = {
  insertRun: 0,
  startRun: 1,
  pauseRun: 2,
  reopenRun: 3,
  insertAttempt: 4,
  archiveAttempt: 5,
  deleteWait: 6,
  deleteSubscriptions: 7,
  deleteSubscription: 8,
  closeTask: 9,
  updateTask: 10,
  consumeInbox: 11,
  settleStep: 12,
  deleteStep: 13,
  reopenStep: 14,
  restartStep: 15,
  resumeStep: 16,
  suspendStep: 17,
  insertStep: 18,
  insertWait: 19,
  insertSubscription: 20,
  insertTask: 21,
  insertEvent: 22,
  deleteEventKeys: 23,
  deleteKeptEvent: 24,
  settleKeptEvent: 25,
  insertKeptEvent: 26,
  insertEventKey: 27,
  suspendRun: 28,
  endRun: 29,
  requeueRun: 30,
  insertNote: 31,
  postInbox: 32,
};
const KINDS = 33;

/** The rows of one encoding, which is done within the turn. */
class Rows {
  readonly numbers = new BigintArray();
  readonly texts = new TextArray();
  stages: number[] = [];
  /** Where the stage begins that is being encoded. */
  #begin = 0;

  clear(): void {
    this.numbers.clear();
    this.texts.clear();
    this.stages = [];
  }

  /** What follows is another round, or of another kind: one statement must not have two rows for one. */
  beginStage(): void {
    this.#begin = this.stages.length;
  }

  /** A statement that takes its turn with another one, as the two halves of `postInbox` do, stands alone each time. */
  add<W>(statement: number, { numbers, texts }: Layout<W>, write: W): void {
    const { stages } = this;
    const last = stages.length - 2;
    if (last >= this.#begin && stages[last] === statement) stages[last + 1] = (stages[last + 1] ?? 0) + 1;
    else stages.push(statement, 1);
    for (const read of numbers) this.numbers.add(read(write));
    for (const read of texts) this.texts.add(read(write));
  }
}

let target = new Rows();
const layouts: Layout<never>[] = [];
const encoders = executorsBy((description) => {
  const layout = layoutOf(description);
  const statement = layouts.push(layout) - 1;
  return (write) => target.add(statement, layout, write);
});

/** The statements by their numbers: the function that applies a batch has a branch for each. */
export const STATEMENTS: readonly Layout<never>[] = layouts;
const kinds = Object.keys(encoders);

/** The write that a statement is of; the last one has two. */
export const writeOf = (statement: number): string => kinds[Math.min(statement, kinds.length - 1)] ?? "write";

/** Encodes batches of one connection; what it gives is valid until the next call. */
export class BatchEncoder {
  readonly #rows = new Rows();

  encode(units: readonly Unit[]): EncodedWrites {
    return this.#encode(inStages(units));
  }

  encodeOne(write: LedgerWrite): EncodedWrites {
    return this.#encode([[write]]);
  }

  #encode(stages: Iterable<readonly LedgerWrite[]>): EncodedWrites {
    this.#rows.clear();
    target = this.#rows;
    for (const writes of stages) {
      target.beginStage();
      for (const write of writes) execute(encoders, write, 0);
    }
    return { stages: this.#rows.stages, numbers: this.#rows.numbers.take(), texts: this.#rows.texts.take() };
  }
}

/** The writes by round and kind. */
function inStages(units: readonly Unit[]): readonly (readonly LedgerWrite[])[] {
  const stages: LedgerWrite[][] = [];
  const rounds = new Map<number, number>();
  for (const { runId, writes } of units) {
    const place = new Place(rounds.get(runId) ?? 0);
    for (const write of writes) (stages[place.next(write)] ??= []).push(write);
    rounds.set(runId, place.round + 1);
  }
  return Object.values(stages);
}

/** Walks the writes of a unit: one that cannot stand behind the last one in the order of kinds begins another round. */
class Place {
  round: number;
  #last = -1;
  readonly #rows = new Set<number>();

  constructor(round: number) {
    this.round = round;
  }

  next(write: LedgerWrite): number {
    const kind = ORDER[write.write];
    const row = "ordinal" in write && typeof write.ordinal === "number" ? write.ordinal : -1;
    if (kind !== this.#last) this.#rows.clear();
    if (kind < this.#last || this.#rows.has(row)) {
      this.round += 1;
      this.#rows.clear();
    }
    this.#last = kind;
    this.#rows.add(row);
    return this.round * KINDS + kind;
  }
}

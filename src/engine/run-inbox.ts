import type { InboxRow } from "../ledger/rows.ts";

const NONE: readonly InboxRow[] = [];

/** What a run was sent and has not used yet: signals by name, everything else by the step that it is addressed to. */
export class RunInbox {
  #signals: Map<string, RowQueue> | undefined;
  #addressed: Map<number, RowQueue> | undefined;

  add(row: InboxRow): void {
    if (row.kind === "signal") {
      this.#signals ??= new Map();
      push(this.#signals, row.name ?? "", row);
    } else if (row.ordinal !== null) {
      this.#addressed ??= new Map();
      push(this.#addressed, row.ordinal, row);
    }
  }

  /** The oldest signal of a name. */
  signal(name: string): InboxRow | undefined {
    return this.#signals?.get(name)?.first;
  }

  /** What was sent to a step, oldest first. */
  addressed(ordinal: number): readonly InboxRow[] {
    return this.#addressed?.get(ordinal)?.rows ?? NONE;
  }

  /** Names of signals that are there. */
  get names(): Iterable<string> {
    return this.#signals?.keys() ?? [];
  }

  /** Ordinals of steps that something was sent to. */
  get ordinals(): Iterable<number> {
    return this.#addressed?.keys() ?? [];
  }

  /** The row was used. */
  take(row: InboxRow): void {
    if (row.kind === "signal") remove(this.#signals, row.name ?? "", row);
    else if (row.ordinal !== null) remove(this.#addressed, row.ordinal, row);
  }
}

function push<K>(queues: Map<K, RowQueue>, key: K, row: InboxRow): void {
  const queue = queues.get(key);
  if (queue === undefined) queues.set(key, new RowQueue(row));
  else queue.push(row);
}

function remove<K>(queues: Map<K, RowQueue> | undefined, key: K, row: InboxRow): void {
  const queue = queues?.get(key);
  queue?.take(row);
  if (queue?.first === undefined) queues?.delete(key);
}

/** Taken rows in front are cut off once they are so many, and more than half. */
const CUT_FROM = 256;

/** Rows in the order of acceptance, nearly always taken from the front: one of 100,000 signals costs what one of ten does. */
class RowQueue {
  #rows: InboxRow[];
  #head = 0;

  constructor(row: InboxRow) {
    this.#rows = [row];
  }

  get first(): InboxRow | undefined {
    return this.#rows[this.#head];
  }

  get rows(): readonly InboxRow[] {
    return this.#head === 0 ? this.#rows : this.#rows.slice(this.#head);
  }

  push(row: InboxRow): void {
    this.#rows.push(row);
  }

  take({ seq: taken }: InboxRow): void {
    if (this.first?.seq !== taken) {
      this.#rows = this.rows.filter(({ seq }) => seq !== taken);
      this.#head = 0;
      return;
    }
    this.#head += 1;
    if (this.#head < CUT_FROM || this.#head * 2 < this.#rows.length) return;
    this.#rows = this.#rows.slice(this.#head);
    this.#head = 0;
  }
}

import type { InboxRow } from "../ledger/rows.ts";

const NONE: readonly InboxRow[] = [];

/** What a run was sent and has not used yet: signals by name, everything else by the step that it is addressed to. */
export class RunInbox {
  #signals: Map<string, InboxRow[]> | undefined;
  #addressed: Map<number, InboxRow[]> | undefined;

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
    return this.#signals?.get(name)?.[0];
  }

  /** What was sent to a step, oldest first. */
  addressed(ordinal: number): readonly InboxRow[] {
    return this.#addressed?.get(ordinal) ?? NONE;
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

function push<K>(rows: Map<K, InboxRow[]>, key: K, row: InboxRow): void {
  const others = rows.get(key);
  if (others === undefined) rows.set(key, [row]);
  else others.push(row);
}

function remove<K>(rows: Map<K, InboxRow[]> | undefined, key: K, row: InboxRow): void {
  const others = rows?.get(key)?.filter(({ seq }) => seq !== row.seq) ?? [];
  if (others.length === 0) rows?.delete(key);
  else rows?.set(key, others);
}

import { type Due, DueQueue } from "./due-queue.ts";
import type { StepWait } from "./step-wait.ts";

const NONE: ReadonlyMap<number, StepWait> = new Map();

/** What the steps of one run wait for; each question is answered without a look at all of them. Made of parts that most runs never need. */
export class StepWaits {
  #byOrdinal: Map<number, StepWait> | undefined;
  #bySignal: Map<string, Set<number>> | undefined;
  #dues: DueQueue | undefined;
  /** How many wait for the same kind of thing; the kind that came first stands first. */
  #kinds: Map<StepWait["kind"], number> | undefined;

  /** By ordinal: the steps that wait. */
  get all(): ReadonlyMap<number, StepWait> {
    return this.#byOrdinal ?? NONE;
  }

  get(ordinal: number): StepWait | undefined {
    return this.#byOrdinal?.get(ordinal);
  }

  /** Ordinals of the steps that wait for a signal of this name, the one that has waited longest first. */
  forSignal(name: string): Iterable<number> {
    return this.#bySignal?.get(name) ?? [];
  }

  /** The wait that time ends first. */
  next(): Due | undefined {
    return this.#dues?.next();
  }

  /** What has been waited for the longest; undefined when nothing waits. */
  firstKind(): StepWait["kind"] | undefined {
    const [first] = this.#kinds?.keys() ?? [];
    return first;
  }

  /** @param dueAt when time ends it at the earliest, on the ledger's clock */
  add(ordinal: number, wait: StepWait, dueAt: number | null): void {
    this.#byOrdinal ??= new Map();
    this.#byOrdinal.set(ordinal, wait);
    this.#kinds ??= new Map();
    this.#kinds.set(wait.kind, (this.#kinds.get(wait.kind) ?? 0) + 1);
    if (dueAt !== null) {
      this.#dues ??= new DueQueue();
      this.#dues.add({ wait, dueAt });
    }
    if (wait.kind !== "signal") return;
    this.#bySignal ??= new Map();
    const name = wait.key ?? "";
    const others = this.#bySignal.get(name);
    if (others === undefined) this.#bySignal.set(name, new Set([ordinal]));
    else others.add(ordinal);
  }

  delete(ordinal: number, wait: StepWait): void {
    this.#byOrdinal?.delete(ordinal);
    this.#dues?.delete(wait);
    const alike = (this.#kinds?.get(wait.kind) ?? 0) - 1;
    if (alike > 0) this.#kinds?.set(wait.kind, alike);
    else this.#kinds?.delete(wait.kind);
    if (wait.kind !== "signal") return;
    const name = wait.key ?? "";
    const others = this.#bySignal?.get(name);
    others?.delete(ordinal);
    if (others?.size === 0) this.#bySignal?.delete(name);
  }
}

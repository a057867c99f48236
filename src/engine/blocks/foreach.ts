import { invariant, type RecordedError, StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { Ending } from "../../scheduler/index.ts";
import type { ForeachBlock, Tolerate } from "../../workflow/graph.ts";
import { Passage } from "../passage.ts";
import { recordError } from "../recorded-error.ts";
import type { ScopeEnd, StepScope } from "../step-scope.ts";
import type { BlockHost, BlockRun } from "./block.ts";
import { bodyOutput, scopeError } from "./body-output.ts";

/** Errors of items that the block's own error lists; all of them are in the rows of the items. */
const ERRORS_KEPT = 100;

/** What is known of items that ended before this process took the run up. */
export interface EndedItem {
  readonly index: number;
  readonly status: "SUCCEEDED" | "FAILED" | "CANCELLED";
  readonly output: Json;
  readonly error: RecordedError | null;
}

/** Runs the body once for each item of a list, at most `maxConcurrency` at a time. Memory is held for open items and for results. */
export class ForeachRun implements BlockRun {
  readonly #host: BlockHost;
  readonly #id: string;
  readonly #block: ForeachBlock;
  readonly #items: readonly Json[];
  readonly #allowed: number;
  readonly #results: Json[];
  /** By index: items that failed. */
  readonly #errors = new Map<number, RecordedError>();
  /** By index: items that are open. */
  readonly #open = new Passage<number, StepScope>();
  /** Items that were begun before this process took the run up. */
  readonly #begun = new Set<number>();
  #next = 0;
  #isStopped = false;
  #wasCut = false;
  #isSettled = false;

  constructor(host: BlockHost, id: string, block: ForeachBlock, items: readonly Json[]) {
    this.#host = host;
    this.#id = id;
    this.#block = block;
    this.#items = items;
    this.#allowed = allowedFailures(block.tolerate, items.length);
    this.#results = Array.from({ length: items.length }, () => null);
  }

  /** Takes over what the ledger holds: items that ended, and scopes that are open again. */
  restore(ended: readonly EndedItem[], open: readonly StepScope[]): void {
    for (const { index, status, output, error } of ended) {
      this.#begun.add(index);
      if (status === "SUCCEEDED") this.#results[index] = output;
      else if (status === "FAILED" && error !== null) this.#errors.set(index, error);
      else this.#wasCut = true;
    }
    for (const scope of open) {
      const index = scope.place?.index ?? 0;
      this.#begun.add(index);
      this.#open.set(index, scope);
    }
    if (this.#errors.size > this.#allowed) this.stop("stop");
  }

  advance(): void {
    while (!this.#isStopped && this.#open.size < this.#block.maxConcurrency && this.#next < this.#items.length) {
      const index = this.#next++;
      if (this.#begun.has(index)) continue;
      const scope = this.#host.open({ index, names: { item: this.#items[index] ?? null, index } }, null);
      this.#open.set(index, scope);
    }
    if (this.#open.size === 0) this.#settle();
  }

  stop(ending: Ending): void {
    this.#isStopped = true;
    for (const scope of this.#open.values()) this.#host.end(scope, ending);
  }

  delayOver(): void {
    // a foreach has no delay
  }

  ended(scope: StepScope, { outcome, failure }: ScopeEnd): void {
    if (outcome !== "succeeded") {
      this.#close(scope, outcome === "failed" ? { error: scopeError(failure) } : null);
      return;
    }
    try {
      const output = bodyOutput(this.#block.body, scope);
      if (!(output instanceof Promise)) return this.#close(scope, { output });
      const settled = output.then(
        (value) => ({ output: value }),
        (thrown: unknown) => ({ error: recordError(thrown) }),
      );
      this.#host.evaluate(settled, (result) => this.#close(scope, result));
    } catch (thrown) {
      this.#close(scope, { error: recordError(thrown) });
    }
  }

  /** @param result null: the item was cut short from outside */
  #close(scope: StepScope, result: { readonly output: Json } | { readonly error: RecordedError } | null): void {
    const index = scope.place?.index ?? 0;
    this.#open.take(index);
    if (result === null) {
      this.#wasCut = true;
      this.#host.close(scope, { status: "CANCELLED", output: null, error: null });
    } else if ("output" in result) {
      this.#results[index] = result.output;
      this.#host.close(scope, { status: "SUCCEEDED", output: result.output, error: null });
    } else {
      this.#errors.set(index, result.error);
      this.#host.close(scope, { status: "FAILED", output: null, error: result.error });
      if (this.#errors.size > this.#allowed) this.stop("stop");
    }
    this.advance();
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const count = this.#errors.size;
    if (count > this.#allowed) this.#host.settle({ outcome: "failed", error: this.#itemsFailed() });
    else if (this.#wasCut || this.#next < this.#items.length) this.#host.settle({ outcome: "cancelled" });
    else this.#host.settle({ outcome: "succeeded", output: this.#results, error: count === 0 ? null : this.#itemsFailed() });
  }

  #itemsFailed(): RecordedError {
    const failed = [...this.#errors].toSorted(([one], [other]) => one - other);
    const [index, first] = failed[0] ?? [];
    invariant(first !== undefined, "items failed");
    const message = `${failed.length} of ${this.#items.length} items of "${this.#id}" failed; item ${index}: ${first.message}`;
    const items = failed.slice(0, ERRORS_KEPT).map(([at, { code, message: why }]) => ({ index: at, error: { code, message: why } }));
    return recordError(new StepwellError("ITEMS_FAILED", message, { data: { failed: failed.length, items } }));
  }
}

function allowedFailures(tolerate: Tolerate, items: number): number {
  return tolerate.kind === "items" ? tolerate.count : Math.floor(tolerate.part * items);
}

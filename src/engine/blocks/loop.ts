import { type RecordedError, StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { Ending } from "../../scheduler/index.ts";
import type { LoopBlock } from "../../workflow/graph.ts";
import { type MaybePromise, proceed } from "../maybe-promise.ts";
import { recordError } from "../recorded-error.ts";
import type { ScopeEnd, StepScope } from "../step-scope.ts";
import type { BlockHost, BlockRun } from "./block.ts";
import { bodyOutput, scopeError } from "./body-output.ts";

/** A round that has ended. */
export interface EndedRound {
  readonly round: number;
  readonly output: Json;
}

/** What follows from a round, evaluated once. */
type Verdict =
  | { readonly verdict: "again"; readonly output: Json; readonly carry: Json }
  | { readonly verdict: "done"; readonly output: Json }
  | { readonly verdict: "failed"; readonly error: RecordedError };

/** Runs the body round after round, one at a time, until a condition holds. */
export class LoopRun implements BlockRun {
  readonly #host: BlockHost;
  readonly #id: string;
  readonly #block: LoopBlock;
  readonly #outer: StepScope;
  #round = 0;
  #carry: Json;
  #output: Json = null;
  #open: StepScope | undefined;
  #isDelayed = false;
  /** The condition of the next round is being evaluated. */
  #isAsking = false;
  #isStopped = false;
  #isSettled = false;

  constructor(host: BlockHost, id: string, block: LoopBlock, outer: StepScope, carry: Json) {
    this.#host = host;
    this.#id = id;
    this.#block = block;
    this.#outer = outer;
    this.#carry = carry;
  }

  /** Takes over what the ledger holds: the open round or else the last one that ended, and what the delay before the next one keeps for it. */
  restore(last: EndedRound | undefined, open: StepScope | undefined, delayed: { readonly carry: Json } | undefined): void {
    this.#round = open?.place?.index ?? (last === undefined ? 0 : last.round + 1);
    this.#output = last?.output ?? null;
    this.#open = open;
    this.#carry = open?.place?.names.carry ?? delayed?.carry ?? this.#carry;
    this.#isDelayed = delayed !== undefined;
  }

  advance(): void {
    if (this.#open !== undefined || this.#isDelayed || this.#isAsking || this.#isSettled) return;
    if (this.#isStopped) this.#settle({ outcome: "cancelled" });
    else if (this.#round >= this.#block.maxIterations) this.#exhaust();
    else this.#begin();
  }

  stop(ending: Ending): void {
    this.#isStopped = true;
    this.#isDelayed = false;
    if (this.#open !== undefined) this.#host.end(this.#open, ending);
    else this.advance();
  }

  delayOver(): void {
    this.#isDelayed = false;
    this.advance();
  }

  ended(scope: StepScope, { outcome, failure }: ScopeEnd): void {
    if (outcome === "succeeded")
      this.#follow(
        () => this.#judge(scope),
        (verdict) => this.#conclude(scope, verdict),
      );
    else if (outcome === "failed") this.#conclude(scope, { verdict: "failed", error: scopeError(failure) });
    else {
      this.#open = undefined;
      this.#host.close(scope, { status: "CANCELLED", output: null, error: null });
      this.#settle({ outcome: "cancelled" });
    }
  }

  /** The `while` of the next round sees what the block sees, the carry and the number of the round. */
  #begin(): void {
    const { while: condition } = this.#block;
    const names = { carry: this.#carry, round: this.#round };
    const holds = (): MaybePromise<Verdict> =>
      proceed(
        condition?.evaluate({ ...this.#outer.scope, ...names }, this.#outer.evaluation(`${this.#id}[${this.#round}].while`)) ?? true,
        (value) =>
          value === true ? { verdict: "again", output: this.#output, carry: this.#carry } : { verdict: "done", output: this.#output },
      );
    this.#isAsking = true;
    this.#follow(holds, (verdict) => {
      this.#isAsking = false;
      if (this.#isStopped) this.#settle({ outcome: "cancelled" });
      else if (verdict.verdict === "again") this.#open = this.#host.open({ index: this.#round, names }, this.#carry);
      else if (verdict.verdict === "done") this.#settle({ outcome: "succeeded", output: verdict.output, error: null });
      else this.#settle({ outcome: "failed", error: verdict.error });
    });
  }

  /** Output, then `until`, then the next round's carry: each once, in this order. */
  #judge(scope: StepScope): MaybePromise<Verdict> {
    const { body, until, carry } = this.#block;
    return proceed(bodyOutput(body, scope), (output) =>
      proceed(until?.evaluate(scope.scope, scope.evaluation("until")) ?? false, (isDone): MaybePromise<Verdict> => {
        if (isDone === true) return { verdict: "done", output };
        return proceed(
          carry?.evaluate(scope.scope, scope.evaluation("carry")) ?? this.#carry,
          (next): Verdict => ({ verdict: "again", output, carry: next }),
        );
      }),
    );
  }

  #conclude(scope: StepScope, verdict: Verdict): void {
    this.#open = undefined;
    if (verdict.verdict === "failed") {
      this.#host.close(scope, { status: "FAILED", output: null, error: verdict.error });
      this.#settle({ outcome: "failed", error: verdict.error });
      return;
    }
    this.#output = verdict.output;
    const isOver = verdict.verdict === "done";
    this.#host.close(scope, { status: "SUCCEEDED", output: verdict.output, error: null });
    if (isOver) {
      this.#settle({ outcome: "succeeded", output: verdict.output, error: null });
      return;
    }
    this.#carry = verdict.carry;
    this.#round += 1;
    if (!this.#isStopped && this.#block.delayMs > 0 && this.#round < this.#block.maxIterations) {
      this.#isDelayed = true;
      this.#host.delay(this.#block.delayMs, this.#carry);
    } else {
      this.advance();
    }
  }

  #exhaust(): void {
    const { maxIterations, exhausted } = this.#block;
    const error = recordError(new StepwellError("LOOP_EXHAUSTED", `loop "${this.#id}" ended undecided after ${maxIterations} rounds`));
    this.#settle(exhausted === "fail" ? { outcome: "failed", error } : { outcome: "succeeded", output: this.#output, error });
  }

  #settle(result: Parameters<BlockHost["settle"]>[0]): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#host.settle(result);
  }

  #follow(evaluate: () => MaybePromise<Verdict>, next: (verdict: Verdict) => void): void {
    const failed = (thrown: unknown): Verdict => ({ verdict: "failed", error: recordError(thrown) });
    try {
      const verdict = evaluate();
      if (verdict instanceof Promise) this.#host.evaluate(verdict.catch(failed), next);
      else next(verdict);
    } catch (thrown) {
      next(failed(thrown));
    }
  }
}

import type { RecordedError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { Ending } from "../../scheduler/index.ts";
import type { BlockEnd, ScopeOwner, ScopePlace, StepScope } from "../step-scope.ts";

/** A block at work: opens scopes of its body and makes its own result of theirs. */
export interface BlockRun extends ScopeOwner, BlockEnd {
  /** Opens what may run now. */
  advance(): void;
  /** The delay before its next round is over. */
  delayOver(): void;
}

/** How a block settles. */
export type BlockResult =
  | { readonly outcome: "succeeded"; readonly output: Json; readonly error: RecordedError | null }
  | { readonly outcome: "failed"; readonly error: RecordedError }
  /** Its end came from outside before it was done. */
  | { readonly outcome: "cancelled" };

/** How the row of a scope settles. */
export interface ScopeResult {
  readonly status: "SUCCEEDED" | "FAILED" | "CANCELLED";
  readonly output: Json;
  readonly error: RecordedError | null;
}

/** What a block can have done for it by the run that it stands in. */
export interface BlockHost {
  /** A scope of the body begins, with a row of its own; its first steps are decided when the run goes on. */
  open(place: Pick<ScopePlace, "index" | "names">, carry: Json | null): StepScope;
  /** Writes the end of a scope's row. */
  close(scope: StepScope, result: ScopeResult): void;
  /** Nothing starts any more in a scope; it ends once what runs in it has. */
  end(scope: StepScope, ending: Ending): void;
  settle(result: BlockResult): void;
  /** Waits for an expression without letting the run commit in between. */
  evaluate<T>(promise: Promise<T>, next: (value: T) => void): void;
  /** Suspends the block durably for so long, with what its next round is given; `delayOver` follows. */
  delay(delayMs: number, carry: Json): void;
}

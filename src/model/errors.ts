import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import type { Json } from "./json-value.ts";

export interface ErrorDetail {
  /** What the reader can do about it, one sentence. */
  readonly hint?: string;
  /** Members for a program to read; plain JSON without secrets. */
  readonly data?: { readonly [key: string]: Json };
  readonly cause?: unknown;
}

/** Every error that Stepwell raises on purpose. `code` is stable and has a page at `docs/errors/<CODE>.md`. */
export class StepwellError extends Error {
  override readonly name = "StepwellError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: { readonly [key: string]: Json } | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.hint = detail.hint;
    this.data = detail.data;
  }

  /** Whether a later attempt of the same step can succeed without anybody changing anything. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** An accident as a coded error; what is not ours is `INTERNAL`. */
export function asStepwellError(cause: unknown): StepwellError {
  if (cause instanceof StepwellError) return cause;
  return new StepwellError("INTERNAL", cause instanceof Error ? cause.message : "something that is not an error was thrown", { cause });
}

/** A program error inside Stepwell itself, never the user's fault: the invariant that did not hold. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

export function assertNever(value: never, what: string): never {
  throw new InvariantViolation(`${what}: unexpected ${JSON.stringify(value)}`);
}

/** What the ledger keeps of a failure: `steps.<id>.error`, the `error` of a run, the `error` column of an attempt. */
export interface RecordedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly data?: { readonly [key: string]: Json };
}

import type { ErrorCode } from "./error-codes.ts";

/** A place in a definition file; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One finding of validation. All findings of a definition are reported together. */
export interface Problem {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  /** What is wrong and where, readable without the code. */
  readonly message: string;
  /** What the author can do about it. */
  readonly hint?: string;
  /** The member in the definition, for example `steps.fetch.retry.maxAttempts`. */
  readonly path: string;
  readonly file?: string;
  /** Absent when the definition came from the builder. */
  readonly position?: Position;
}

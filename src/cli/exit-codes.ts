import type { ErrorCode } from "../model/error-codes.ts";
import { StepwellError } from "../model/errors.ts";
import type { RunStatus } from "../model/status.ts";

/** What a command ends with (SPEC §10). */
export const EXIT = {
  succeeded: 0,
  failed: 1,
  /** A wrong flag, file, definition or input. */
  usage: 2,
  cancelled: 3,
  /** Only somebody outside can resume the run. */
  suspended: 4,
  /** 128 and the number of the signal, as shells have it. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The caller's mistakes: another call can do better, without anything having to change elsewhere. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "FILE_UNREADABLE",
  "OPERATORS_INVALID",
  "INPUT_INVALID",
  "VALUE_TOO_LARGE",
  "VALUE_NOT_JSON",
  "IDEMPOTENCY_KEY_REUSED",
  "DEFINITION_INVALID",
  "DEFINITION_SYNTAX",
  "DEFINITION_TOO_LARGE",
  "NOT_SUPPORTED",
  "TASK_FORM_INVALID",
  "DURATION_INVALID",
  "ADDRESS_UNAVAILABLE",
]);

export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof StepwellError && USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed;
}

export function exitCodeOfRun(status: RunStatus): ExitCode {
  switch (status) {
    case "SUCCEEDED":
      return EXIT.succeeded;
    case "CANCELLED":
      return EXIT.cancelled;
    case "FAILED":
      return EXIT.failed;
    case "QUEUED":
    case "RUNNING":
    case "SUSPENDED":
      return EXIT.suspended;
  }
}

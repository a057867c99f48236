import type { ErrorCode } from "../model/error-codes.ts";
import type { StepwellError } from "../model/errors.ts";

const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["LEDGER_BUSY", "LEDGER_FULL", "LEDGER_UNREACHABLE"]);

/** Whether the ledger may take tomorrow what it does not take now: another try is no other decision. */
export function isPassing({ code }: StepwellError): boolean {
  return PASSING.has(code);
}

/** How soon a ledger that did not take something is asked again for the first time. */
export const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/** How soon after a further try that it did not take either. */
export const longerRetryMs = (retryMs: number): number => Math.min(retryMs * 2, LAST_RETRY_MS);

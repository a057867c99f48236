import type { ErrorCode } from "../model/error-codes.ts";
import type { StepwellError } from "../model/errors.ts";

const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["LEDGER_BUSY", "LEDGER_FULL", "LEDGER_UNREACHABLE"]);

/** Whether the ledger may take tomorrow what it does not take now: another try is no other decision. */
export function isPassing({ code }: StepwellError): boolean {
  return PASSING.has(code);
}

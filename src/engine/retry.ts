import type { Random } from "../model/clock.ts";
import { ERROR_CODES, type ErrorCode } from "../model/error-codes.ts";
import type { RecordedError } from "../model/errors.ts";
import type { RetryPolicy } from "../model/graph-terms.ts";

/**
 * Milliseconds until the next attempt, or undefined when there is none: the policy's tries are used up or the error is not
 * one to try again.
 *
 * @param failures attempts that have failed so far, this one included
 */
export function nextDelay(policy: RetryPolicy, failures: number, error: RecordedError, random: Random): number | undefined {
  if (policy.strategy === "none" || failures >= policy.maxAttempts || !isRetryable(policy, error)) return undefined;
  const base = policy.strategy === "fixed" ? policy.initialDelayMs : policy.initialDelayMs * policy.factor ** (failures - 1);
  const capped = Math.min(base, policy.maxDelayMs);
  const jittered = capped * (1 - policy.jitter * random());
  return Math.round(Math.max(jittered, retryAfter(error)));
}

function isRetryable(policy: RetryPolicy, error: RecordedError): boolean {
  if (policy.notOn.includes(error.code)) return false;
  if (policy.on.length > 0) return policy.on.includes(error.code);
  return isErrorCode(error.code) ? ERROR_CODES[error.code].retryable : true;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** What the other side asked for (RFC 9110 `Retry-After`), put into the error by the operator. */
function retryAfter(error: RecordedError): number {
  const asked = error.data?.["retryAfterMs"];
  return typeof asked === "number" && asked > 0 ? asked : 0;
}

import { StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { headerText, type ResponseHeaders } from "./response.ts";

/** The request as errors name it: no query, no headers, no body, since secrets travel there. */
export interface RequestName {
  readonly method: string;
  /** Origin and path. */
  readonly url: string;
}

/** Statuses that say "not now" (RFC 9110, RFC 6585, RFC 8470); with every 5xx they may be tried again. */
const RETRYABLE_STATUSES: readonly number[] = [408, 425, 429];

export function statusFailure(
  request: RequestName,
  status: number,
  headers: ResponseHeaders,
  excerpt: string | null,
  now: number,
): StepwellError {
  const retryable = status >= 500 || RETRYABLE_STATUSES.includes(status);
  const data: Record<string, Json> = { ...request, status };
  if (excerpt !== null) data["body"] = excerpt;
  const retryAfterMs = readRetryAfter(headers, now);
  if (retryAfterMs !== undefined) data["retryAfterMs"] = retryAfterMs;
  return new StepwellError(retryable ? "HTTP_RETRYABLE_STATUS" : "HTTP_STATUS", `${request.method} ${request.url} answered ${status}`, {
    data,
    ...(status >= 300 && status < 400 && { hint: "Redirects are not followed; request the address in the Location header." }),
  });
}

const SECONDS = /^\d{1,10}$/;
/** Of HTTP's three date forms the third has no time zone, and only this test keeps `Date` from reading it as local time. */
const HTTP_DATE = /GMT$/;

/**
 * Milliseconds to wait by `Retry-After` (RFC 9110, 10.2.3); undefined when it is absent or unreadable. A date is compared with the
 * server's own `Date`, so that clocks that differ do not matter.
 *
 * @param now milliseconds since the Unix epoch, used when the server names no date
 */
export function readRetryAfter(headers: ResponseHeaders, now: number): number | undefined {
  const value = headerText(headers, "retry-after").trim();
  if (SECONDS.test(value)) return Number(value) * 1_000;
  const at = readDate(value);
  if (at === undefined) return undefined;
  return Math.max(0, at - (readDate(headerText(headers, "date")) ?? now));
}

function readDate(text: string): number | undefined {
  const at = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** A request that got no answer: refused, reset, closed early, silent for too long, or not HTTP at all. */
export function networkFailure(request: RequestName, error: unknown): StepwellError {
  const code = codeOf(error);
  const detail = error instanceof Error && error.message !== "" ? error.message : (code ?? "no answer");
  return new StepwellError("HTTP_NETWORK", `${request.method} ${request.url} got no answer: ${detail}`, {
    data: code === undefined ? { ...request } : { ...request, cause: code },
    cause: error,
  });
}

/** The machine-readable code of a system or client error, for example `ECONNREFUSED` or `UND_ERR_SOCKET`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

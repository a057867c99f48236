import { ERROR_CODES, type ErrorCode } from "../model/error-codes.ts";

/** An error as HTTP tells it. */
export interface HttpProblem {
  readonly code: ErrorCode;
  /** What is wrong this time; nothing that only the operator of the process may know. */
  readonly detail?: string;
  /** Where it is not that of the code. */
  readonly status?: number;
}

export const PROBLEM_TYPE = "application/problem+json";

export function statusOf({ code, status }: HttpProblem): number {
  return status ?? ERROR_CODES[code].status;
}

/** The body of an answer by RFC 9457; `code` is an extension member, and `type` names the same error for programs that know only the standard. */
export function problemBody(problem: HttpProblem): string {
  const { code, detail } = problem;
  return JSON.stringify({
    type: `urn:stepwell:error:${code}`,
    title: ERROR_CODES[code].title,
    status: statusOf(problem),
    ...(detail !== undefined && { detail }),
    code,
  });
}

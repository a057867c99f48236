import type { ErrorCode } from "../../model/error-codes.ts";
import { StepwellError } from "../../model/errors.ts";
import type { JsonObject } from "../../model/json.ts";
import { guardBroken } from "../refusals.ts";
import { writeOf } from "./encode-batch.ts";
import { GUARD_BROKEN } from "./functions.ts";

/** SQLSTATEs of https://www.postgresql.org/docs/current/errcodes-appendix.html, whole or by their class. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  [GUARD_BROKEN]: "LEDGER_CONFLICT",
  "23": "LEDGER_CONFLICT",
  // a text that holds the character NUL, which a text of PostgreSQL cannot
  "22021": "LEDGER_CONFLICT",
  "25006": "LEDGER_READ_ONLY",
  // the server ended a transaction that stood still, and its connection
  "25P": "LEDGER_UNREACHABLE",
  "40": "LEDGER_BUSY",
  "53100": "LEDGER_FULL",
  "53": "LEDGER_UNREACHABLE",
  "55P03": "LEDGER_BUSY",
  "57": "LEDGER_UNREACHABLE",
  "08": "LEDGER_UNREACHABLE",
  "58": "LEDGER_IO",
  XX001: "LEDGER_CORRUPT",
  XX002: "LEDGER_CORRUPT",
};

const HINTS: Partial<Record<ErrorCode, string>> = {
  LEDGER_UNREACHABLE: "Check that the server runs and that its address, port and firewall are right; Stepwell goes on when it answers.",
  LEDGER_READ_ONLY: "Use the primary server: a replica takes no writes.",
  LEDGER_FULL: "Free space on the disk of the database; nothing that was committed is lost.",
  LEDGER_UNAVAILABLE: "Check the URL, the user and the privileges.",
};

/** Turns an error of the driver into a coded one; other errors pass as they are. */
export function postgresError(error: unknown, ledger: string): unknown {
  if (error instanceof StepwellError || !(error instanceof Error)) return error;
  const state = sqlState(error);
  const code =
    state === undefined
      ? unanswered(error)
      : (CODES[state] ?? CODES[state.slice(0, 3)] ?? CODES[state.slice(0, 2)] ?? "LEDGER_UNAVAILABLE");
  if (code === undefined) return error;
  if (state === GUARD_BROKEN) return guardBroken({ write: writeOf(Number(error.message)) });
  return withHint(code, `${ledger}: ${textOf(error)}`, { ledger, ...(state === undefined ? {} : { sqlState: state }) }, error);
}

function withHint(code: ErrorCode, message: string, data: JsonObject, cause: Error): StepwellError {
  const hint = HINTS[code];
  return new StepwellError(code, message, { ...(hint === undefined ? {} : { hint }), data, cause });
}

/** What the driver says of itself when it cannot connect: no password was given, a certificate is not trusted, TLS is not spoken. */
export function connectError(error: unknown, ledger: string): unknown {
  const coded = postgresError(error, ledger);
  if (coded instanceof StepwellError || !(coded instanceof Error)) return coded;
  return withHint("LEDGER_UNAVAILABLE", `${ledger}: ${coded.message}`, { ledger }, coded);
}

/**
 * Whether a statement that failed like this may have been committed nevertheless: the connection was lost before its answer, or
 * the server ended it.
 */
export function isUnknownOutcome(error: unknown): boolean {
  return error instanceof StepwellError && error.code === "LEDGER_UNREACHABLE";
}

/** Whether the server has rolled a transaction back, or ended its wait, for the sake of another one. */
export function hasLost(error: unknown): boolean {
  return error instanceof StepwellError && error.code === "LEDGER_BUSY";
}

/** The same, or what it was to write had been written by another one meanwhile. */
export function hasLostOrMet(error: unknown): boolean {
  return hasLost(error) || (error instanceof StepwellError && error.code === "LEDGER_CONFLICT");
}

/**
 * Whether a migration has changed the columns that a statement gives, which this connection had prepared before. The server says so in a
 * language of its own; only the name of the routine is the same everywhere.
 */
export function isPreparedBefore(error: unknown): boolean {
  return error instanceof StepwellError && error.cause instanceof Error && "routine" in error.cause && error.cause.routine === REVALIDATION;
}

const REVALIDATION = "RevalidateCachedQuery";

function sqlState(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) && "severity" in error
    ? error.code
    : undefined;
}

/** The driver's own errors have no code where a connection ends; those of the network have that of the system call. */
function unanswered(error: Error): ErrorCode | undefined {
  const isOfNetwork = "syscall" in error || ("code" in error && typeof error.code === "string" && /^E(?!RR_)/.test(error.code));
  return isOfNetwork || LOST.test(error.message) ? "LEDGER_UNREACHABLE" : undefined;
}

const LOST = /connection (terminated|error)|timeout e|read timeout|client was closed/i;

/** A name with several addresses fails with one error for each of them, and no message of its own. */
function textOf(error: Error): string {
  return error instanceof AggregateError && error.message === "" ? error.errors.map(messageOf).join("; ") : error.message;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

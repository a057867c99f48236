import { ERROR_CODES } from "../model/error-codes.ts";
import { type RecordedError, StepwellError } from "../model/errors.ts";
import { isJsonObject, type JsonObject, toJson } from "../model/json.ts";

const MAX_MESSAGE_LENGTH = 4_096;
/** Characters of JSON text; an error explains a failure, it does not carry data. */
const MAX_DATA_LENGTH = 64 * 1024;

/**
 * The form in which any thrown value is kept. A StepwellError keeps its code; an error with a string `code` of its own (Node's
 * `ECONNREFUSED`, a library's) keeps it as `data.code` under `STEP_FAILED`, so that codes of ours cannot be forged. Never throws,
 * whatever getters and proxies do.
 */
export function recordError(thrown: unknown): RecordedError {
  return (
    attempt(() => (thrown instanceof Error ? recordThrownError(thrown) : undefined)) ?? { code: "STEP_FAILED", message: describe(thrown) }
  );
}

function recordThrownError(error: Error): RecordedError {
  const message = nonEmpty(attempt(() => error.message)) ?? nonEmpty(attempt(() => error.name)) ?? "an error without a message";
  if (!(error instanceof StepwellError)) return recorded("STEP_FAILED", message, undefined, foreignData(error));
  return recorded(Object.hasOwn(ERROR_CODES, error.code) ? error.code : "INTERNAL", message, nonEmpty(error.hint), boundedData(error.data));
}

function recorded(code: string, message: string, hint: string | undefined, data: JsonObject | undefined): RecordedError {
  return {
    code,
    message: shorten(message),
    ...(hint === undefined ? {} : { hint: shorten(hint) }),
    ...(data === undefined ? {} : { data }),
  };
}

/** What an error of somebody else says of itself beside its message. */
function foreignData(error: Error): JsonObject | undefined {
  const name = nonEmpty(attempt(() => error.name));
  const code = nonEmpty(attempt(() => ("code" in error ? error.code : undefined)));
  if ((name === undefined || name === "Error") && code === undefined) return undefined;
  return {
    ...(name === undefined || name === "Error" ? {} : { name: shorten(name) }),
    ...(code === undefined ? {} : { code: shorten(code) }),
  };
}

function boundedData(data: unknown): JsonObject | undefined {
  const plain = attempt(() => toJson(data, "the data of an error"));
  if (!isJsonObject(plain)) return undefined;
  return JSON.stringify(plain).length <= MAX_DATA_LENGTH ? plain : { dropped: `more than ${MAX_DATA_LENGTH} characters of data` };
}

function describe(thrown: unknown): string {
  if (typeof thrown === "string" && thrown !== "") return shorten(thrown);
  const json = attempt(() => JSON.stringify(toJson(thrown, "the thrown value")));
  return json === undefined || json === '""' ? `a ${typeof thrown} was thrown` : shorten(json);
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}… (${message.length} characters)`;
}

export function errorText(error: RecordedError): string {
  return JSON.stringify(error);
}

/** Reads back what `errorText` wrote. */
export function parseError(text: string): RecordedError {
  return readError(JSON.parse(text));
}

/** An error that came as plain JSON, from the ledger or from somebody else. */
export function readError(value: unknown): RecordedError {
  if (!isJsonObject(value)) return { code: "STEP_FAILED", message: shorten(JSON.stringify(value)) };
  const { code, message, hint, data } = value;
  return {
    code: typeof code === "string" ? code : "STEP_FAILED",
    message: typeof message === "string" ? message : shorten(JSON.stringify(value)),
    ...(typeof hint === "string" ? { hint } : {}),
    ...(isJsonObject(data) ? { data } : {}),
  };
}

import { type RecordedError, StepwellError } from "../model/errors.ts";
import { isJsonObject, type JsonObject, toJson } from "../model/json.ts";

const MAX_MESSAGE_LENGTH = 4_096;

/**
 * The form in which any thrown value is kept. A StepwellError keeps its code; an error with a string `code` of its own (Node's
 * `ECONNREFUSED`, a library's) keeps it as `data.code` under `STEP_FAILED`, so that codes of ours cannot be forged.
 */
export function recordError(thrown: unknown): RecordedError {
  if (thrown instanceof StepwellError) {
    return {
      code: thrown.code,
      message: shorten(thrown.message),
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      ...(thrown.data === undefined ? {} : { data: thrown.data }),
    };
  }
  if (!(thrown instanceof Error)) return { code: "STEP_FAILED", message: shorten(describe(thrown)) };
  const data = errorData(thrown);
  const message = shorten(thrown.message === "" ? thrown.name : thrown.message);
  return data === undefined ? { code: "STEP_FAILED", message } : { code: "STEP_FAILED", message, data };
}

function errorData(error: Error): JsonObject | undefined {
  const data: Record<string, string> = {};
  if (error.name !== "Error") data["name"] = error.name;
  if ("code" in error && typeof error.code === "string") data["code"] = error.code;
  return Object.keys(data).length === 0 ? undefined : data;
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === "string" ? thrown : JSON.stringify(toJson(thrown, "the thrown value"));
  } catch {
    return `a ${typeof thrown} was thrown`;
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
  const parsed: unknown = JSON.parse(text);
  if (!isJsonObject(parsed)) return { code: "STEP_FAILED", message: text };
  const { code, message, hint, data } = parsed;
  return {
    code: typeof code === "string" ? code : "STEP_FAILED",
    message: typeof message === "string" ? message : text,
    ...(typeof hint === "string" ? { hint } : {}),
    ...(isJsonObject(data) ? { data } : {}),
  };
}

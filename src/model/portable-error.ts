import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import { StepwellError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";

/** An error as data: structured cloning would keep neither its class nor its code. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly data: JsonObject | undefined;
}

/** Also takes a StepwellError of another copy of this package, which an operator's module may have loaded. */
export function toPortable(thrown: unknown): PortableError {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const members: Readonly<Record<string, unknown>> = typeof thrown === "object" ? { ...thrown } : {};
  const { code, hint, data } = members;
  const coded = name === "StepwellError";
  return {
    name,
    message,
    stack,
    code: typeof code === "string" ? code : undefined,
    hint: coded && typeof hint === "string" ? hint : undefined,
    data: coded && isJsonObject(data) ? data : undefined,
  };
}

export function fromPortable({ name, message, stack, code, hint, data }: PortableError): Error {
  if (name === "StepwellError" && isErrorCode(code)) {
    const detail = { ...(hint !== undefined && { hint }), ...(data !== undefined && { data }) };
    return withStack(new StepwellError(code, message, detail), stack);
  }
  return withStack(Object.assign(new Error(message), { name }, code !== undefined && { code }), stack);
}

function withStack(error: Error, stack: string | undefined): Error {
  if (stack !== undefined) error.stack = stack;
  return error;
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERROR_CODES, code);
}

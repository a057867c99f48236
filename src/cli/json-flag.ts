import { text as textOf } from "node:stream/consumers";
import type { ErrorCode } from "../model/error-codes.ts";
import { StepwellError } from "../model/errors.ts";
import { type Json, toJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { readText } from "./load-definition.ts";

export interface JsonFlag {
  /** For example `--input`. */
  readonly flag: string;
  /** What text that is not JSON is refused with; default `USAGE`. */
  readonly code?: ErrorCode;
  /** What one may write. */
  readonly example: string;
}

const INPUT: JsonFlag = { flag: "--input", code: "INPUT_INVALID", example: `{"orderId": "SO-1041"}` };

/**
 * The value of `--input`; `{}` without the flag.
 *
 * @throws StepwellError `FILE_UNREADABLE`, `INPUT_INVALID`, `VALUE_TOO_LARGE`
 */
export async function readInput(value: string | undefined): Promise<Json> {
  return (await readJsonFlag(value, INPUT)) ?? {};
}

/**
 * The value of a flag that takes JSON: JSON itself, `@file`, or `-` for the standard input; undefined without the flag.
 *
 * @throws StepwellError `FILE_UNREADABLE`, `VALUE_TOO_LARGE`, and the flag's own code for text that is not JSON
 */
export async function readJsonFlag(value: string | undefined, flag: JsonFlag): Promise<Json | undefined> {
  if (value === undefined) return undefined;
  if (value === "-") return parse(await textOf(process.stdin), "the standard input", flag);
  if (!value.startsWith("@")) return parse(value, flag.flag, flag);
  const file = value.slice(1);
  return parse(await readText(file, `${nameOf(flag)} file`, LIMITS.payloadBytes), file, flag);
}

/** What it gives, for messages: `input`. */
function nameOf({ flag }: JsonFlag): string {
  return flag.slice("--".length);
}

function parse(text: string, from: string, jsonFlag: JsonFlag): Json {
  const { flag, code = "USAGE", example } = jsonFlag;
  const what = nameOf(jsonFlag);
  try {
    return toJson(JSON.parse(text), `the ${what} from ${from}`);
  } catch (cause) {
    throw new StepwellError(code, `The ${what} from ${from} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: `Write JSON, for example ${flag} '${example}', or @file.json.`,
      cause,
    });
  }
}

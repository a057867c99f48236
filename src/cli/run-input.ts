import { text as textOf } from "node:stream/consumers";
import { StepwellError } from "../model/errors.ts";
import { type Json, toJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { readText } from "./load-definition.ts";

/**
 * The value of `--input`: JSON itself, `@file`, or `-` for the standard input; `{}` without the flag.
 *
 * @throws StepwellError `FILE_UNREADABLE`, `INPUT_INVALID`, `VALUE_TOO_LARGE`
 */
export async function readInput(flag: string | undefined): Promise<Json> {
  if (flag === undefined) return {};
  if (flag === "-") return parse(await textOf(process.stdin), "the standard input");
  if (!flag.startsWith("@")) return parse(flag, "--input");
  const file = flag.slice(1);
  return parse(await readText(file, "input file", LIMITS.payloadBytes), file);
}

function parse(text: string, from: string): Json {
  try {
    return toJson(JSON.parse(text), `the input from ${from}`);
  } catch (cause) {
    throw new StepwellError(
      "INPUT_INVALID",
      `The input from ${from} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        hint: `Write JSON, for example --input '{"orderId": "SO-1041"}', or @file.json.`,
        cause,
      },
    );
  }
}

import { readFile, stat } from "node:fs/promises";
import { StepwellError } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import { builtInDefinitions, catalogOf } from "../operators/definitions.ts";
import type { LoadedOperators } from "../operators/load.ts";
import { type Loaded, loadWorkflow } from "../workflow/index.ts";
import type { Variables } from "./command.ts";

/**
 * The module behind `--operators`; undefined without the flag.
 * @throws StepwellError `FILE_UNREADABLE`, `OPERATORS_INVALID`
 */
export async function loadOperatorsFile(file: string | undefined): Promise<LoadedOperators | undefined> {
  if (file === undefined) return undefined;
  const { loadOperators } = await import("../operators/load.ts");
  return loadOperators(file);
}

export function catalogWith(operators: LoadedOperators | undefined): OperatorCatalog {
  return catalogOf(builtInDefinitions, operators?.operators.keys() ?? []);
}

/**
 * Reads and checks a definition file.
 *
 * @param operators null: any operator may be named
 * @throws StepwellError `FILE_UNREADABLE`; everything else that is wrong is in `problems`
 */
export async function loadDefinition(file: string, operators: OperatorCatalog | null, variables: Variables = {}): Promise<Loaded> {
  return loadWorkflow(await readText(file, "definition", LIMITS.definitionBytes), { file, operators, userVars: variables });
}

/**
 * Reads a text file whole.
 *
 * @param what names it in the message, for example `definition`
 * @param maxBytes a larger file is not read
 * @throws StepwellError `FILE_UNREADABLE`, `VALUE_TOO_LARGE`
 */
export async function readText(file: string, what: string, maxBytes: number): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= maxBytes) return await readFile(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new StepwellError("FILE_UNREADABLE", `The ${what} ${file} cannot be read${reason}`, {
      hint: "Check its path and permissions.",
      cause,
    });
  }
  throw new StepwellError("VALUE_TOO_LARGE", `The ${what} ${file} is larger than ${maxBytes} bytes`);
}

import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StepwellError } from "../model/errors.ts";
import { isJsonObject } from "../model/json.ts";
import type { Operator, ResumableOperator } from "./operator.ts";

type LoadedOperator = Operator | ResumableOperator;

export interface LoadedOperators {
  /** By the name that `uses` gives. */
  readonly operators: ReadonlyMap<string, LoadedOperator>;
  /** Where a worker thread finds the same module (`isolation: thread`). */
  readonly moduleUrl: string;
}

/**
 * Loads the operators of a TypeScript or JavaScript file: its named exports, and the members of a default export that is an object. An
 * operator is a function, or an object of `execute` and `resume`.
 *
 * @param file path, relative to the working directory
 * @throws StepwellError `FILE_UNREADABLE`, `OPERATORS_INVALID`
 */
export async function loadOperators(file: string): Promise<LoadedOperators> {
  const path = resolve(file);
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw new StepwellError("FILE_UNREADABLE", `The operators file ${file} cannot be read`, {
      hint: "Check its path and permissions.",
      cause,
    });
  }
  const moduleUrl = pathToFileURL(path).href;
  const { operators, problems } = operatorsOf(await importModule(moduleUrl, file));
  if (problems.length > 0) throw invalid(file, problems.join("; "));
  if (operators.size === 0) throw invalid(file, "it exports no function");
  return { operators, moduleUrl };
}

/**
 * The function of one operator of a module, found as `loadOperators` finds it.
 * @throws StepwellError `OPERATORS_INVALID`
 */
export async function loadOperator(moduleUrl: string, exportName: string): Promise<Operator> {
  const operator = operatorsOf(await importModule(moduleUrl, moduleUrl)).operators.get(exportName);
  if (operator === undefined) throw invalid(moduleUrl, `it exports no function "${exportName}"`);
  return typeof operator === "function" ? operator : operator.execute;
}

async function importModule(url: string, file: string): Promise<unknown> {
  try {
    const module: unknown = await import(url);
    return module;
  } catch (cause) {
    throw invalid(file, `it cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function invalid(file: string, what: string, cause?: unknown): StepwellError {
  return new StepwellError("OPERATORS_INVALID", `The operators file ${file} is not usable: ${what}`, {
    hint: "Export functions by name: export async function charge(input, context) { … }.",
    cause,
  });
}

/** A CommonJS module's whole `module.exports` under a name of its own, beside `default`. */
const COMMONJS_EXPORTS = "module.exports";

function operatorsOf(module: unknown) {
  const operators = new Map<string, LoadedOperator>();
  const problems: string[] = [];
  const collect = (name: string, value: unknown) => {
    const known = operators.get(name);
    if (!isOperator(value)) problems.push(`"${name}" is ${describe(value)}, not a function`);
    else if (known !== undefined && known !== value) problems.push(`"${name}" is exported twice, by name and by default`);
    else operators.set(name, value);
  };
  for (const [name, value] of Object.entries(isJsonObject(module) ? module : {})) {
    if (name === COMMONJS_EXPORTS) continue;
    if (name !== "default") collect(name, value);
    else if (isJsonObject(value)) for (const [member, inner] of Object.entries(value)) collect(member, inner);
    else problems.push(`its default export is ${describe(value)}, not an object of functions`);
  }
  return { operators, problems };
}

function isOperator(value: unknown): value is LoadedOperator {
  return isCallable(value) || (isJsonObject(value) && isCallable(value["execute"]) && isCallable(value["resume"]));
}

/** Classes are functions too, but calling one without `new` fails at the first step. */
function isCallable(value: unknown): boolean {
  return typeof value === "function" && !isClass(value);
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && Function.prototype.toString.call(value).startsWith("class");
}

function describe(value: unknown): string {
  if (isClass(value)) return "a class";
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "a list" : `a ${typeof value}`.replace("a object", "an object");
}

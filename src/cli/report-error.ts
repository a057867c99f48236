import { StepwellError } from "../model/errors.ts";
import type { Problem } from "../model/problem.ts";
import { oneLine, plural } from "./layout.ts";
import type { Output, Paint } from "./terminal.ts";

/** One line on what went wrong, one on what to do about it; the stack only under `STEPWELL_DEBUG=1`. */
export function reportError(output: Output, error: unknown): void {
  const { code, message, hint } = describe(error);
  output.line(`stepwell: ${output.paint.red(code)}: ${oneLine(message)}`);
  if (hint !== undefined) output.line(`  hint: ${oneLine(hint)}`);
  if (process.env["STEPWELL_DEBUG"] === "1" && error instanceof Error) output.line(error.stack ?? String(error));
}

function describe(error: unknown): { readonly code: string; readonly message: string; readonly hint: string | undefined } {
  if (error instanceof StepwellError) return { code: error.code, message: error.message, hint: error.hint };
  return {
    code: "INTERNAL",
    message: error instanceof Error ? error.message : String(error),
    hint: "This is a fault of Stepwell; STEPWELL_DEBUG=1 shows where it happened.",
  };
}

/** `file:line:column: error CODE: message`, which editors and terminals turn into a link, and the hint below. */
export function problemLines(problem: Problem, paint: Paint): readonly string[] {
  const { file = "", position, severity, code, message, hint, path } = problem;
  const place =
    position === undefined ? [file, path].filter((part) => part !== "").join(": ") : `${file}:${position.line}:${position.column}`;
  const kind = severity === "error" ? paint.red("error") : paint.yellow("warning");
  const line = `${place === "" ? "" : `${place}: `}${kind} ${code}: ${oneLine(message)}`;
  return hint === undefined ? [line] : [line, `  hint: ${oneLine(hint)}`];
}

/** How many problems there are, in words: `2 errors and 1 warning`. */
export function countProblems(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  const parts = [...(errors > 0 ? [plural(errors, "error")] : []), ...(warnings > 0 ? [plural(warnings, "warning")] : [])];
  return parts.length === 0 ? "no problems" : parts.join(" and ");
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}

/**
 * Ends a command whose problems have been shown.
 *
 * @param what is wrong, for example `The configuration`
 * @param effect what the command has therefore not done
 * @throws StepwellError `USAGE` when there is an error among them
 */
export function refuseProblems(problems: readonly Problem[], what: string, effect: string): void {
  if (hasErrors(problems)) throw new StepwellError("USAGE", `${what} has ${countProblems(problems)}; ${effect}`);
}

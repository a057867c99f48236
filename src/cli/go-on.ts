import { relative } from "node:path";
import { withoutPassword } from "../ledger/url.ts";

/**
 * The command that goes on with a run that this one left: the same call, told to resume. The input stays out: the run has it.
 *
 * @param args what followed the program's name
 */
export function goOnCommand(args: readonly string[], program: string): string {
  const kept = args.filter((arg, index) => !isInput(arg) && args[index - 1] !== "--input" && arg !== "--resume");
  return [program, ...kept.map(withoutFlagPassword).map(quoted), "--resume"].join(" ");
}

/** What is printed may be kept by others. */
function withoutFlagPassword(arg: string): string {
  const [flag, url] = arg.startsWith("--ledger=") ? ["--ledger=", arg.slice("--ledger=".length)] : ["", arg];
  return flag + withoutPassword(url);
}

function isInput(arg: string): boolean {
  return arg === "--input" || arg.startsWith("--input=");
}

export function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", String.raw`'\''`)}'`;
}

/** How this process was called: `stepwell` when it is installed, the file itself in a working copy. */
export function programName(script: string, directory: string): string {
  if (script.endsWith("bin.ts")) return `npx node ${relative(directory, script)}`;
  return script.includes("/node_modules/") && !script.includes("/lib/node_modules/") ? "npx stepwell" : "stepwell";
}

import { type Command, InvalidArgumentError, Option } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is given and leaves behind. */
export interface Session {
  readonly terminal: Terminal;
  /** What the process ends with. */
  readonly finish: (exitCode: ExitCode) => void;
}

/** Gives a command its flags and its action. */
export type Define = (command: Command, session: Session) => void;

/** The variables of the environment that name the ledger, the first one that is there counts. */
export const LEDGER_VARIABLES = ["STEPWELL_LEDGER", "STEPWELL_DATABASE_URL"] as const;

/** The ledger that the environment names. */
function ledgerOfEnvironment(environment: NodeJS.ProcessEnv): string | undefined {
  return LEDGER_VARIABLES.map((name) => environment[name]).find((url) => url !== undefined && url !== "");
}

/** Where a command looks that is told of no ledger. */
export const DEFAULT_LEDGER = ledgerOfEnvironment(process.env) ?? "sqlite:.stepwell/ledger.db";
export const LEDGER_FLAG = new Option(
  "--ledger <url>",
  "a PostgreSQL database (postgres://…), a SQLite file (sqlite:PATH or a plain path) or memory:",
).default(DEFAULT_LEDGER, `$${LEDGER_VARIABLES.join(", $")}, else sqlite:.stepwell/ledger.db`);
const QUEUE_VARIABLE = "STEPWELL_QUEUE";
export const QUEUE_FLAG = new Option(
  "--queue <queue>",
  "what wakes engines for a run that is left to them: ledger, or a Redis (redis://…)",
).default(process.env[QUEUE_VARIABLE] || "ledger", `$${QUEUE_VARIABLE}, else ledger`);
export const OPERATORS_FLAG = ["--operators <file>", "a TypeScript or JavaScript module whose named exports are operators"] as const;
export const ACTOR_FLAG = ["--as <name>", "who does it; kept in the history", "cli"] as const;
export const VAR_FLAG = ["--var <name=value>", "a value for ${user.name} in the definition; may be repeated"] as const;

export type Variables = Readonly<Record<string, string>>;

/** Collects `name=value` flags; everything after the first `=` is the value. */
export function collectVariable(text: string, earlier: Variables | undefined): Variables {
  const at = text.indexOf("=");
  if (at <= 0) throw new InvalidArgumentError("Write name=value.");
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects a flag that may be repeated. */
export function collectText(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || text.trim() === "")
      throw new InvalidArgumentError(`Write a whole number from ${least}.`);
    return value;
  };
}

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ErrorCode } from "../../model/error-codes.ts";
import { StepwellError } from "../../model/errors.ts";
import type { Position, Problem } from "../../model/problem.ts";
import { didYouMean } from "../../workflow/suggest.ts";
import { hasErrors } from "../report-error.ts";
import type { Member } from "./file.ts";
import {
  ALL_SETTINGS,
  CONFIG_FILE,
  CONFIG_VARIABLE,
  flagOf,
  type Setting,
  type SettingsTable,
  type ValuesOf,
  variablesOf,
} from "./settings.ts";
import { saidBy, unknownVariables } from "./unknown-variables.ts";

/** Where a value was said. */
export type Source =
  | { readonly kind: "flag" | "environment"; readonly name: string }
  | { readonly kind: "file"; readonly name: string; readonly position: Position }
  | { readonly kind: "default" };

export interface Effective {
  readonly name: string;
  readonly setting: Setting<unknown>;
  readonly value: unknown;
  readonly source: Source;
}

export interface Reading<T extends SettingsTable> {
  /** Undefined when there is an error among the problems. */
  readonly settings: ValuesOf<T> | undefined;
  /** What counts, in the order of the table, as far as it makes sense. */
  readonly effective: readonly Effective[];
  /** All that is wrong, and warnings. */
  readonly problems: readonly Problem[];
  /** The file that was read. */
  readonly file: string | undefined;
}

/** What the command line says, by the names of settings, and `config`. */
export type SaidFlags = Readonly<Record<string, unknown>>;

interface Said {
  readonly value: unknown;
  readonly source: Exclude<Source, { readonly kind: "default" }>;
}

/**
 * Reads settings from flags, the environment and a file, in this order of precedence, and reports all that is wrong at once. A file is
 * checked as a whole, also what a flag or a variable overrules in it.
 */
export async function readSettings<T extends SettingsTable>(
  table: T,
  flags: SaidFlags,
  environment: NodeJS.ProcessEnv,
): Promise<Reading<T>> {
  const problems: Problem[] = [];
  const file = fileOf(flags, environment);
  const inFile = file === undefined ? NOTHING : await readFile(file, problems);
  const effective: Effective[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const said = saidOutside(name, setting, flags, environment);
    const counts = said === undefined ? inFile?.get(name) : checked(setting, said, problems);
    if (counts !== undefined) effective.push({ name, setting, ...counts });
    else if (said === undefined && inFile?.has(name) === false) {
      effective.push({ name, setting, value: setting.fallback, source: { kind: "default" } });
    }
  }
  problems.push(...together(effective, file), ...unknownVariables(environment));
  const values = Object.fromEntries(effective.map(({ name, value }) => [name, value]));
  // each value was read by the kind of its own setting, and without an error none is missing
  return { settings: hasErrors(problems) ? undefined : (values as ValuesOf<T>), effective, problems, file };
}

function fileOf(flags: SaidFlags, environment: NodeJS.ProcessEnv): string | undefined {
  const named = flags["config"] ?? saidBy(environment, CONFIG_VARIABLE);
  if (typeof named === "string") return named;
  return existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined;
}

function saidOutside(name: string, setting: Setting<unknown>, flags: SaidFlags, environment: NodeJS.ProcessEnv): Said | undefined {
  if (flags[name] !== undefined) return { value: flags[name], source: { kind: "flag", name: flagOf(name, setting) } };
  const variable = variablesOf(name, setting).find((candidate) => saidBy(environment, candidate) !== undefined);
  return variable === undefined ? undefined : { value: environment[variable], source: { kind: "environment", name: variable } };
}

/** By the names of settings; undefined for what makes no sense. */
type SaidInFile = ReadonlyMap<string, Said | undefined>;

const NOTHING: SaidInFile = new Map();

/** What a file says of any process: one file may serve several. Undefined for one that nobody can read. */
async function readFile(file: string, problems: Problem[]): Promise<SaidInFile | undefined> {
  const { readSettingsFile, quotedName } = await import("./file.ts");
  const found = await readSettingsFile(file);
  problems.push(...found.problems);
  if (found.members === undefined) return undefined;
  const said = new Map<string, Said | undefined>();
  for (const member of found.members) {
    const setting = Object.hasOwn(ALL_SETTINGS, member.name) ? ALL_SETTINGS[member.name] : undefined;
    if (setting === undefined) {
      const hint = didYouMean(member.name, Object.keys(ALL_SETTINGS));
      const source = { kind: "file", name: file, position: member.namePosition } as const;
      problems.push(problemAt(source, "CONFIG_UNKNOWN", { message: `${quotedName(member.name)} is no setting`, hint }));
    } else if (member.value !== null && member.value !== undefined) {
      said.set(member.name, checked(setting, saidByMember(member, setting, file), problems));
    }
  }
  return said;
}

function saidByMember({ value, valuePosition }: Member, { isPath }: Setting<unknown>, file: string): Said {
  const source = { kind: "file", name: file, position: valuePosition } as const;
  return { value: isPath === true && typeof value === "string" ? resolve(dirname(file), value) : value, source };
}

function checked(setting: Setting<unknown>, { value, source }: Said, problems: Problem[]): Said | undefined {
  try {
    return { value: setting.kind.read(value), source };
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    problems.push(problemAt(source, "CONFIG_INVALID", error));
    return undefined;
  }
}

/** What is wrong with settings that make sense alone. */
function together(effective: readonly Effective[], file: string | undefined): readonly Problem[] {
  const ledger = effective.find(({ name }) => name === "ledger")?.value;
  return effective.flatMap(({ name, setting, value, source }) => {
    if (source.kind === "default") return setting.isRequired === true ? [missing(name, setting, file)] : [];
    if (typeof ledger !== "string" || ledger === "" || value === undefined || value === null) return [];
    const refusal = setting.refuse?.(value, ledger);
    return refusal === undefined ? [] : [problemAt(source, "CONFIG_INVALID", refusal)];
  });
}

function missing(name: string, setting: Setting<unknown>, file: string | undefined): Problem {
  const ways = [`Pass ${flagOf(name, setting)} <${setting.kind.placeholder}>`, `set ${variablesOf(name, setting).join(" or ")}`];
  const hint = `${ways.join(", ")}, or write ${name}: into ${file ?? CONFIG_FILE}.`;
  return { code: "CONFIG_MISSING", severity: "error", path: "", message: `No ${name} is named, and there is no default`, hint };
}

function problemAt(source: Said["source"], code: ErrorCode, { message, hint }: Pick<StepwellError, "message" | "hint">): Problem {
  const place = source.kind === "file" ? { path: "", file: source.name, position: source.position } : { path: source.name };
  return { code, severity: "error", message, ...(hint !== undefined && { hint }), ...place };
}

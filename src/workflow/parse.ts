import { LineCounter } from "yaml";
import { isJsonObject, jsonTypeOf } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { Problem } from "../model/problem.ts";
import { type Finding, Findings, type Places } from "./findings.ts";
import type { Definition } from "./graph.ts";
import { placesOf, positionAt } from "./places.ts";
import { readYaml, type SyntaxFault, toValue } from "./read-source.ts";
import { reasonOf } from "./reason.ts";
import { createSubstitution, type UserVariables } from "./user-variables.ts";

export interface ParseOptions {
  /** Name of the file as problems show it. */
  readonly file?: string;
  /** Default: `json` when `file` ends so, else `yaml`. */
  readonly format?: "yaml" | "json";
  /** Values for `${user.name}`. */
  readonly userVars?: UserVariables;
}

export interface Parsed {
  /** Undefined when the text could not be read at all; other problems leave a definition that can still be checked. */
  readonly definition: Definition | undefined;
  /** Where a member stands in the text. */
  readonly places: Places;
  readonly problems: readonly Problem[];
}

/** Reads a definition from YAML or JSON and fills in `${user.x}`. Never throws: everything wrong is a problem with its place. */
export function parseDefinition(text: string, options: ParseOptions = {}): Parsed {
  if (utf8Bytes(text) > LIMITS.definitionBytes) {
    const tooLarge = {
      code: "DEFINITION_TOO_LARGE",
      path: [],
      message: `The definition is larger than ${LIMITS.definitionBytes} bytes`,
    } as const;
    return unreadable([tooLarge], () => undefined, options.file);
  }
  const format = options.format ?? (options.file?.toLowerCase().endsWith(".json") === true ? "json" : "yaml");
  const jsonFault = format === "json" ? jsonSyntaxFault(text) : undefined;
  if (jsonFault !== undefined)
    return unreadable([syntaxFinding(jsonFault)], () => positionAt(linesOf(text), jsonFault.offset), options.file);
  const source = readYaml(text);
  if (source.faults.length > 0) {
    const findings = source.faults.map(syntaxFinding);
    return unreadable(findings, (_, spot) => positionAt(source.lines, spot?.offset ?? 0), options.file);
  }
  const places = placesOf(source.root, text, source.lines);
  const findings = new Findings(places, options.file);
  const value = toValue(source.root, createSubstitution(options.userVars ?? {}, findings.report), findings.report);
  if (isJsonObject(value)) return { definition: value, places, problems: findings.list() };
  const found = value === null ? "nothing" : `a ${jsonTypeOf(value)}`;
  findings.report({
    code: "DEFINITION_SYNTAX",
    path: [],
    message: `A definition is an object with \`name\` and \`steps\`; this is ${found}`,
  });
  return { definition: undefined, places, problems: findings.list() };
}

function unreadable(found: readonly Finding[], places: Places, file: string | undefined): Parsed {
  const findings = new Findings(places, file);
  for (const finding of found) findings.report(finding);
  return { definition: undefined, places: () => undefined, problems: findings.list() };
}

function syntaxFinding({ offset, message, hint }: SyntaxFault): Finding {
  return { code: "DEFINITION_SYNTAX", path: [], offset, message, hint };
}

/** The JSON grammar is stricter than YAML's: comments, bare words and single quotes are faults. */
function jsonSyntaxFault(text: string): SyntaxFault | undefined {
  const message = jsonError(text);
  if (message === undefined) return undefined;
  return { offset: jsonFaultOffset(text), message: message.replace(/ (?:in JSON )?at position .*$/s, "") };
}

function jsonError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Not every message of the engine has a position, but it knows whether a beginning of the text can still become JSON. */
function jsonFaultOffset(text: string): number {
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isBroken(text.slice(0, middle))) bad = middle;
    else good = middle;
  }
  return bad - 1;
}

function isBroken(beginning: string): boolean {
  const message = jsonError(beginning);
  if (message === undefined || message.startsWith("Unexpected end")) return false;
  const at = / at position (\d+)/.exec(message)?.[1];
  return at === undefined || Number(at) < beginning.length;
}

function linesOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}

/** Counts only when the cheap bounds (1 to 3 bytes for each UTF-16 unit) do not decide. */
function utf8Bytes(text: string): number {
  if (text.length > LIMITS.definitionBytes || text.length * 3 <= LIMITS.definitionBytes) return text.length;
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

import { LineCounter } from "yaml";
import { isJsonObject, jsonTypeOf } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { Problem } from "../model/problem.ts";
import { type Finding, Findings, NOWHERE, type Places } from "./findings.ts";
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
  const { file, userVars = {} } = options;
  if (utf8Bytes(text) > LIMITS.definitionBytes) {
    const message = `The definition is larger than ${LIMITS.definitionBytes} bytes`;
    return unreadable([{ code: "DEFINITION_TOO_LARGE", path: [], message }], file);
  }
  const isJson = options.format === "json" || (options.format === undefined && /\.json$/i.test(file ?? ""));
  const jsonFault = isJson ? jsonSyntaxFault(text) : undefined;
  if (jsonFault !== undefined) return unreadable([syntaxFinding(jsonFault, linesOf(text))], file);
  const { root, lines, faults } = readYaml(text);
  if (faults.length > 0)
    return unreadable(
      faults.map((fault) => syntaxFinding(fault, lines)),
      file,
    );
  if (root === null) return unreadable([notAnObject("nothing")], file);
  const places = placesOf(root, text, lines);
  const findings = new Findings(places, file);
  const value = toValue(root, createSubstitution(userVars, findings.report), findings.report);
  if (isJsonObject(value)) return { definition: value, places, problems: findings.list() };
  return unreadable([{ ...notAnObject(`a ${jsonTypeOf(value)}`), position: positionAt(lines, root.range[0]) }], file);
}

function notAnObject(found: string): Finding {
  const message = `A definition is an object with \`name\` and \`steps\`; this is ${found}`;
  return { code: "DEFINITION_SYNTAX", path: [], message };
}

function unreadable(found: readonly Finding[], file: string | undefined): Parsed {
  const findings = new Findings(NOWHERE, file);
  for (const finding of found) findings.report(finding);
  return { definition: undefined, places: NOWHERE, problems: findings.list() };
}

function syntaxFinding({ offset, message, hint }: SyntaxFault, lines: LineCounter): Finding {
  return { code: "DEFINITION_SYNTAX", path: [], position: positionAt(lines, offset), message, hint };
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

/** Counts only when the cheap bounds (1 to 3 bytes for each UTF-16 unit) do not decide; each half of a pair stands for 2 bytes. */
function utf8Bytes(text: string): number {
  if (text.length > LIMITS.definitionBytes || text.length * 3 <= LIMITS.definitionBytes) return text.length;
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const isHalf = unit >= 0xd800 && unit < 0xe000;
    bytes += unit < 0x80 ? 1 : unit < 0x800 || isHalf ? 2 : 3;
  }
  return bytes;
}

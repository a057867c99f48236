import { isMap, isNode, isScalar } from "yaml";
import { StepwellError } from "../../model/errors.ts";
import { LIMITS } from "../../model/limits.ts";
import type { Position, Problem } from "../../model/problem.ts";
import { positionAt } from "../../workflow/places.ts";
import { readYaml } from "../../workflow/read-source.ts";
import { readText } from "../load-definition.ts";

/** What a file says of one setting. */
export interface Member {
  readonly name: string;
  /** As JSON has it. */
  readonly value: unknown;
  readonly namePosition: Position;
  readonly valuePosition: Position;
}

export interface SettingsFile {
  /** Undefined: nobody knows what it says. */
  readonly members: readonly Member[] | undefined;
  readonly problems: readonly Problem[];
}

/** Reads a YAML file of settings, one key for each. Never throws: a file that cannot be read is a problem too. */
export async function readSettingsFile(file: string): Promise<SettingsFile> {
  const refuse = (message: string, position?: Position, hint?: string): Problem => ({
    code: "CONFIG_SYNTAX",
    severity: "error",
    path: "",
    message,
    file,
    ...(position !== undefined && { position }),
    ...(hint !== undefined && { hint }),
  });
  let text: string;
  try {
    text = await readText(file, "configuration", LIMITS.definitionBytes);
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    const { code, message, hint } = error;
    return { members: undefined, problems: [{ code, severity: "error", path: "", message, ...(hint !== undefined && { hint }) }] };
  }
  const { root, lines, faults } = readYaml(text);
  if (faults.length > 0)
    return { members: undefined, problems: faults.map(({ offset, message }) => refuse(withoutSource(message), positionAt(lines, offset))) };
  if (root === null) return { members: [], problems: [] };
  if (!isMap(root)) {
    const problem = refuse("A configuration is a map of settings", positionAt(lines, root.range[0]), "Write for example concurrency: 50.");
    return { members: undefined, problems: [problem] };
  }
  const members: Member[] = [];
  const problems: Problem[] = [];
  for (const { key, value } of root.items) {
    const namePosition = positionAt(lines, key.range[0]);
    const name = isScalar(key) ? String(key.value) : "";
    if (members.some((member) => member.name === name)) problems.push(refuse(`${quotedName(name)} stands here twice`, namePosition));
    else {
      const valuePosition = value === null ? namePosition : positionAt(lines, value.range[0]);
      members.push({ name, value: isNode(value) ? value.toJSON() : value, namePosition, valuePosition });
    }
  }
  return { members, problems };
}

/** A parser's message without pieces of the file, which may be pieces of a password: the place says enough. */
function withoutSource(message: string): string {
  const told = message.replace(/(?<=\w): [^]*$/, "");
  return told.replaceAll(/\S+/g, (word) => (PROSE.test(word) ? word : "…"));
}

/** A word of English with what may stand around it, a number, or a sign of YAML. */
const PROSE = /^(?:["'(]?[a-z]+(?:[/-][a-z]+)*["'),.]?|\d+|[^\w\s\\])$/i;

/** What does not look like a name may be anything, a URL with its password among it. */
export function quotedName(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? `"${name}"` : "This key";
}

import type { Json } from "../../model/json.ts";
import { at } from "../at.ts";
import type { DraftStep, Level } from "../draft.ts";
import type { SwitchTargets } from "../edges.ts";
import type { Report } from "../findings.ts";
import type { Path } from "../path.ts";
import { asList, asObject } from "../readers.ts";

/** What is known of a switch without running it. */
export interface Branches {
  readonly isExclusive: boolean;
  /** Target → the entries that can select it, by index; a target that none can select is missing. */
  readonly casesOf: ReadonlyMap<number, ReadonlySet<number>>;
}

/** The constant that a condition is, if it is one. */
export function constantCondition(source: Json | undefined): boolean | undefined {
  const text = normalised(source);
  return text === "true" ? true : text === "false" ? false : undefined;
}

const NO_SWITCH: Branches = { isExclusive: false, casesOf: new Map() };

/** Reports branches that can never be taken, and gives those that can, by step. */
export function checkBranches(level: Level, targets: readonly SwitchTargets[], report: Report): readonly Branches[] {
  return level.steps.map((step, ordinal) => {
    const cases = at(targets, ordinal);
    if (cases.length === 0) return NO_SWITCH;
    const isExclusive = step.fields["mode"] !== "inclusive";
    return { isExclusive, casesOf: casesByTarget(takenEntries(step, isExclusive, report), cases) };
  });
}

/** The entries of a switch that can be taken, by index. */
function takenEntries(step: DraftStep, isExclusive: boolean, report: Report): readonly number[] {
  const taken: number[] = [];
  const seen = new Map<string, number>();
  let alwaysTaken: number | undefined;
  let otherwiseAt: number | undefined;
  for (const [index, entry] of asList(step.fields["switch"]).map(asObject).entries()) {
    if (Object.hasOwn(entry, "otherwise")) {
      if (otherwiseAt === undefined) otherwiseAt = index;
      else reportOtherwise(step, index, otherwiseAt, report);
      continue;
    }
    const constant = constantCondition(entry["when"]);
    const text = normalised(entry["when"]);
    const same = isExclusive ? seen.get(text) : undefined;
    seen.set(text, same ?? index);
    const path = [...step.path, "switch", index, "when"];
    if (constant === false) unreachable(path, "its condition is always false", report);
    else if (isExclusive && alwaysTaken !== undefined) unreachable(path, `case ${alwaysTaken + 1} before it always holds`, report);
    else if (same !== undefined) unreachable(path, `case ${same + 1} before it has the same condition`, report);
    else taken.push(index);
    if (constant === true) alwaysTaken ??= index;
  }
  if (otherwiseAt === undefined) return taken;
  if (alwaysTaken === undefined) return [...taken, otherwiseAt];
  unreachable([...step.path, "switch", otherwiseAt, "otherwise"], `case ${alwaysTaken + 1} always holds`, report);
  return taken;
}

function casesByTarget(taken: readonly number[], targets: SwitchTargets): Branches["casesOf"] {
  const casesOf = new Map<number, Set<number>>();
  for (const index of taken) {
    for (const target of at(targets, index)) casesOf.set(target, (casesOf.get(target) ?? new Set()).add(index));
  }
  return casesOf;
}

function reportOtherwise(step: DraftStep, index: number, first: number, report: Report): void {
  unreachable(
    [...step.path, "switch", index, "otherwise"],
    `entry ${first + 1} is the \`otherwise\` of this switch`,
    report,
    "Put all its steps into one list.",
  );
}

function unreachable(path: Path, why: string, report: Report, hint = "Remove the branch or change its condition."): void {
  report({ code: "BRANCH_UNREACHABLE", path, message: `This branch is never taken: ${why}`, hint });
}

/** The text of an expression with or without its braces. */
function normalised(source: Json | undefined): string {
  if (typeof source !== "string") return typeof source === "boolean" ? String(source) : "";
  const text = source.trim();
  const inner = text.startsWith("{{") && text.endsWith("}}") && text.indexOf("{{", 2) < 0 ? text.slice(2, -2) : text;
  return inner.trim();
}

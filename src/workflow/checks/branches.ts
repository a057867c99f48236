import type { Json } from "../../model/json.ts";
import { at } from "../at.ts";
import type { Draft, DraftStep } from "../draft.ts";
import type { SwitchTargets } from "../edges.ts";
import type { Report } from "../findings.ts";
import type { Path } from "../path.ts";
import { asList, asObject } from "../readers.ts";

/** Index of the case that stands for `otherwise`. */
export const OTHERWISE = -1;

/** What is known of a switch without running it. */
export interface Branches {
  readonly isExclusive: boolean;
  /** Target → the cases that can select it; a target that no case can select has none. */
  readonly casesOf: ReadonlyMap<number, ReadonlySet<number>>;
}

/** The constant that a condition is, if it is one. */
export function constantCondition(source: Json | undefined): boolean | undefined {
  const text = normalised(source);
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** Reports branches that can never be taken, and gives those that can. */
export function checkBranches(draft: Draft, targets: readonly SwitchTargets[], report: Report): readonly (Branches | null)[] {
  return draft.steps.map((step, ordinal) => {
    const cases = at(targets, ordinal);
    return cases.length === 0 ? null : checkSwitch(step, cases, report);
  });
}

function checkSwitch(step: DraftStep, targets: SwitchTargets, report: Report): Branches {
  const isExclusive = step.fields["mode"] !== "inclusive";
  const casesOf = new Map<number, Set<number>>();
  const seen = new Map<string, number>();
  let alwaysTaken: number | undefined;
  let otherwiseAt: number | undefined;
  const entries = asList(step.fields["switch"]).map(asObject);
  const select = (index: number, asCase: number) => {
    for (const target of at(targets, index)) casesOf.set(target, (casesOf.get(target) ?? new Set()).add(asCase));
  };
  for (const target of targets.flat()) casesOf.set(target, new Set());
  entries.forEach((entry, index) => {
    if (Object.hasOwn(entry, "otherwise")) {
      if (otherwiseAt === undefined) otherwiseAt = index;
      else reportOtherwise(step, index, otherwiseAt, report);
      return;
    }
    const constant = constantCondition(entry["when"]);
    const text = normalised(entry["when"]);
    const same = isExclusive ? seen.get(text) : undefined;
    seen.set(text, same ?? index);
    const path = [...step.path, "switch", index, "when"];
    if (constant === false) unreachable(path, "its condition is always false", report);
    else if (isExclusive && alwaysTaken !== undefined) unreachable(path, `case ${alwaysTaken + 1} before it always holds`, report);
    else if (same !== undefined) unreachable(path, `case ${same + 1} before it has the same condition`, report);
    else select(index, index);
    if (constant === true) alwaysTaken ??= index;
  });
  if (otherwiseAt !== undefined) {
    if (alwaysTaken === undefined) select(otherwiseAt, OTHERWISE);
    else unreachable([...step.path, "switch", otherwiseAt, "otherwise"], `case ${alwaysTaken + 1} always holds`, report);
  }
  return { isExclusive, casesOf };
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

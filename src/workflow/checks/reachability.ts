import { at } from "../at.ts";
import type { DraftStep, Level } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { Edge } from "../graph.ts";
import type { StepTemplates } from "../step-templates.ts";
import type { EdgesByStep } from "../topology.ts";
import { type Branches, constantCondition } from "./branches.ts";

/** Exclusive switch → the cases of which one was taken when the step runs. */
type Guards = ReadonlyMap<number, ReadonlySet<number>>;

/** More would make the check quadratic; what is left out is only not checked. */
const MAX_GUARDS = 8;
const MAX_CASES = 64;
const NO_GUARDS: Guards = new Map();

export interface ReachabilityInput {
  readonly level: Level;
  readonly templates: readonly StepTemplates[];
  readonly branches: readonly Branches[];
  readonly incoming: EdgesByStep;
  readonly order: readonly number[];
}

/**
 * Reports steps that can never run: a constant condition, no branch that selects them, or needs from two branches of which only
 * one is ever taken; and references to a step of the other branch.
 */
export function checkReachability({ level, templates, branches, incoming, order }: ReachabilityInput, report: Report): void {
  const guardsOf: Guards[] = level.steps.map(() => NO_GUARDS);
  for (const ordinal of order) {
    const step = at(level.steps, ordinal);
    const edges = at(incoming, ordinal);
    if (constantCondition(step.fields["when"]) === false) neverRuns(step, "its `when` is always false", report, "when");
    const selected = guardsOfTarget(step, edges, branches, guardsOf, report);
    const guards = inherit(step, edges, selected, guardsOf, level, report);
    guardsOf[ordinal] = guards;
    for (const { ordinal: read, required, path } of at(templates, ordinal).references) {
      const rival = required ? rivalSwitch(guards, at(guardsOf, read)) : undefined;
      if (rival === undefined) continue;
      const message = `Step \`${step.id}\` refers to \`${at(level.steps, read).id}\`, but \`${at(level.steps, rival).id}\` never selects both`;
      const hint = "Remove the reference, or give it a default (`?? 'none'`) and the step `join: settled`.";
      report({ code: "STEP_NOT_BEFORE", path, message, hint });
    }
  }
}

function neverRuns(step: DraftStep, why: string, report: Report, field?: string): void {
  const path = field === undefined ? step.path : [...step.path, field];
  const hint = field === "when" ? "To switch a step off for a while use a variable: `when: vars.enabled`." : undefined;
  report({ code: "STEP_UNREACHABLE", path, message: `Step \`${step.id}\` can never run: ${why}`, hint });
}

function guardsOfTarget(
  step: DraftStep,
  edges: readonly Edge[],
  branches: readonly Branches[],
  guardsOf: readonly Guards[],
  report: Report,
): Guards {
  const control = edges.filter(({ kind }) => kind === "control");
  const [only] = control;
  if (only === undefined) return NO_GUARDS;
  const isSelected = control.some(({ from }) => at(branches, from).casesOf.has(step.ordinal));
  if (!isSelected) neverRuns(step, "no branch that selects it is ever taken", report);
  const { isExclusive, casesOf } = at(branches, only.from);
  const cases = casesOf.get(step.ordinal);
  if (cases === undefined || control.length > 1) return NO_GUARDS;
  const inherited = at(guardsOf, only.from);
  const isGuard = isExclusive && cases.size <= MAX_CASES && inherited.size < MAX_GUARDS;
  return isGuard ? new Map([...inherited, [only.from, cases]]) : inherited;
}

/** A step that must have run brings its branches with it; two that never run together leave nothing. */
function inherit(step: DraftStep, edges: readonly Edge[], own: Guards, guardsOf: readonly Guards[], level: Level, report: Report): Guards {
  const join = step.fields["join"];
  if (join === "settled") return own;
  const data = edges.filter(({ kind }) => kind === "data");
  let guards = own;
  for (const { from, required } of data.filter((edge) => edge.required || join === "all" || data.length === 1)) {
    const rival = rivalSwitch(guards, at(guardsOf, from));
    if (rival === undefined) guards = intersect(guards, at(guardsOf, from));
    // A required reference is reported where it stands.
    else if (!required) {
      const why = `it needs \`${at(level.steps, from).id}\`, and \`${at(level.steps, rival).id}\` never selects both branches`;
      neverRuns(step, why, report);
    }
  }
  return guards;
}

/** A switch of which the two need different cases. */
function rivalSwitch(left: Guards, right: Guards): number | undefined {
  for (const [source, cases] of left) {
    const others = right.get(source);
    if (others !== undefined && overlap(cases, others).size === 0) return source;
  }
  return undefined;
}

function intersect(left: Guards, right: Guards): Guards {
  const merged = new Map(left);
  for (const [source, cases] of right) {
    const known = merged.get(source);
    if (known !== undefined) merged.set(source, overlap(known, cases));
    else if (merged.size < MAX_GUARDS) merged.set(source, cases);
  }
  return merged;
}

function overlap(left: ReadonlySet<number>, right: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...left].filter((member) => right.has(member)));
}

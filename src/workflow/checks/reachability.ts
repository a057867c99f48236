import type { Draft, DraftStep } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { Edge } from "../graph.ts";
import type { StepTemplates } from "../step-templates.ts";
import { type Adjacency, edgesOf } from "../topology.ts";
import { type Branches, constantCondition } from "./branches.ts";

/** Exclusive switch → the cases of which one was taken when the step runs. */
type Guards = ReadonlyMap<number, ReadonlySet<number>>;

/** More would make the check quadratic; what is left out is only not checked. */
const MAX_GUARDS = 8;
const MAX_CASES = 64;
const NO_GUARDS: Guards = new Map();

export interface ReachabilityInput {
  readonly draft: Draft;
  readonly templates: readonly StepTemplates[];
  readonly branches: readonly (Branches | undefined)[];
  readonly incoming: Adjacency;
  readonly order: readonly number[];
}

/**
 * Reports steps that can never run: a constant condition, no branch that selects them, or needs from two branches of which only
 * one is ever taken; and references to a step of the other branch.
 */
export function checkReachability({ draft, templates, branches, incoming, order }: ReachabilityInput, report: Report): void {
  const guardsOf: Guards[] = draft.steps.map(() => NO_GUARDS);
  for (const ordinal of order) {
    const step = draft.steps[ordinal];
    if (step === undefined) continue;
    const edges = edgesOf(incoming, ordinal);
    if (constantCondition(step.fields["when"]) === false) neverRuns(step, "its `when` is always false", report, "when");
    const selected = guardsOfTarget(step, edges, branches, guardsOf, report);
    const guards = inherit(step, edges, selected, guardsOf, draft, report);
    guardsOf[ordinal] = guards;
    for (const { ordinal: read, required, path } of templates[ordinal]?.references ?? []) {
      const rival = required ? rivalSwitch(guards, guardsOf[read] ?? NO_GUARDS) : undefined;
      if (rival === undefined || read === ordinal) continue;
      const message = `Step \`${step.id}\` refers to \`${idOf(draft, read)}\`, but \`${idOf(draft, rival)}\` never selects both`;
      report({
        code: "STEP_NOT_BEFORE",
        path,
        message,
        hint: "Remove the reference, or give it a default (`?? 'none'`) and the step `join: settled`.",
      });
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
  branches: readonly (Branches | undefined)[],
  guardsOf: readonly Guards[],
  report: Report,
): Guards {
  const control = edges.filter(({ kind }) => kind === "control");
  const [first] = control;
  if (first === undefined) return NO_GUARDS;
  const casesFrom = (from: number) => branches[from]?.casesOf.get(step.ordinal) ?? new Set();
  if (control.every(({ from }) => casesFrom(from).size === 0)) neverRuns(step, "no branch that selects it is ever taken", report);
  if (control.length > 1) return NO_GUARDS;
  const inherited = guardsOf[first.from] ?? NO_GUARDS;
  const cases = casesFrom(first.from);
  const isGuard = branches[first.from]?.isExclusive === true && cases.size > 0 && cases.size <= MAX_CASES && inherited.size < MAX_GUARDS;
  return isGuard ? new Map([...inherited, [first.from, cases]]) : inherited;
}

/** A step that must have run brings its branches with it; two that never run together leave nothing. */
function inherit(step: DraftStep, edges: readonly Edge[], own: Guards, guardsOf: readonly Guards[], draft: Draft, report: Report): Guards {
  const join = step.fields["join"];
  if (join === "settled") return own;
  const data = edges.filter(({ kind }) => kind === "data");
  let guards = own;
  for (const { from, required } of data) {
    const mustHaveRun = required || join === "all" || data.length === 1;
    const others = guardsOf[from] ?? NO_GUARDS;
    if (!mustHaveRun || others === guards || others.size === 0) continue;
    const rival = rivalSwitch(guards, others);
    if (rival === undefined) guards = intersect(guards, others);
    // A required reference is reported where it stands.
    else if (!required)
      neverRuns(step, `it needs \`${idOf(draft, from)}\`, and \`${idOf(draft, rival)}\` never selects both branches`, report);
  }
  return guards;
}

/** A switch of which the two need different cases. */
function rivalSwitch(left: Guards, right: Guards): number | undefined {
  if (left === right) return undefined;
  for (const [source, cases] of left) {
    const others = right.get(source);
    if (others !== undefined && others !== cases && overlap(cases, others).size === 0) return source;
  }
  return undefined;
}

function intersect(left: Guards, right: Guards): Guards {
  if (left.size === 0) return right;
  const merged = new Map(left);
  for (const [source, cases] of right) {
    const known = merged.get(source);
    if (known === undefined && merged.size < MAX_GUARDS) merged.set(source, cases);
    else if (known !== undefined && known !== cases) merged.set(source, overlap(known, cases));
  }
  return merged;
}

function overlap(left: ReadonlySet<number>, right: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...left].filter((member) => right.has(member)));
}

function idOf(draft: Draft, ordinal: number): string {
  return draft.steps[ordinal]?.id ?? "";
}

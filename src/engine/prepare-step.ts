import type { EvaluationContext, Scope } from "../expressions/template.ts";
import type { RecordedError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { Step, Switch } from "../workflow/graph.ts";
import { type MaybePromise, proceed } from "./maybe-promise.ts";
import { recordError } from "./recorded-error.ts";

/** What evaluating a ready step says: facts for the scheduler and values for the commit that they cause. */
export type Prepared =
  | { readonly decision: "start"; readonly input: Json; readonly idempotencyKey: string | null }
  /** A block begins with the list that it repeats over, or with the carry of its first round. */
  | { readonly decision: "open"; readonly input: Json }
  | { readonly decision: "skip" }
  | { readonly decision: "select"; readonly targets: readonly number[] }
  | { readonly decision: "fail"; readonly error: RecordedError };

/** Where expressions find their scope and what makes them repeatable; both are made when they are asked for. */
export interface EvaluatingRun {
  readonly scope: Scope;
  evaluation(stepId: string): EvaluationContext;
}

const SKIP: Prepared = { decision: "skip" };
const START_WITHOUT_INPUT: Prepared = { decision: "start", input: {}, idempotencyKey: null };

/** Evaluates `when`, then the cases of a switch or `with` and `idempotencyKey` (SPEC §2): each once, in this order. Never throws. */
export function prepareStep(step: Step, run: EvaluatingRun): MaybePromise<Prepared> {
  if (step.when === null && step.with === null && step.switch === null && step.block === null && step.idempotencyKey === null)
    return START_WITHOUT_INPUT;
  const { scope } = run;
  const context = run.evaluation(step.id);
  try {
    if (step.with !== null && step.when === null && step.switch === null && step.block === null && step.idempotencyKey === null)
      return startWith(step.with.evaluate(scope, context));
    const prepared = proceed(step.when?.evaluate(scope, context) ?? true, (holds) =>
      holds === true ? evaluateBody(step, scope, context) : SKIP,
    );
    return prepared instanceof Promise ? prepared.catch(failed) : prepared;
  } catch (thrown) {
    return failed(thrown);
  }
}

/** What most steps have is an input alone: one promise for it instead of two. */
function startWith(input: MaybePromise<Json>): MaybePromise<Prepared> {
  return input instanceof Promise ? input.then(start, failed) : start(input);
}

function start(input: Json): Prepared {
  return { decision: "start", input, idempotencyKey: null };
}

function failed(thrown: unknown): Prepared {
  return { decision: "fail", error: recordError(thrown) };
}

function evaluateBody(step: Step, scope: Scope, context: EvaluationContext): MaybePromise<Prepared> {
  if (step.switch !== null)
    return proceed(selectTargets(step.switch, scope, context, 0, []), (targets) => ({ decision: "select", targets }));
  if (step.block !== null) {
    const given = step.block.kind === "foreach" ? step.block.items : step.with;
    return proceed(given?.evaluate(scope, context) ?? {}, (input) => ({ decision: "open", input }));
  }
  return proceed(step.with?.evaluate(scope, context) ?? {}, (input) =>
    step.idempotencyKey === null
      ? start(input)
      : proceed(step.idempotencyKey.evaluate(scope, context), (key) => ({ decision: "start", input, idempotencyKey: asKey(key) })),
  );
}

function asKey(key: Json): string {
  return typeof key === "string" ? key : JSON.stringify(key);
}

/** Cases are evaluated in order; `exclusive` stops at the first that holds. */
function selectTargets(
  cases: Switch,
  scope: Scope,
  context: EvaluationContext,
  index: number,
  selected: readonly number[],
): MaybePromise<readonly number[]> {
  for (let at = index; at < cases.cases.length; at++) {
    const candidate = cases.cases[at];
    if (candidate === undefined) break;
    const holds = candidate.when.evaluate(scope, context);
    if (holds instanceof Promise) {
      return holds.then((value) => {
        const found = value === true ? [...selected, ...candidate.then] : selected;
        return value === true && cases.mode === "exclusive" ? found : selectTargets(cases, scope, context, at + 1, found);
      });
    }
    if (holds !== true) continue;
    selected = [...selected, ...candidate.then];
    if (cases.mode === "exclusive") return selected;
  }
  return selected.length === 0 ? cases.otherwise : [...new Set(selected)];
}

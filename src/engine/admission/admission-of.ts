import type { EvaluationContext, Scope } from "../../expressions/template.ts";
import { DEFAULT_GROUP } from "../../ledger/placement.ts";
import type { Admission, Gather, Limiter } from "../../model/admission.ts";
import { StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { type FlowGather, type FlowLimit, NO_FLOW } from "../../workflow/flow/flow.ts";
import type { Graph } from "../../workflow/graph.ts";
import { type MaybePromise, proceed } from "../maybe-promise.ts";
import { flowId } from "./flow-id.ts";
import { keyText } from "./flow-key.ts";
import { priorityMs } from "./priority.ts";

/** A start, as far as flow control sees it. */
export interface Start {
  readonly tenant: string;
  /** What this start gives, also of a workflow that collects its starts. */
  readonly input: Json;
  readonly evaluation: EvaluationContext;
}

/**
 * What a run asks for before it may begin, its keys and its priority evaluated now; undefined when that is nothing at all: no limits, no
 * priority, nothing collected, and the default group.
 *
 * @param group of the route that its topic, its workflow or its tenant has
 * @throws StepwellError `FLOW_KEY_INVALID`, `PRIORITY_INVALID` (thrown, or as a rejection)
 */
export function admissionOf(graph: Graph, start: Start, group: string): MaybePromise<Admission | undefined> {
  const { flow, name: workflow, version, vars, env } = graph;
  if (flow === NO_FLOW) return group === DEFAULT_GROUP ? undefined : { priorityMs: 0, limiters: [], gather: null };
  const { tenant, input, evaluation } = start;
  const scope: Scope = { input, vars, env, run: { workflow, version, tenant } };
  return proceed(priorityMs(workflow, flow.priority, scope, evaluation), (priority) =>
    proceed(limitersOf(workflow, flow.limits, scope, evaluation), (limiters) =>
      proceed(gatherOf(workflow, flow.gather, scope, evaluation), (gather) => ({ priorityMs: priority, limiters, gather })),
    ),
  );
}

/** One after the other, so that no promise is left alone when an earlier key is refused. */
function limitersOf(
  workflow: string,
  limits: readonly FlowLimit[],
  scope: Scope,
  context: EvaluationContext,
): MaybePromise<readonly Limiter[]> {
  return limits.reduce<MaybePromise<readonly Limiter[]>>(
    (before, limit) =>
      proceed(before, (limiters) => proceed(limiterOf(workflow, limit, scope, context), (limiter) => [...limiters, limiter])),
    [],
  );
}

function limiterOf(workflow: string, flowLimit: FlowLimit, scope: Scope, context: EvaluationContext): MaybePromise<Limiter> {
  const { kind, index, path, key, limit, periodMs, onLimit, holds } = flowLimit;
  return proceed(keyText(workflow, path, key, scope, context), (text) => ({
    id: flowId(workflow, kind, index, text),
    limit,
    periodMs,
    onLimit,
    holds,
  }));
}

function gatherOf(workflow: string, gather: FlowGather | null, scope: Scope, context: EvaluationContext): MaybePromise<Gather | null> {
  if (gather === null) return null;
  const { kind, key, mode, delayMs, maxDelayMs, maxItems } = gather;
  return proceed(keyText(workflow, kind, key, scope, context), (text) => ({
    id: flowId(workflow, kind, 0, text),
    mode,
    delayMs,
    maxDelayMs,
    maxItems,
  }));
}

/**
 * Starts that are collected become one run, of which an idempotency key would name many.
 *
 * @throws StepwellError `IDEMPOTENCY_KEY_REFUSED`
 */
export function refuseKeyOfGathered({ name, flow }: Graph, idempotencyKey: string | undefined): void {
  if (idempotencyKey === undefined || flow.gather === null) return;
  throw new StepwellError(
    "IDEMPOTENCY_KEY_REFUSED",
    `"${name}" collects its starts (${flow.gather.kind}), so a start cannot have an idempotency key`,
    { hint: "Leave the key out: what starts have in common is the `key` of the workflow." },
  );
}

import type { StepStatus } from "../model/status.ts";
import { Scheduler } from "../scheduler/index.ts";
import type { Compensate, CompensationPolicy, Step, StepGraph } from "../workflow/graph.ts";
import { type ScopePlan, scopePlan } from "./plan.ts";
import { UNDO_PREFIX } from "./step-paths.ts";
import type { ScopeOwner, StepScope } from "./step-scope.ts";

/** Where a scope is put into its run. */
export interface UndoPlaces {
  placeUndo(plan: ScopePlan, scheduler: Scheduler, owner: ScopeOwner, ordinal: number | null): StepScope;
}

/** Rows of compensations that a run was read back with. */
export interface RestoredUndo {
  readonly ordinal: number;
  readonly scheduler: Scheduler;
}

/**
 * Undoes what a run has done, step by step, after it failed or was cancelled (saga; opt-in, S0-30). Each compensation is a step of its
 * own, with its operator and retries; one that fails for good does not keep the others from being tried.
 */
export class RunUndo implements ScopeOwner {
  /** Made when the run is to be undone. */
  scope: StepScope | undefined;
  readonly #policy: CompensationPolicy;
  readonly #root: StepScope;
  readonly #places: UndoPlaces;
  #hasOutputFailed = false;
  #isDone = false;

  constructor(policy: CompensationPolicy, root: StepScope, places: UndoPlaces) {
    this.#policy = policy;
    this.#root = root;
    this.#places = places;
  }

  /** Begins, if the end of the run's own steps calls for it or rows say that it has begun, and tells whether it is still under way. */
  isUnderWay(restore?: (plan: ScopePlan) => RestoredUndo): boolean {
    if (this.scope !== undefined) return !this.#isDone;
    if (restore === undefined && !isUndoDue(this.#policy, this.#root, this.#hasOutputFailed)) return false;
    const plan = undoPlan(this.#policy, this.#root);
    const { ordinal, scheduler } = restore?.(plan) ?? { ordinal: null, scheduler: begun(plan) };
    this.scope = this.#places.placeUndo(plan, scheduler, this, ordinal);
    return true;
  }

  /** All steps went well and the run fails for its own output: begins, if that calls for it, and tells whether it is under way. */
  outputFailed(): boolean {
    this.#hasOutputFailed = true;
    return this.isUnderWay();
  }

  ended(): void {
    this.#isDone = true;
  }

  /** What became of each compensation; null when there were none. */
  get statuses(): Readonly<Record<string, StepStatus>> | null {
    if (this.scope === undefined) return null;
    const { plan, scheduler } = this.scope;
    return Object.fromEntries(plan.graph.steps.map(({ id, ordinal }) => [id.slice(UNDO_PREFIX.length), scheduler.statusOf(ordinal)]));
  }
}

function begun({ topology }: ScopePlan): Scheduler {
  const scheduler = new Scheduler(topology);
  scheduler.begin();
  return scheduler;
}

/** Whether the end of a run's own steps, or of its output, calls for undoing what they did. */
function isUndoDue({ on }: CompensationPolicy, { scheduler, undoable }: StepScope, hasOutputFailed: boolean): boolean {
  const outcome = scheduler.outcome();
  if (outcome === undefined || undoable.length === 0 || (outcome === "succeeded" && !hasOutputFailed)) return false;
  return on.includes(outcome === "cancelled" ? "cancel" : "failure");
}

/** The compensations of a run, in order: each after the one before, whatever became of that. */
function undoPlan({ order }: CompensationPolicy, { undoable }: StepScope): ScopePlan {
  const forward = undoable.toSorted((one, other) => one.revision - other.revision || one.step.ordinal - other.step.ordinal);
  return planOf((order === "forward" ? forward : forward.toReversed()).map(({ step }) => step));
}

function planOf(undone: readonly Step[]): ScopePlan {
  const steps = undone.flatMap((step, ordinal) => (step.compensate === null ? [] : [undoStep(step, step.compensate, ordinal)]));
  const edges = steps
    .slice(1)
    .map(({ ordinal }) => ({ from: ordinal - 1, to: ordinal, kind: "order", required: false, inferred: true }) as const);
  const graph: StepGraph = { steps, edges, onFailure: "isolate" };
  return scopePlan(graph);
}

function undoStep({ id, topic }: Step, { uses, with: input, retry, timeoutMs }: Compensate, ordinal: number): Step {
  return {
    ordinal,
    id: `${UNDO_PREFIX}${id}`,
    description: null,
    uses,
    with: input,
    when: null,
    join: "some",
    switch: null,
    retry,
    timeoutMs,
    fallback: null,
    onError: "fail",
    delivery: "at-least-once",
    idempotencyKey: null,
    output: null,
    schema: null,
    topic,
    isolation: "none",
    block: null,
    compensate: null,
  };
}

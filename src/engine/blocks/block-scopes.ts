import type { StepView } from "../../expressions/template.ts";
import { invariant, StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import { type Ending, Scheduler } from "../../scheduler/index.ts";
import type { Block } from "../../workflow/graph.ts";
import type { LiveSteps } from "../live-steps.ts";
import { Passage } from "../passage.ts";
import type { ScopePlan } from "../plan.ts";
import { settleBlock } from "../settle-step.ts";
import { type ScopeOwner, type ScopePlace, StepScope } from "../step-scope.ts";
import type { StepState } from "../step-state.ts";
import type { BlockHost, BlockRun } from "./block.ts";
import { ForeachRun } from "./foreach.ts";
import { LoopRun } from "./loop.ts";

/** The scopes that the blocks of one run have open, and the ordinals that are free for more. */
export class BlockScopes {
  readonly #steps: LiveSteps & { readonly root: StepScope };
  /** By the ordinal of each of their steps. */
  #byOrdinal: Passage<number, StepScope> | undefined;
  #nextOrdinal: number;

  constructor(steps: LiveSteps & { readonly root: StepScope }, nextOrdinal: number) {
    this.#steps = steps;
    this.#nextOrdinal = nextOrdinal;
  }

  /** A block that starts, or goes on after the run was read back. */
  create(state: StepState): BlockRun {
    const { step, scope, input, path } = state;
    const { block } = step;
    invariant(block !== null, `step ${path} is no block`);
    const host = this.#hostOf(state, block);
    const run = blockRun(host, state, block, input);
    state.block = run;
    scope.blockBegan(run);
    return run;
  }

  begin(state: StepState): void {
    this.create(state).advance();
  }

  /** The scope that a step of an ordinal belongs to. */
  scopeOf(ordinal: number): StepScope {
    return this.#byOrdinal?.get(ordinal) ?? this.#steps.root;
  }

  /** Nothing starts any more in a scope, nor in the blocks that stand in it. */
  end(scope: StepScope, ending: Ending): void {
    if (ending === "cancel") scope.scheduler.cancelRun();
    else if (ending === "timeout") scope.scheduler.timeOutRun();
    else scope.scheduler.stopRun();
    this.#steps.touch(scope);
    for (const block of scope.blocks) block.stop(ending);
  }

  /** A scope of a body, with its steps known by their ordinals; `scheduler` has begun or was restored. */
  place(plan: ScopePlan, scheduler: Scheduler, views: Record<string, StepView>, place: ScopePlace): StepScope {
    const scope = new StepScope(this.#steps.core, plan, scheduler, views, place);
    this.#byOrdinal ??= new Passage();
    for (const step of plan.graph.steps) this.#byOrdinal.set(scope.ordinalOf(step), scope);
    // steps of a scope that was read back have their ordinals although no row may hold them yet
    this.#nextOrdinal = Math.max(this.#nextOrdinal, place.ordinal + 1 + plan.graph.steps.length);
    this.#steps.touch(scope);
    return scope;
  }

  /** A scope that no block opened, at the next free ordinals or where its rows stand already. */
  placeUndo(plan: ScopePlan, scheduler: Scheduler, owner: ScopeOwner, at: number | null): StepScope {
    const { root } = this.#steps;
    const ordinal = at ?? this.#take(1 + plan.graph.steps.length);
    const place = { owner, ordinal, blockOrdinal: null, index: 0, path: "", names: {}, outer: root };
    return this.place(plan, scheduler, { ...root.views }, place);
  }

  #hostOf(state: StepState, block: Block): BlockHost {
    const steps = this.#steps;
    return {
      open: (at, carry) => this.#open(state, block, at, carry),
      close: (scope, result) => {
        for (const step of scope.plan.graph.steps) this.#byOrdinal?.take(scope.ordinalOf(step));
        if (scope.place !== null) steps.recorder.scopeClosed(scope.place, result);
      },
      end: (scope, ending) => this.end(scope, ending),
      settle: (result) => settleBlock(steps, state, result),
      evaluate: (promise, next) => steps.evaluate(promise, next),
      delay: (delayMs, carry) => steps.recorder.delayed(state, delayMs, carry),
    };
  }

  #open(state: StepState, { body }: Block, at: Parameters<BlockHost["open"]>[0], carry: Json | null): StepScope {
    const { scope: outer, step, path } = state;
    const plan = outer.plan.bodies[step.ordinal] ?? undefined;
    const { block } = state;
    invariant(plan !== undefined && block !== null, `step ${path} has no body`);
    const ordinal = this.#take(1 + body.steps.length);
    const scheduler = new Scheduler(plan.topology);
    scheduler.begin();
    const place = { ...at, owner: block, ordinal, blockOrdinal: state.ordinal, path: `${path}[${at.index}]`, outer };
    this.#steps.recorder.scopeOpened(place, carry === null ? null : JSON.stringify(carry));
    return this.place(plan, scheduler, outwardViews(body.outward, outer), place);
  }

  #take(count: number): number {
    const first = this.#nextOrdinal;
    if (first + count > LIMITS.ordinalsPerRun)
      throw new StepwellError("RUN_TOO_LARGE", `the run has had ${first} steps, items and rounds; the limit is ${LIMITS.ordinalsPerRun}`);
    this.#nextOrdinal += count;
    return first;
  }
}

function blockRun(host: BlockHost, { scope, path, input, step }: StepState, block: Block, given: Json): BlockRun {
  if (block.kind === "loop") return new LoopRun(host, step.id, block, scope, given);
  invariant(Array.isArray(input), `step ${path} repeats over a list`);
  return new ForeachRun(host, path, block, input);
}

/** What a body can see of the steps outside: they have settled before their block began. */
export function outwardViews(outward: readonly string[], outer: StepScope): Record<string, StepView> {
  const views: Record<string, StepView> = {};
  for (const id of outward) {
    const view = outer.views[id];
    if (view !== undefined) views[id] = view;
  }
  return views;
}

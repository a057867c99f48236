import type { EvaluationContext, Scope, StepView } from "../expressions/template.ts";
import { invariant } from "../model/errors.ts";
import type { Ending, Outcome, Scheduler } from "../scheduler/index.ts";
import type { Step } from "../workflow/graph.ts";
import type { ScopePlan } from "./plan.ts";
import type { EvaluatingRun } from "./prepare-step.ts";
import type { RunCore, StepFailure } from "./run-core.ts";

/** How a body's steps ended: one item of a `foreach`, one round of a `loop`. */
export interface ScopeEnd {
  readonly outcome: Outcome;
  readonly failure: StepFailure | undefined;
}

/** The block that a scope belongs to. */
export interface ScopeOwner {
  /** All steps of the scope have settled. */
  ended(scope: StepScope, end: ScopeEnd): void;
}

/** What a scope knows of a block that stands in it. */
export interface BlockEnd {
  /** Nothing new begins: the scope comes to its end. */
  stop(ending: Ending): void;
}

/** Where a scope lies in its run. */
export interface ScopePlace {
  readonly owner: ScopeOwner;
  /** Ordinal of the scope's own row; its steps have the ordinals after it. */
  readonly ordinal: number;
  /** Ordinal of its block's row; null for the compensations of a run, which have neither a block nor a row of their own. */
  readonly blockOrdinal: number | null;
  /** The item or round, from 0. */
  readonly index: number;
  /** For example `lines[3]`; empty for compensations. */
  readonly path: string;
  /** What expressions see in it beside what its block sees. */
  readonly names: Pick<Scope, "item" | "index" | "carry" | "round">;
  readonly outer: StepScope;
}

/** A step that succeeded and can be undone. */
export interface Undoable {
  readonly step: Step;
  /** Of the row that settled it: later ones are larger. */
  readonly revision: number;
}

const NO_BLOCKS: readonly BlockEnd[] = [];
const NO_UNDOABLE: readonly Undoable[] = [];

/** One graph at work: the run's own steps, or one item or round of a block. It lives in memory as long as it is not done. */
export class StepScope implements EvaluatingRun {
  readonly plan: ScopePlan;
  readonly scheduler: Scheduler;
  readonly views: Record<string, StepView>;
  /** Null for the run's own steps. */
  readonly place: ScopePlace | null;
  /** The first failure that fails it. */
  failure: StepFailure | undefined;
  /** Its end has been told. */
  isOver = false;
  /** Its scheduler may have decided something that nobody has followed yet. */
  isTouched = false;
  readonly #core: RunCore;
  readonly #first: number;
  readonly #prefix: string;
  /** Made with the first expression. */
  #names: Scope | undefined;
  /** Made with the first block. */
  #blocks: Set<BlockEnd> | undefined;
  /** Made with the first step that has a compensation. */
  #undoable: Undoable[] | undefined;

  constructor(core: RunCore, plan: ScopePlan, scheduler: Scheduler, views: Record<string, StepView>, place: ScopePlace | null) {
    this.#core = core;
    this.plan = plan;
    this.scheduler = scheduler;
    this.views = views;
    this.place = place;
    this.#first = place === null ? 0 : place.ordinal + 1;
    this.#prefix = place === null || place.path === "" ? "" : `${place.path}.`;
  }

  get scope(): Scope {
    this.#names ??=
      this.place === null ? namesOf(this.#core, this.views) : { ...this.place.outer.scope, ...this.place.names, steps: this.views };
    return this.#names;
  }

  /** Blocks among its steps that are at work. */
  get blocks(): Iterable<BlockEnd> {
    return this.#blocks ?? NO_BLOCKS;
  }

  blockBegan(block: BlockEnd): void {
    this.#blocks ??= new Set();
    this.#blocks.add(block);
  }

  blockEnded(block: BlockEnd): void {
    this.#blocks?.delete(block);
  }

  /** Steps that a compensation could undo. */
  get undoable(): readonly Undoable[] {
    return this.#undoable ?? NO_UNDOABLE;
  }

  canUndo(step: Step, revision: number): void {
    this.#undoable ??= [];
    this.#undoable.push({ step, revision });
  }

  evaluation(stepId: string): EvaluationContext {
    return { nowMs: this.#core.host.ledgerNow(), seed: `${this.#core.context.runId}/${this.#prefix}${stepId}` };
  }

  /** Nothing starts in it any more: the run was cancelled or timed out. */
  get isEnded(): boolean {
    const { ending } = this.scheduler;
    return ending === "cancel" || ending === "timeout";
  }

  /** The ordinal by which the whole run knows a step of this scope. */
  ordinalOf(step: Step): number {
    return this.#first + step.ordinal;
  }

  pathOf(step: Step): string {
    return this.#prefix === "" ? step.id : this.#prefix + step.id;
  }

  stepAt(local: number): Step {
    const step = this.plan.graph.steps[local];
    invariant(step !== undefined, `${this.#prefix || "the run"} has no step ${local}`);
    return step;
  }

  /** The step that the whole run knows by an ordinal. */
  stepOf(ordinal: number): Step {
    return this.stepAt(ordinal - this.#first);
  }
}

function namesOf({ context, plan }: RunCore, steps: Readonly<Record<string, StepView>>): Scope {
  const { runId: id, workflow, version, tenant, input } = context;
  return { input, steps, vars: plan.graph.vars, env: plan.graph.env, run: { id, workflow, version, tenant } };
}

import type { StepView } from "../expressions/template.ts";
import type { StoredRun } from "../ledger/port.ts";
import type { StepRow } from "../ledger/rows.ts";
import { invariant } from "../model/errors.ts";
import { type Json, parseJson, parseJsonOrNull } from "../model/json.ts";
import { Scheduler } from "../scheduler/index.ts";
import { outwardViews } from "./blocks/block-scopes.ts";
import { type EndedItem, ForeachRun } from "./blocks/foreach.ts";
import { LoopRun } from "./blocks/loop.ts";
import type { ScopePlan } from "./plan.ts";
import { parseError } from "./recorded-error.ts";
import type { RunCore } from "./run-core.ts";
import { RunSteps } from "./run-steps.ts";
import { indexOfPath } from "./step-paths.ts";
import { viewOf } from "./step-recorder.ts";
import { StepScope } from "./step-scope.ts";
import { StepState } from "./step-state.ts";
import { restoreWait } from "./step-wait.ts";

/** Rows by the ordinal of what they belong to; null are the run's own steps. */
type Children = ReadonlyMap<number | null, readonly StepRow[]>;

/** Rebuilds the steps of a run from its stored rows alone (PROMISES P14). */
export function restoreSteps(core: RunCore, stored: StoredRun): RunSteps {
  const children = Map.groupBy(stored.steps, ({ parent }) => parent);
  const [rows, undo] = partition(children.get(null) ?? []);
  const views = viewsOf(core.plan, rows, 0, {});
  const root = new StepScope(core, core.plan, schedulerOf(core.plan, rows, 0), views, null);
  const steps = new RunSteps(core, root, Math.max(stored.lastOrdinal + 1, core.plan.graph.steps.length));
  for (const wait of stored.waits) {
    if (wait.kind !== "timeout") steps.recorder.wait(wait.ordinal, restoreWait(wait, wait.kind));
  }
  fillScope(steps, root, rows, children);
  steps.touch(root);
  if (hasTimedOut(root, rows, undo.length > 0, stored)) steps.scopes.end(root, "timeout");
  restoreUndo(steps, undo, children);
  return steps;
}

/** Decides about steps that an engine before this one left RUNNING, and about waits that something has come for meanwhile. */
export function takeOver(steps: RunSteps, lost: readonly StepState[]): void {
  for (const state of lost) {
    if (state.scope.isEnded) steps.cancelBeforeLaunch(state);
    else if (steps.core.isHeld && state.step.delivery === "at-least-once") steps.holdAfterCrash(state);
    else steps.recover(state);
  }
  steps.wakeAll();
  steps.armAll();
}

/** The run took too long, and was to end for it: its rows say so, or it is being undone and nothing else is why. A cancel is read again. */
function hasTimedOut({ scheduler }: StepScope, rows: readonly StepRow[], isBeingUndone: boolean, { inbox }: StoredRun): boolean {
  if (inbox.some(({ kind }) => kind === "cancel")) return false;
  return rows.some(({ reason }) => reason === "run_timeout") || (isBeingUndone && scheduler.outcome() === "succeeded");
}

/** A run that was being undone: its compensations are the same, in the same order, as its own rows say. */
function restoreUndo(steps: RunSteps, rows: readonly StepRow[], children: Children): void {
  const [first] = rows;
  if (first === undefined) return;
  steps.undo?.isUnderWay((plan) => {
    const place = plan.graph.steps.findIndex(({ id }) => id === first.path);
    const ordinal = first.ordinal - place - 1;
    return { ordinal, scheduler: schedulerOf(plan, rows, ordinal + 1) };
  });
  const undo = steps.undo?.scope;
  invariant(undo !== undefined, "rows of compensations follow from a run that is to be undone");
  fillScope(steps, undo, rows, children);
}

function partition(rows: readonly StepRow[]): readonly [readonly StepRow[], readonly StepRow[]] {
  return [rows.filter(({ kind }) => kind !== "compensation"), rows.filter(({ kind }) => kind === "compensation")];
}

/** Puts the steps of a scope that have not settled to work again, and what their blocks have open. */
function fillScope(steps: RunSteps, scope: StepScope, rows: readonly StepRow[], children: Children): void {
  for (const row of rows) {
    const step = scope.stepOf(row.ordinal);
    if (row.finishedAt === null) fillStep(steps, scope, row, children);
    else if (row.status === "SUCCEEDED" && step.compensate !== null) scope.canUndo(step, row.revision);
    else if (row.status === "FAILED" && step.onError === "fail") {
      const error = row.error === null ? { code: "STEP_FAILED", message: "unknown" } : parseError(row.error);
      scope.failure ??= { stepId: scope.pathOf(step), error };
    }
  }
}

function fillStep(steps: RunSteps, scope: StepScope, row: StepRow, children: Children): void {
  const step = scope.stepOf(row.ordinal);
  const wait = steps.recorder.waits.get(row.ordinal);
  const state = new StepState(scope, step, row.input === null ? {} : parseJson(row.input), row.idempotencyKey);
  state.attempt = row.attempt;
  state.failures = row.failures;
  state.isHeld = row.status === "SUSPENDED" && row.reason === "quarantined";
  state.woken = wait?.detail.woken ?? null;
  steps.active.add(state);
  if (row.status === "RUNNING") steps.recorder.foundRunning(state);
  if (step.block !== null) fillBlock(steps, state, children);
}

function fillBlock(steps: RunSteps, state: StepState, children: Children): void {
  const block = steps.scopes.create(state);
  const scopeRows = children.get(state.ordinal) ?? [];
  const open = scopeRows.filter(({ finishedAt }) => finishedAt === null).map((row) => openScope(steps, state, row, children));
  const ended = scopeRows.filter(({ finishedAt }) => finishedAt !== null);
  if (block instanceof ForeachRun) block.restore(ended.map(endedItem), open);
  if (block instanceof LoopRun) {
    const last = ended.at(-1);
    const carry = steps.recorder.waits.get(state.ordinal)?.detail.carry;
    const delayed = carry === undefined ? undefined : { carry };
    block.restore(
      last === undefined ? undefined : { round: indexOfPath(last.path ?? ""), output: parseJsonOrNull(last.output) },
      open.at(-1),
      delayed,
    );
  }
  if (state.scope.scheduler.isStopping || state.scope.scheduler.ending !== null) block.stop("stop");
  block.advance();
}

function openScope(steps: RunSteps, state: StepState, row: StepRow, children: Children): StepScope {
  const { scope: outer, step, block, input } = state;
  const plan = outer.plan.bodies[step.ordinal] ?? undefined;
  invariant(plan !== undefined && block !== null && step.block !== null, `step ${state.path} has no body`);
  const rows = children.get(row.ordinal) ?? [];
  const first = row.ordinal + 1;
  const index = indexOfPath(row.path ?? "");
  const names =
    step.block.kind === "loop"
      ? { carry: row.input === null ? {} : parseJson(row.input), round: index }
      : { item: memberOf(input, index), index };
  const views = viewsOf(plan, rows, first, outwardViews(step.block.body.outward, outer));
  const path = row.path ?? "";
  const place = { owner: block, ordinal: row.ordinal, blockOrdinal: state.ordinal, index, path, names, outer };
  const scope = steps.scopes.place(plan, schedulerOf(plan, rows, first), views, place);
  fillScope(steps, scope, rows, children);
  return scope;
}

function schedulerOf(plan: ScopePlan, rows: readonly StepRow[], first: number): Scheduler {
  const restored = rows.map((row) => ({
    ordinal: row.ordinal - first,
    // a block is SUSPENDED for the ledger alone, see ADR 4
    status: row.kind === "block" && row.finishedAt === null ? ("RUNNING" as const) : row.status,
    selected: selectedOf(row),
  }));
  return Scheduler.restore(plan.topology, restored, { ending: null });
}

function viewsOf(plan: ScopePlan, rows: readonly StepRow[], first: number, outer: Record<string, StepView>): Record<string, StepView> {
  const views = outer;
  for (const row of rows) {
    const step = plan.graph.steps[row.ordinal - first];
    invariant(step !== undefined, `there is no step ${row.ordinal}`);
    if (row.finishedAt === null) continue;
    const output = row.output === null ? null : { output: parseJson(row.output) };
    views[step.id] = viewOf(step, row.status, output, row.error === null ? null : parseError(row.error));
  }
  return views;
}

function endedItem(row: StepRow): EndedItem {
  const { status, error } = row;
  const known = status === "SUCCEEDED" || status === "FAILED" ? status : "CANCELLED";
  return {
    index: indexOfPath(row.path ?? ""),
    status: known,
    output: parseJsonOrNull(row.output),
    error: error === null ? null : parseError(error),
  };
}

function memberOf(list: Json, index: number): Json {
  const members: readonly Json[] = Array.isArray(list) ? list : [];
  return members[index] ?? null;
}

function selectedOf(row: StepRow): readonly number[] | null {
  if (row.selected === null) return null;
  const selected = parseJson(row.selected);
  invariant(Array.isArray(selected), `step ${row.ordinal}: its selected targets are not a list`);
  return selected.map(Number);
}

import { StepwellError } from "../model/errors.ts";
import { isJsonObject, type Json } from "../model/json.ts";
import type { Step } from "../workflow/graph.ts";
import { payloadText } from "./finish-output.ts";
import type { LiveSteps } from "./live-steps.ts";
import { type Prepared, prepareStep } from "./prepare-step.ts";
import { recordError } from "./recorded-error.ts";
import { failStep } from "./settle-step.ts";
import { NO_RESULT } from "./step-recorder.ts";
import type { StepScope } from "./step-scope.ts";
import { StepState } from "./step-state.ts";

type Start = Extract<Prepared, { readonly decision: "start" }>;

/** A step may start: evaluates what decides about it, and starts it in the commit that is being gathered. */
export function startWhenPrepared(steps: LiveSteps, scope: StepScope, step: Step): void {
  if (steps.isQuiet) return;
  const prepared = prepareStep(step, scope);
  if (prepared instanceof Promise) steps.evaluate(prepared, (value) => follow(steps, scope, step, value));
  else follow(steps, scope, step, prepared);
}

function follow(steps: LiveSteps, scope: StepScope, step: Step, prepared: Prepared): void {
  if (!scope.scheduler.isReady(step.ordinal)) return;
  switch (prepared.decision) {
    case "skip":
      scope.scheduler.markSkipped(step.ordinal);
      steps.recorder.settled(scope, step, undefined, { ...NO_RESULT, status: "SKIPPED", reason: "when" });
      steps.touch(scope);
      break;
    case "select":
      select(steps, scope, step, prepared.targets);
      break;
    case "fail":
      failStep(steps, scope, step, undefined, prepared.error);
      break;
    case "open":
      openBlock(steps, scope, step, prepared.input);
      break;
    case "start":
      if (!steps.hasAllFor(step)) steps.recorder.waitForWorker(scope.ordinalOf(step), step);
      else if (steps.takeSlot()) start(steps, scope, step, prepared);
      else startLater(steps, scope, step, prepared);
      break;
  }
}

/** Apart, so that a start which need not wait makes no closures. */
function startLater(steps: LiveSteps, scope: StepScope, step: Step, prepared: Start): void {
  steps.whenSlotFree(
    () => scope.scheduler.isReady(step.ordinal),
    () => start(steps, scope, step, prepared),
  );
}

function select(steps: LiveSteps, scope: StepScope, step: Step, targets: readonly number[]): void {
  const output = { selected: targets.map((target) => scope.stepAt(target).id) };
  scope.scheduler.markSucceeded(step.ordinal, targets);
  steps.recorder.settled(scope, step, undefined, {
    ...NO_RESULT,
    status: "SUCCEEDED",
    output: { outcome: "succeeded", output, text: JSON.stringify(output) },
    selected: JSON.stringify(targets),
  });
  steps.touch(scope);
}

function start(steps: LiveSteps, scope: StepScope, step: Step, { input, idempotencyKey }: Start): void {
  let text: string | null;
  try {
    text = step.with === null ? null : payloadText(input, `the input of step "${step.id}"`);
  } catch (thrown) {
    steps.core.host.slots.release();
    failStep(steps, scope, step, undefined, recordError(thrown));
    return;
  }
  scope.scheduler.markRunning(step.ordinal);
  const state = new StepState(scope, step, input, idempotencyKey);
  state.holdsSlot = true;
  steps.active.add(state);
  steps.recorder.started(state, text);
}

/** A block takes no slot: its steps do. What it was given stays in its row, so that it is decided once. */
function openBlock(steps: LiveSteps, scope: StepScope, step: Step, input: Json): void {
  let text: string;
  try {
    if (step.block?.kind === "foreach" && !Array.isArray(input)) throw notAList(step.id, input);
    text = payloadText(input, `the input of step "${step.id}"`);
  } catch (thrown) {
    failStep(steps, scope, step, undefined, recordError(thrown));
    return;
  }
  scope.scheduler.markRunning(step.ordinal);
  const state = new StepState(scope, step, input, null);
  steps.active.add(state);
  steps.recorder.opened(state, text);
  steps.beginBlock(state);
}

function notAList(id: string, found: Json): StepwellError {
  const what = found === null ? "null" : isJsonObject(found) ? "an object" : `a ${typeof found}`;
  return new StepwellError("FOREACH_NOT_A_LIST", `step "${id}" repeats over ${what}, which is not a list`, {
    hint: "Give a list: write [x] for a single item, or pick the member that holds the list.",
  });
}

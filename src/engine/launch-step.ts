import { invariant } from "../model/errors.ts";
import { type Json, toJson } from "../model/json.ts";
import type { Operator } from "../operators/operator.ts";
import { Attempt } from "./attempt.ts";
import { inThread, type RegisteredOperator, type ThreadExecutor } from "./operators.ts";
import type { RunCore } from "./run-core.ts";
import { withSecrets } from "./secrets.ts";
import type { StepState } from "./step-state.ts";

/** Calls the operator of a step whose RUNNING is on disk. */
export function launchStep(core: RunCore, state: StepState): void {
  const { host, plan } = core;
  const { scope, step, ordinal, path } = state;
  const operator = host.operators.get(step.uses ?? "");
  invariant(operator !== undefined, `step ${path} was started without its operator`);
  const attempt = new Attempt(core, ordinal, path, state.attempt, state.idempotencyKey);
  state.running = attempt;
  const secrets = scope.plan.secretSlots[step.ordinal];
  const call = callOf(state, operator, host.threads);
  const filled =
    secrets === undefined || secrets.length === 0
      ? call
      : withSecrets(call, secrets, plan.graph.secrets, (values) => attempt.conceal(values));
  attempt.execute(filled, step.with === null ? {} : toJson(state.input, "the input"), step.timeoutMs);
}

/** The operator, its `resume` when what it waited for has come, or the operator in a thread. */
function callOf({ step, woken }: StepState, operator: RegisteredOperator, threads: ThreadExecutor): Operator<Json> {
  const { resume } = operator;
  if (woken !== null && resume !== null) {
    const { partial, ...wake } = woken;
    return (_input, context) => resume(context, wake, partial);
  }
  return step.isolation === "thread" ? inThread(threads, operator) : operator.execute;
}

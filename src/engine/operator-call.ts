import type { Operator } from "../operators/operator.ts";
import { inThread, type RegisteredOperator, type ThreadExecutor } from "./operators.ts";
import type { StepState } from "./step-state.ts";

/** What an attempt calls: `resume` when a wake is to be told, the operator otherwise, in a thread of its own where the step says so. */
export function callOf({ step, woken }: StepState, operator: RegisteredOperator, threads: ThreadExecutor): Operator {
  const { resume } = operator;
  if (woken !== null && resume !== null) {
    const { partial, ...wake } = woken;
    return (_input, context) => resume(context, wake, partial);
  }
  return step.isolation === "thread" ? inThread(threads, operator) : operator.execute;
}

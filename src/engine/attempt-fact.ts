import type { Step } from "../workflow/graph.ts";
import type { AttemptOutcome } from "./attempt.ts";
import { finishOutput, payloadText } from "./finish-output.ts";
import { type MaybePromise, proceed } from "./maybe-promise.ts";
import { recordError } from "./recorded-error.ts";
import type { Fact } from "./run-journal.ts";
import type { RunSteps } from "./run-steps.ts";
import type { Schemas } from "./schemas.ts";

/** What the run is told of an attempt that ended: its checked output, or the error that ended it. Never throws. */
export function factOf(step: Step, ended: AttemptOutcome, steps: RunSteps, schemas: Schemas): MaybePromise<Fact> {
  const { ordinal, id } = step;
  if (ended.outcome === "failed") return { ordinal, outcome: { outcome: "failed", error: ended.error } };
  const failed = (thrown: unknown): Fact => ({ ordinal, outcome: { outcome: "failed", error: recordError(thrown) } });
  try {
    const fact = proceed(
      finishOutput(step, ended.value, steps, schemas),
      (output): Fact => ({ ordinal, outcome: { outcome: "succeeded", output, text: payloadText(output, `the output of step "${id}"`) } }),
    );
    return fact instanceof Promise ? fact.catch(failed) : fact;
  } catch (thrown) {
    return failed(thrown);
  }
}

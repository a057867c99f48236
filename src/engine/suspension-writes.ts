import type { Write } from "../ledger/writes.ts";
import type { Suspension } from "../operators/suspension.ts";
import { payloadText } from "./finish-output.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import { recordError } from "./recorded-error.ts";
import type { RunCore } from "./run-core.ts";
import type { StepOutcome, Suspended } from "./run-journal.ts";
import type { StepState } from "./step-state.ts";

/** What stands beside the wait of a suspension, in the same commit. */
export interface SuspensionWrites {
  /** By which the outside knows the wait: a signal's name, a child's public id. */
  readonly key: string | null;
  readonly childRunId: number | null;
  readonly writes: readonly Write[];
}

/** Checks a suspension and fetches what its commit needs: for a child its version, input and id. Never throws. */
export function prepareSuspension(core: RunCore, state: StepState, suspension: Suspension): MaybePromise<StepOutcome> {
  const failed = (thrown: unknown): StepOutcome => ({ outcome: "failed", error: recordError(thrown) });
  const { request, partial } = suspension;
  try {
    const text = partial === null ? null : payloadText(partial, `the partial output of step "${state.path}"`);
    const outcome = { outcome: "suspended", suspension, partial: text } as const;
    if (request.kind !== "child") return { ...outcome, child: null };
    const { runId, context, lineage } = core;
    const { path: step, ordinal, attempt } = state;
    return core.host
      .prepareChild(request, { runId, context, lineage, step, ordinal, attempt })
      .then((child) => ({ ...outcome, child }), failed);
  } catch (thrown) {
    return failed(thrown);
  }
}

export function suspensionWrites({ runId, context }: RunCore, { ordinal }: StepState, { suspension, child }: Suspended): SuspensionWrites {
  const { request } = suspension;
  switch (request.kind) {
    case "child":
      return { key: child?.publicId ?? null, childRunId: child?.runId ?? null, writes: child === null ? [] : [child] };
    case "signal":
      return { key: request.key, childRunId: null, writes: [] };
    case "timer":
      return { key: request.key ?? null, childRunId: null, writes: [] };
    case "event": {
      const { mode, events } = request;
      const { tenant } = context;
      const writes = events.map(
        ({ event, where }, member) => ({ write: "insertSubscription", runId, ordinal, member, mode, tenant, event, where }) as const,
      );
      return { key: events.map(({ event }) => event).join(", "), childRunId: null, writes };
    }
    default:
      return { key: null, childRunId: null, writes: [] };
  }
}

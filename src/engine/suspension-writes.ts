import { asks } from "../ledger/queued-run.ts";
import type { InsertRun, InsertTask, Write } from "../ledger/writes.ts";
import type { Suspension, TaskRequest } from "../operators/suspension.ts";
import { payloadText } from "./finish-output.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import { recordError } from "./recorded-error.ts";
import type { RunCore } from "./run-core.ts";
import type { StepOutcome, Suspended } from "./run-journal.ts";
import type { StepState } from "./step-state.ts";
import type { StepWait } from "./step-wait.ts";

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
    // a payload that is too large is found before anything is decided
    if (request.kind === "task") storedTask(request.task);
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

export function suspensionWrites(
  { runId, context, host }: RunCore,
  { ordinal }: StepState,
  { suspension, child }: Suspended,
): SuspensionWrites {
  const { request } = suspension;
  switch (request.kind) {
    case "child":
      return { key: child?.publicId ?? null, childRunId: child?.runId ?? null, writes: child === null ? [] : started(child) };
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
    case "task": {
      const publicId = host.newId();
      const { tenant } = context;
      const { dueInMs: expiresInMs, dueAt: expiresAt } = suspension;
      const task = storedTask(request.task);
      return {
        key: publicId,
        childRunId: null,
        writes: [{ write: "insertTask", runId, ordinal, publicId, tenant, task, expiresInMs, expiresAt }],
      };
    }
  }
}

/** A child that is this engine's need not ask for its turn. */
const started = (child: InsertRun): readonly Write[] => (child.ownerEpoch === null ? [child, asks(child.runId)] : [child]);

/** By which a person knows what is waited for. */
export function aboutOf(request: Suspension["request"]): string | null {
  if (request.kind === "child") return request.workflow;
  if (request.kind !== "task") return null;
  return request.task.type === "approval" ? request.task.title : request.task.topic;
}

/** used: what was waited for has come. expired: its deadline passed first. dropped: the step's end overtook the wait. */
export type WaitEnd = "used" | "expired" | "dropped";

/** What ends with a wait, in the same commit. */
export function endingWrites(runId: number, ordinal: number, wait: StepWait, end: WaitEnd): readonly Write[] {
  const { kind, childRunId, detail } = wait;
  if (kind === "event") return [{ write: "deleteSubscriptions", runId, ordinal }];
  if (end === "used") return [];
  if (kind === "task") return [{ write: "closeTask", runId, ordinal, status: end === "expired" ? "EXPIRED" : "CANCELLED" }];
  if (kind !== "child" || childRunId === null || detail.close === "abandon") return [];
  return [
    { write: "postInbox", runId, targetRunId: childRunId, kind: "cancel", ordinal: null, name: null, payload: null, actor: "parent" },
  ];
}

function storedTask(task: TaskRequest): InsertTask["task"] {
  if (task.type === "work") return { ...task, payload: payloadText(task.payload, "the payload of a task") };
  return { ...task, form: task.form === null ? null : JSON.stringify(task.form) };
}

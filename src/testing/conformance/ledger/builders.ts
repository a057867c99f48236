import { DEFAULT_GROUP } from "../../../ledger/placement.ts";
import type { NewVersion, QueuedRun } from "../../../ledger/port.ts";
import type {
  ApprovalRequest,
  EndRun,
  InsertRun,
  InsertStep,
  InsertSubscription,
  InsertTask,
  InsertWait,
  PostInbox,
  SettleStep,
  Unit,
  WorkRequest,
  Write,
} from "../../../ledger/writes.ts";

export const TENANT = "default";

export function aVersion(change: Partial<NewVersion> = {}): NewVersion {
  return {
    tenant: TENANT,
    workflow: "order",
    version: "1.0",
    hash: "hash-1",
    definition: '{"name":"order"}',
    steps: ["first", "second", "third"].map((path, ordinal) => ({ ordinal, path, uses: "transform" })),
    ...change,
  };
}

export function aQueuedRun(versionId: number, publicId: string, change: Partial<QueuedRun> = {}): QueuedRun {
  return {
    publicId,
    tenant: TENANT,
    versionId,
    input: '{"id":7}',
    labels: null,
    initiator: "ann",
    trigger: "call",
    environment: "test",
    idempotencyKey: null,
    idempotencyHash: null,
    deadlineInMs: null,
    workerGroup: DEFAULT_GROUP,
    admission: null,
    ...change,
  };
}

export function insertRun(versionId: number, runId: number, change: Partial<InsertRun> = {}): InsertRun {
  const queued = aQueuedRun(versionId, `run-${runId}`);
  return { write: "insertRun", ...queued, runId, status: "RUNNING", ownerEpoch: 1, parent: null, slots: null, revision: 1, ...change };
}

export function insertStep(runId: number, ordinal: number, change: Partial<InsertStep> = {}): InsertStep {
  return {
    write: "insertStep",
    runId,
    ordinal,
    kind: "step",
    path: null,
    uses: null,
    parent: null,
    status: "RUNNING",
    reason: null,
    attempt: 1,
    failures: 0,
    input: null,
    output: null,
    error: null,
    selected: null,
    idempotencyKey: null,
    revision: 1,
    ...change,
  };
}

export function settleStep(runId: number, ordinal: number, change: Partial<SettleStep> = {}): SettleStep {
  return {
    write: "settleStep",
    runId,
    ordinal,
    status: "SUCCEEDED",
    reason: null,
    failures: 0,
    output: '{"ok":true}',
    error: null,
    revision: 2,
    ...change,
  };
}

export function insertWait(runId: number, ordinal: number, change: Partial<InsertWait> = {}): InsertWait {
  return {
    write: "insertWait",
    runId,
    ordinal,
    kind: "timer",
    key: null,
    dueInMs: null,
    dueAt: null,
    childRunId: null,
    detail: null,
    ...change,
  };
}

export function postInbox(runId: number, targetRunId: number, change: Partial<PostInbox> = {}): PostInbox {
  return {
    write: "postInbox",
    runId,
    targetRunId,
    kind: "child",
    ordinal: 0,
    name: null,
    payload: '{"ok":true,"payload":7}',
    actor: "engine",
    ...change,
  };
}

export function insertSubscription(runId: number, ordinal: number, change: Partial<InsertSubscription> = {}): InsertSubscription {
  return {
    write: "insertSubscription",
    runId,
    ordinal,
    member: 0,
    mode: "any",
    tenant: TENANT,
    event: "paid",
    where: {},
    ...change,
  };
}

export const APPROVAL = {
  type: "approval",
  title: "Refund order 7",
  description: "It came twice.",
  form: '{"type":"object"}',
  assignees: ["ann"],
  groups: ["finance"],
  onReject: "fail",
} as const satisfies ApprovalRequest;

export const WORK = {
  type: "work",
  topic: "resize",
  payload: '{"image":7}',
  maxAttempts: 2,
  retryDelayMs: 100,
  leaseMs: 1_000,
} as const satisfies WorkRequest;

export function insertTask(runId: number, ordinal: number, change: Partial<InsertTask> = {}): InsertTask {
  const publicId = `task-${runId}-${ordinal}`;
  return { write: "insertTask", runId, ordinal, publicId, tenant: TENANT, task: WORK, expiresInMs: null, expiresAt: null, ...change };
}

/** The first step waits, and so does its run, in nobody's memory. */
export function parked(runId: number, wait: Partial<InsertWait> = {}): readonly Write[] {
  return [
    { write: "suspendStep", runId, ordinal: 0, reason: "timer", failures: 0, output: null, error: null, revision: 2 },
    insertWait(runId, 0, wait),
    { write: "suspendRun", runId, reason: "timer", ownerEpoch: null, crashes: 0, slots: null, revision: 2 },
  ];
}

export function endRun(runId: number, change: Partial<EndRun> = {}): EndRun {
  return { write: "endRun", runId, status: "SUCCEEDED", reason: null, output: "7", error: null, revision: 9, ...change };
}

/** A unit of a run that exists; `inboxSeq` is what its decider saw. */
export function unit(runId: number, writes: readonly Write[], inboxSeq: number | null = 0): Unit {
  return { runId, inboxSeq, writes };
}

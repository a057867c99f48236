import type { RunStatus, StepStatus } from "../../model/status.ts";
import type { AttemptRow, InboxKind, StepKind, StepRow, SubscriptionRow, TaskRow, TaskStatus, WaitKind } from "../rows.ts";

/** The closed vocabularies that columns hold. A record, so that the compiler asks for every word. */
export type Words<W extends string> = Readonly<Record<W, unknown>>;

export const RUN_STATUSES: Words<RunStatus> = {
  QUEUED: true,
  RUNNING: true,
  SUSPENDED: true,
  SUCCEEDED: true,
  FAILED: true,
  CANCELLED: true,
};

export const STORED_STEP_STATUSES: Words<StepRow["status"]> = {
  RUNNING: true,
  SUSPENDED: true,
  SUCCEEDED: true,
  FAILED: true,
  SKIPPED: true,
  CANCELLED: true,
};

export const STEP_STATUSES: Words<StepStatus> = { ...STORED_STEP_STATUSES, PENDING: true };

export const ATTEMPT_STATUSES: Words<AttemptRow["status"]> = { FAILED: true, LOST: true, DISCARDED: true };

export const STEP_KINDS: Words<StepKind> = { step: true, block: true, item: true, round: true, compensation: true, checkpoint: true };

export const WAIT_KINDS: Words<WaitKind> = {
  resume: true,
  retry: true,
  no_worker: true,
  timeout: true,
  timer: true,
  delay: true,
  signal: true,
  event: true,
  task: true,
  child: true,
};

export const INBOX_KINDS: Words<InboxKind> = {
  cancel: true,
  pause: true,
  resume: true,
  signal: true,
  event: true,
  task: true,
  child: true,
  retry: true,
};

export const TASK_STATUSES: Words<TaskStatus> = {
  READY: true,
  CLAIMED: true,
  RETRY_WAIT: true,
  DEAD_LETTER: true,
  DONE: true,
  CANCELLED: true,
  EXPIRED: true,
};

export const TASK_TYPES: Words<TaskRow["type"]> = { approval: true, work: true };
export const ON_REJECT: Words<"fail" | "continue"> = { fail: true, continue: true };
export const MODES: Words<SubscriptionRow["mode"]> = { any: true, all: true };

import { BRIEF_END, BRIEF_RUN, BRIEF_SETTLEMENT, BRIEF_STEP } from "./brief.ts";
import {
  ATTEMPT,
  after,
  checksum,
  ERROR,
  ERROR_CRC,
  FAILURES,
  fixed,
  type HotWrite,
  integer,
  NOTHING,
  NOW,
  OUTPUT,
  once,
  REASON,
  RESULT_CRC,
  REVISION,
  RUN_ID,
  runFollows,
  STATUS,
  STEP_KEY,
  stepFollows,
  text,
  unlessNull,
  type WriteOf,
} from "./description.ts";

export const insertRun: HotWrite<WriteOf<"insertRun">> = (() => {
  const started = after<WriteOf<"insertRun">>((write) => (write.status === "RUNNING" ? 0 : null));
  return {
    table: "run",
    action: "insert",
    key: { id: RUN_ID },
    set: {
      public_id: text((write) => write.publicId),
      tenant: text((write) => write.tenant),
      version_id: integer((write) => write.versionId),
      status: STATUS,
      input: text((write) => write.input),
      input_crc: checksum((write) => write.input),
      labels: text((write) => write.labels),
      initiator: text((write) => write.initiator),
      trigger: text((write) => write.trigger),
      environment: text((write) => write.environment),
      idempotency_scope: {
        from: "row",
        table: "version",
        key: { id: integer((write) => (write.idempotencyKey === null ? null : write.versionId)) },
        column: "workflow",
      },
      idempotency_key: text((write) => write.idempotencyKey),
      idempotency_hash: text((write) => write.idempotencyHash),
      owner_epoch: integer((write) => write.ownerEpoch),
      deadline_at: after((write) => write.deadlineInMs),
      parent_run_id: integer((write) => write.parent?.runId ?? null),
      parent_step: text((write) => write.parent?.step ?? null),
      parent_ordinal: integer((write) => write.parent?.ordinal ?? null),
      depth: integer((write) => write.parent?.depth ?? 0),
      root_run_id: integer((write) => write.parent?.rootRunId ?? null),
      worker_group: text((write) => write.workerGroup),
      admission: text((write) => write.admission),
      slots: integer((write) => write.slots),
      created_revision: REVISION,
      started_revision: integer((write) => (write.status === "RUNNING" ? write.revision : null)),
      revision: REVISION,
      created_at: NOW,
      started_at: started,
    },
    brief: BRIEF_RUN,
    guard: {},
    noRow: "refuse",
  };
})();

export const startRun: HotWrite<WriteOf<"startRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: fixed("RUNNING"),
    reason: REASON,
    owner_epoch: integer((write) => write.ownerEpoch),
    crashes: integer((write) => write.crashes),
    revision: REVISION,
    started_revision: once(REVISION),
    started_at: once(NOW),
    deadline_at: once(after((write) => write.deadlineInMs)),
  },
  // RUNNING → RUNNING is an engine that takes over what a dead one left behind.
  guard: { status: { of: () => "RUNNING", follows: runFollows(["RUNNING"], true) } },
  noRow: "refuse",
};

export const suspendRun: HotWrite<WriteOf<"suspendRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: fixed("SUSPENDED"),
    reason: REASON,
    owner_epoch: integer((write) => write.ownerEpoch),
    crashes: integer((write) => write.crashes),
    slots: unlessNull(integer((write) => write.slots)),
    revision: REVISION,
  },
  guard: { status: { of: () => "SUSPENDED", follows: runFollows(["SUSPENDED"], true) } },
  noRow: "refuse",
};

export const endRun: HotWrite<WriteOf<"endRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: STATUS,
    reason: REASON,
    output: OUTPUT,
    error: ERROR,
    result_crc: RESULT_CRC,
    owner_epoch: NOTHING,
    revision: REVISION,
    finished_at: NOW,
  },
  brief: BRIEF_END,
  guard: { status: { of: (write) => write.status, follows: runFollows(["SUCCEEDED", "FAILED", "CANCELLED"]) } },
  noRow: "refuse",
};

export const pauseRun: HotWrite<WriteOf<"pauseRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: { paused_by: text((write) => write.pausedBy), revision: REVISION },
  guard: { empty: ["finished_at"] },
  noRow: "refuse",
};

export const insertStep: HotWrite<WriteOf<"insertStep">> = (() => {
  const startedRevision = integer<WriteOf<"insertStep">>((write) => (write.attempt > 0 ? write.revision : null));
  const started = after<WriteOf<"insertStep">>((write) => (write.attempt > 0 ? 0 : null));
  return {
    table: "step",
    action: "insert",
    key: STEP_KEY,
    set: {
      kind: text((write) => write.kind),
      path: text((write) => write.path),
      uses: text((write) => write.uses),
      parent: integer((write) => write.parent),
      status: STATUS,
      reason: REASON,
      attempt: ATTEMPT,
      failures: FAILURES,
      input: text((write) => write.input),
      selected: text((write) => write.selected),
      input_crc: checksum(
        (write) => write.input,
        (write) => write.selected,
      ),
      output: OUTPUT,
      error: ERROR,
      result_crc: RESULT_CRC,
      idempotency_key: text((write) => write.idempotencyKey),
      started_revision: startedRevision,
      attempt_revision: startedRevision,
      revision: REVISION,
      started_at: started,
      attempt_started_at: started,
      finished_at: after((write) => (write.status === "RUNNING" || write.status === "SUSPENDED" ? null : 0)),
    },
    brief: BRIEF_STEP,
    guard: {},
    noRow: "refuse",
  };
})();

export const restartStep: HotWrite<WriteOf<"restartStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: fixed("RUNNING"),
    reason: REASON,
    attempt: ATTEMPT,
    output: NOTHING,
    error: NOTHING,
    result_crc: NOTHING,
    started_revision: once(REVISION),
    attempt_revision: REVISION,
    revision: REVISION,
    started_at: once(NOW),
    attempt_started_at: NOW,
  },
  guard: { status: { of: () => "RUNNING", follows: stepFollows(["RUNNING"], true) }, grows: ["attempt"] },
  noRow: "refuse",
};

export const resumeStep: HotWrite<WriteOf<"resumeStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: { status: fixed("RUNNING"), reason: NOTHING, output: NOTHING, error: NOTHING, result_crc: NOTHING, revision: REVISION },
  guard: { status: { of: () => "RUNNING", follows: { RUNNING: ["SUSPENDED"] } } },
  noRow: "refuse",
};

export const suspendStep: HotWrite<WriteOf<"suspendStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: fixed("SUSPENDED"),
    reason: REASON,
    failures: FAILURES,
    output: OUTPUT,
    error: ERROR,
    result_crc: RESULT_CRC,
    revision: REVISION,
  },
  guard: { status: { of: () => "SUSPENDED", follows: stepFollows(["SUSPENDED"], true) } },
  noRow: "refuse",
};

export const settleStep: HotWrite<WriteOf<"settleStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: STATUS,
    reason: REASON,
    failures: FAILURES,
    output: OUTPUT,
    error: ERROR,
    result_crc: RESULT_CRC,
    revision: REVISION,
    finished_at: NOW,
  },
  brief: BRIEF_SETTLEMENT,
  guard: { status: { of: (write) => write.status, follows: stepFollows(["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"]) } },
  noRow: "refuse",
};

export const insertAttempt: HotWrite<WriteOf<"insertAttempt">> = {
  table: "attempt",
  action: "insert",
  key: { ...STEP_KEY, attempt: ATTEMPT },
  set: {
    status: STATUS,
    revision: REVISION,
    // Known only while the step row still holds this attempt, so this write stands before `restartStep`.
    started_at: { from: "row", table: "step", key: { ...STEP_KEY, attempt: ATTEMPT }, column: "attempt_started_at" },
    finished_at: NOW,
    error: ERROR,
    error_crc: ERROR_CRC,
  },
  guard: {},
  noRow: "refuse",
};

export const insertEvent: HotWrite<WriteOf<"insertEvent">> = {
  table: "event",
  action: "insert",
  key: { run_id: RUN_ID },
  set: {
    revision: REVISION,
    event: text((write) => write.event),
    actor: text((write) => write.actor),
    at: NOW,
    detail: text((write) => write.detail),
    detail_crc: checksum((write) => write.detail),
  },
  guard: {},
  noRow: "refuse",
};

import {
  ATTEMPT,
  after,
  ERROR,
  ERROR_CRC,
  fixed,
  type HotWrite,
  integer,
  NOTHING,
  REASON,
  REVISION,
  RUN_ID,
  STEP_KEY,
  type WriteOf,
} from "./description.ts";

/** `model/status.ts` has no way out of FAILED: this is the only one, and no unit of an engine can take it. */
export const reopenRun: HotWrite<WriteOf<"reopenRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: fixed("SUSPENDED"),
    reason: fixed("retry"),
    owner_epoch: NOTHING,
    slots: integer((write) => write.slots),
    output: NOTHING,
    error: NOTHING,
    result_crc: NOTHING,
    crashes: fixed(0),
    finished_at: NOTHING,
    deadline_at: after((write) => write.deadlineInMs),
    revision: REVISION,
  },
  guard: { status: { of: () => "SUSPENDED", follows: { SUSPENDED: ["FAILED"] } } },
  noRow: "refuse",
};

export const reopenStep: HotWrite<WriteOf<"reopenStep">> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: fixed("SUSPENDED"),
    reason: REASON,
    failures: fixed(0),
    output: NOTHING,
    error: ERROR,
    result_crc: ERROR_CRC,
    finished_at: NOTHING,
    revision: REVISION,
  },
  guard: { status: { of: () => "SUSPENDED", follows: { SUSPENDED: ["FAILED", "CANCELLED"] } } },
  noRow: "refuse",
};

export const deleteStep: HotWrite<WriteOf<"deleteStep">> = {
  table: "step",
  action: "delete",
  key: STEP_KEY,
  set: {},
  guard: {},
  noRow: "refuse",
};

/** The attempt that ended with its step, as if another one had followed at once. */
export const archiveAttempt: HotWrite<WriteOf<"archiveAttempt">> = {
  table: "attempt",
  action: "insert",
  key: { ...STEP_KEY, attempt: ATTEMPT },
  set: {
    status: fixed("FAILED"),
    revision: REVISION,
    started_at: { from: "row", table: "step", key: STEP_KEY, column: "attempt_started_at" },
    finished_at: { from: "row", table: "step", key: STEP_KEY, column: "finished_at" },
    error: ERROR,
    error_crc: ERROR_CRC,
  },
  guard: {},
  noRow: "refuse",
};

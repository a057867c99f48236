import { after, checksum, fixed, type HotWrite, RUN_ID, STEP_KEY, value, type WriteOf } from "./description.ts";

type Reopen = WriteOf<"reopenStep">;
type Archive = WriteOf<"archiveAttempt">;

/** `model/status.ts` has no way out of FAILED: this is the only one, and no unit of an engine can take it. */
export const reopenRun: HotWrite<WriteOf<"reopenRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: {
    status: fixed("SUSPENDED"),
    reason: fixed("retry"),
    owner_epoch: fixed(null),
    output: fixed(null),
    error: fixed(null),
    result_crc: fixed(null),
    crashes: fixed(0),
    finished_at: fixed(null),
    deadline_at: after((write) => write.deadlineInMs),
    revision: value((write) => write.revision),
  },
  guard: { status: { of: () => "SUSPENDED", follows: { SUSPENDED: ["FAILED"] } } },
  noRow: "refuse",
};

export const reopenStep: HotWrite<Reopen> = {
  table: "step",
  action: "update",
  key: STEP_KEY,
  set: {
    status: fixed("SUSPENDED"),
    reason: value((write) => write.reason),
    failures: fixed(0),
    output: fixed(null),
    error: value((write) => write.error),
    result_crc: checksum(
      () => null,
      (write) => write.error,
    ),
    finished_at: fixed(null),
    revision: value((write) => write.revision),
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
export const archiveAttempt: HotWrite<Archive> = (() => {
  const attempt = value<Archive>((write) => write.attempt);
  return {
    table: "attempt",
    action: "insert",
    key: { ...STEP_KEY, attempt },
    set: {
      status: fixed("FAILED"),
      revision: value((write) => write.revision),
      started_at: { from: "row", table: "step", key: STEP_KEY, column: "attempt_started_at" },
      finished_at: { from: "row", table: "step", key: STEP_KEY, column: "finished_at" },
      error: value((write) => write.error),
      error_crc: checksum(
        () => null,
        (write) => write.error,
      ),
    },
    guard: {},
    noRow: "refuse",
  };
})();

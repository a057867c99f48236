import { checksum, type HotWrite, NOW, RUN_ID, STEP_KEY, value, type WriteOf } from "./description.ts";

export const insertWait: HotWrite<WriteOf<"insertWait">> = {
  table: "wait",
  action: "insert",
  key: STEP_KEY,
  set: {
    kind: value((write) => write.kind),
    key: value((write) => write.key),
    due_at: { from: "clock", after: (write) => write.dueInMs, at: (write) => write.dueAt },
    child_run_id: value((write) => write.childRunId),
    detail: value((write) => write.detail),
    detail_crc: checksum((write) => write.detail),
    since: NOW,
  },
  guard: {},
  noRow: "refuse",
};

export const deleteWait: HotWrite<WriteOf<"deleteWait">> = {
  table: "wait",
  action: "delete",
  key: STEP_KEY,
  set: {},
  guard: {},
  noRow: "allow",
};

export const consumeInbox: HotWrite<WriteOf<"consumeInbox">> = {
  table: "inbox",
  action: "update",
  key: { run_id: RUN_ID, seq: value((write) => write.seq) },
  set: { consumed_at: NOW },
  guard: { empty: ["consumed_at"] },
  noRow: "refuse",
};

const TARGET = value<WriteOf<"postInbox">>((write) => write.targetRunId);

/** The first half of `postInbox`: the next number of the target's inbox. */
export const countInbox: HotWrite<WriteOf<"postInbox">> = {
  table: "run",
  action: "update",
  key: { id: TARGET },
  set: { inbox_seq: { from: "increment" } },
  guard: { empty: ["finished_at"] },
  noRow: "allow",
};

/** The second half: the row under that number. */
export const insertInbox: HotWrite<WriteOf<"postInbox">> = {
  table: "inbox",
  action: "insert",
  key: { run_id: TARGET, seq: { from: "row", table: "run", key: { id: TARGET }, column: "inbox_seq" } },
  set: {
    kind: value((write) => write.kind),
    name: value((write) => write.name),
    ordinal: value((write) => write.ordinal),
    signal_id: value((write) => write.signalId ?? null),
    actor: value((write) => write.actor),
    accepted_at: NOW,
    payload: value((write) => write.payload),
    payload_crc: checksum((write) => write.payload),
  },
  guard: { other: { table: "run", key: { id: TARGET }, empty: ["finished_at"] } },
  noRow: "allow",
};

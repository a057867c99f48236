import { checksum, type HotWrite, integer, NOW, RUN_ID, STEP_KEY, text, type WriteOf } from "./description.ts";

export const insertWait: HotWrite<WriteOf<"insertWait">> = {
  table: "wait",
  action: "insert",
  key: STEP_KEY,
  set: {
    kind: text((write) => write.kind),
    key: text((write) => write.key),
    due_at: { from: "clock", after: (write) => write.dueInMs, at: (write) => write.dueAt },
    child_run_id: integer((write) => write.childRunId),
    detail: text((write) => write.detail),
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
  key: { run_id: RUN_ID, seq: integer((write) => write.seq) },
  set: { consumed_at: NOW },
  guard: { empty: ["consumed_at"] },
  noRow: "refuse",
};

const TARGET = integer<WriteOf<"postInbox">>((write) => write.targetRunId);

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
    kind: text((write) => write.kind),
    name: text((write) => write.name),
    ordinal: integer((write) => write.ordinal),
    signal_id: text((write) => write.signalId ?? null),
    actor: text((write) => write.actor),
    accepted_at: NOW,
    payload: text((write) => write.payload),
    payload_crc: checksum((write) => write.payload),
  },
  guard: { other: { table: "run", key: { id: TARGET }, empty: ["finished_at"] } },
  noRow: "allow",
};

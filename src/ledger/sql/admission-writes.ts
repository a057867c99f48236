import { SLOTS } from "../rows.ts";
import { after, fixed, type HotWrite, NOTHING, RUN_ID, text, type WriteOf } from "./description.ts";

export const requeueRun: HotWrite<WriteOf<"requeueRun">> = {
  table: "run",
  action: "update",
  key: { id: RUN_ID },
  set: { status: fixed("QUEUED"), owner_epoch: NOTHING, slots: fixed(SLOTS.asked) },
  guard: { status: { of: () => "QUEUED", follows: { QUEUED: ["QUEUED"] } } },
  noRow: "refuse",
};

export const insertNote: HotWrite<WriteOf<"insertNote">> = {
  table: "admission_note",
  action: "insert",
  key: { run_id: RUN_ID },
  set: { note: text((write) => write.note), due_at: after((write) => write.dueInMs) },
  guard: {},
  noRow: "refuse",
};

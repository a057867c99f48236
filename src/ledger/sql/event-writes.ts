import { subscriptionKey } from "../events.ts";
import { after, checksum, type HotWrite, NOTHING, STEP_KEY, value, type WriteOf } from "./description.ts";

const MEMBER = value<{ readonly member: number }>((write) => write.member);
const KEPT_ID = value<{ readonly keptId: number }>((write) => write.keptId);
const TENANT = value<{ readonly tenant: string }>((write) => write.tenant);
const EVENT = value<{ readonly event: string }>((write) => write.event);

export const insertSubscription: HotWrite<WriteOf<"insertSubscription">> = {
  table: "subscription",
  action: "insert",
  key: { ...STEP_KEY, member: MEMBER },
  set: {
    tenant: TENANT,
    event: EVENT,
    mode: value((write) => write.mode),
    field: value((write) => subscriptionKey(write.where).field),
    value: value((write) => subscriptionKey(write.where).value),
    equalities: value((write) => JSON.stringify(write.where)),
  },
  guard: {},
  noRow: "refuse",
};

export const deleteSubscriptions: HotWrite<WriteOf<"deleteSubscriptions">> = {
  table: "subscription",
  action: "delete",
  key: STEP_KEY,
  set: {},
  guard: {},
  noRow: "allow",
};

export const deleteSubscription: HotWrite<WriteOf<"deleteSubscription">> = {
  table: "subscription",
  action: "delete",
  key: { ...STEP_KEY, member: MEMBER },
  set: {},
  guard: {},
  noRow: "refuse",
};

export const insertKeptEvent: HotWrite<WriteOf<"insertKeptEvent">> = {
  table: "event_kept",
  action: "insert",
  key: { id: KEPT_ID },
  set: {
    tenant: TENANT,
    event: EVENT,
    event_id: value((write) => write.eventId),
    data: value((write) => write.data),
    data_crc: checksum((write) => write.data),
    expires_at: after((write) => write.retainMs),
  },
  guard: {},
  noRow: "refuse",
};

export const insertEventKey: HotWrite<WriteOf<"insertEventKey">> = {
  table: "event_key",
  action: "insert",
  key: { kept_id: KEPT_ID, field: value((write) => write.field) },
  set: { tenant: TENANT, event: EVENT, value: value((write) => write.value) },
  guard: {},
  noRow: "refuse",
};

export const settleKeptEvent: HotWrite<WriteOf<"settleKeptEvent">> = {
  table: "event_kept",
  action: "update",
  key: { id: KEPT_ID },
  set: { data: NOTHING, data_crc: NOTHING },
  guard: {},
  noRow: "refuse",
};

export const deleteEventKeys: HotWrite<WriteOf<"deleteEventKeys">> = {
  table: "event_key",
  action: "delete",
  key: { kept_id: KEPT_ID },
  set: {},
  guard: {},
  noRow: "allow",
};

export const deleteKeptEvent: HotWrite<WriteOf<"deleteKeptEvent">> = {
  table: "event_kept",
  action: "delete",
  key: { id: KEPT_ID },
  set: {},
  guard: {},
  noRow: "refuse",
};

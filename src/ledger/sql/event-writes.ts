import { subscriptionKey } from "../events.ts";
import { after, checksum, type HotWrite, integer, NOTHING, STEP_KEY, text, type WriteOf } from "./description.ts";

const MEMBER = integer<{ readonly member: number }>((write) => write.member);
const KEPT_ID = integer<{ readonly keptId: number }>((write) => write.keptId);
const TENANT = text<{ readonly tenant: string }>((write) => write.tenant);
const EVENT = text<{ readonly event: string }>((write) => write.event);
const EVENT_KEY = { tenant: TENANT, event: EVENT, event_id: text<{ readonly eventId: string }>((write) => write.eventId) };

export const insertSubscription: HotWrite<WriteOf<"insertSubscription">> = {
  table: "subscription",
  action: "insert",
  key: { ...STEP_KEY, member: MEMBER },
  set: {
    tenant: TENANT,
    event: EVENT,
    mode: text((write) => write.mode),
    field: text((write) => subscriptionKey(write.where).field),
    value: text((write) => subscriptionKey(write.where).value),
    equalities: text((write) => JSON.stringify(write.where)),
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
  key: EVENT_KEY,
  set: {
    data: text((write) => write.data),
    data_crc: checksum((write) => write.data),
    expires_at: after((write) => write.retainMs),
  },
  guard: {},
  noRow: "refuse",
};

export const insertEventKey: HotWrite<WriteOf<"insertEventKey">> = {
  table: "event_key",
  action: "insert",
  key: { kept_id: { from: "row", table: "event_kept", key: EVENT_KEY, column: "id" }, field: text((write) => write.field) },
  set: { tenant: TENANT, event: EVENT, value: text((write) => write.value) },
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
  noRow: "allow",
};

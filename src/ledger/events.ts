import { StepwellError } from "../model/errors.ts";
import { isJsonObject, isScalar, type Json, type Scalar } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { EventEntry, Published } from "./port.ts";
import type { InboxRow, KeptEventRow, SubscriptionRow } from "./rows.ts";
import type { Transaction } from "./transaction.ts";
import type { Work } from "./work.ts";
import type { Equalities } from "./writes.ts";

/** Expired events that one publication clears away, so that none pays for all of them. */
export const CLEARED_AT_ONCE = 100;
/** Kept events that are read at once while one is looked for. */
const READ_AT_ONCE = 20;
/** Characters of a value that stand in an index; the equalities themselves are compared whole. */
const INDEXED_CHARACTERS = 256;

/** Where a subscription or an event is looked up. */
export interface MatchKey {
  readonly field: string;
  readonly value: string;
}

const ANY: MatchKey = { field: "", value: "" };
const keyOf = (field: string, value: Scalar): MatchKey => ({
  field,
  value: JSON.stringify(value).slice(0, INDEXED_CHARACTERS),
});

/** The one key under which a subscription stands: its first equality in sorted order. */
export function subscriptionKey(where: Equalities): MatchKey {
  const [first] = Object.entries(where).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return first === undefined ? ANY : keyOf(...first);
}

/**
 * All keys under which a subscription may stand that an event matches.
 * @throws StepwellError `VALUE_TOO_LARGE`
 */
function eventKeys(scalars: Equalities): readonly MatchKey[] {
  const keys = Object.entries(scalars).map(([field, value]) => keyOf(field, value));
  if (keys.length <= LIMITS.eventFields) return [ANY, ...keys];
  throw new StepwellError("VALUE_TOO_LARGE", `An event may have ${LIMITS.eventFields} members that are text, numbers or booleans`, {
    hint: "Put what nobody waits for into a list or an object of its own.",
    data: { members: keys.length },
  });
}

/** The members of an object that can be compared; none of anything else. */
export function scalarsOf(data: Json): Equalities {
  const scalars: Record<string, Scalar> = {};
  for (const [field, value] of Object.entries(isJsonObject(data) ? data : {})) if (isScalar(value)) scalars[field] = value;
  return scalars;
}

function matches(where: Equalities, scalars: Equalities): boolean {
  return Object.entries(where).every(([field, value]) => Object.hasOwn(scalars, field) && scalars[field] === value);
}

/** Gives an event to every open subscription that matches; when there is none it is kept for the first one to come. */
export function* publishEvent(transaction: Transaction, entry: EventEntry): Work<Published> {
  const { tenant, event, id, data, retainMs } = entry;
  const scalars = scalarsOf(data);
  const keys = eventKeys(scalars);
  yield* transaction.hold({ event: { tenant, event } });
  yield* clearExpired(transaction, CLEARED_AT_ONCE);
  const known = yield* transaction.keptEvent(tenant, event, id);
  if (known !== undefined && known.expiresAt > transaction.now) return { isNew: false, isKept: known.isKept, accepted: [] };
  if (known !== undefined) yield* forget(transaction, known.id);
  const matching: SubscriptionRow[] = [];
  for (const { field, value } of keys) {
    const found = yield* transaction.subscriptions({ tenant, event, field, value });
    matching.push(...found.filter(({ where }) => matches(where, scalars)));
  }
  const accepted = yield* deliverAll(transaction, matching, { event, id, data });
  const isKept = accepted.length === 0;
  const text = isKept ? JSON.stringify(data) : null;
  yield* transaction.apply({ write: "insertKeptEvent", tenant, event, eventId: id, data: text, retainMs });
  if (isKept)
    for (const { field, value } of keys) yield* transaction.apply({ write: "insertEventKey", tenant, event, eventId: id, field, value });
  return { isNew: true, isKept, accepted };
}

function* deliverAll(transaction: Transaction, subscriptions: readonly SubscriptionRow[], content: Content): Work<readonly InboxRow[]> {
  if (subscriptions.length > 0) yield* transaction.hold({ runs: subscriptions.map(({ runId }) => runId) });
  const accepted: InboxRow[] = [];
  for (const subscription of subscriptions) {
    if (!(yield* transaction.isSubscribed(subscription))) continue;
    const row = yield* deliver(transaction, subscription, content);
    if (row !== undefined) accepted.push(row);
  }
  return accepted;
}

/** Gives kept events to subscriptions that a commit has inserted: each takes the oldest one that matches. What they become is given back. */
export function* matchKeptEvents(transaction: Transaction, subscriptions: readonly SubscriptionRow[]): Work<readonly InboxRow[]> {
  const accepted: InboxRow[] = [];
  for (const subscription of subscriptions) {
    if (!(yield* transaction.isSubscribed(subscription))) continue;
    const kept = yield* oldestMatch(transaction, subscription);
    if (kept === undefined) continue;
    const content = { event: subscription.event, id: kept.eventId, data: kept.data };
    const row = yield* deliver(transaction, subscription, content);
    if (row === undefined) continue;
    accepted.push(row);
    yield* settle(transaction, kept);
  }
  return accepted;
}

/** Reads no further than it must: many events may be kept under one key. */
function* oldestMatch(transaction: Transaction, { tenant, event, where }: SubscriptionRow): Work<KeptEventRow | undefined> {
  const key = { tenant, event, ...subscriptionKey(where) };
  for (let after = 0; ; ) {
    const page = yield* transaction.keptEvents(key, after, READ_AT_ONCE);
    for (const kept of page) {
      const read = kept.read();
      if (matches(where, scalarsOf(read.data))) return read;
      after = kept.id;
    }
    if (page.length < READ_AT_ONCE) return undefined;
  }
}

interface Content {
  readonly event: string;
  readonly id: string;
  readonly data: Json;
}

/** An event ends its subscription, and where any of several is enough the others of the same wait too. */
function* deliver(transaction: Transaction, subscription: SubscriptionRow, content: Content): Work<InboxRow | undefined> {
  const { runId, ordinal, member, mode } = subscription;
  if (mode === "any") yield* transaction.apply({ write: "deleteSubscriptions", runId, ordinal });
  else yield* transaction.apply({ write: "deleteSubscription", runId, ordinal, member });
  const payload = JSON.stringify({ member, ...content });
  const target = { runId, targetRunId: runId, kind: "event", ordinal, name: content.event } as const;
  return yield* transaction.post({ write: "postInbox", ...target, payload, actor: "event" });
}

/** The event is gone; its id is remembered until it expires. */
function* settle(transaction: Transaction, { id }: KeptEventRow): Work<void> {
  yield* transaction.apply({ write: "deleteEventKeys", keptId: id });
  yield* transaction.apply({ write: "settleKeptEvent", keptId: id });
}

/** Forgets up to `limit` events that have expired, and gives back how many. */
export function* clearExpired(transaction: Transaction, limit: number): Work<number> {
  const expired = yield* transaction.expiredEvents(limit);
  for (const keptId of expired) yield* forget(transaction, keptId);
  return expired.length;
}

/** Another transaction may have been first. */
function* forget(transaction: Transaction, keptId: number): Work<void> {
  yield* transaction.apply({ write: "deleteEventKeys", keptId });
  yield* transaction.apply({ write: "deleteKeptEvent", keptId });
}

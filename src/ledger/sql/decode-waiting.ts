import { parseJson } from "../../model/json.ts";
import type { DueRun, RunTurn } from "../claims.ts";
import { scalarsOf } from "../events.ts";
import type { InboxRow, KeptEventRow, OpenInboxRow, SubscriptionRow, TaskRow, WaitRow, WaitView } from "../rows.ts";
import type { KeptEvent } from "../transaction.ts";
import { Fields, nameOf, type RawRow, runFields, stepFields } from "./fields.ts";
import { INBOX_KINDS, MODES, ON_REJECT, TASK_STATUSES, TASK_TYPES, WAIT_KINDS } from "./words.ts";

export function decodeWait(row: RawRow): WaitRow {
  const fields = stepFields(row);
  return {
    runId: fields.integer("run_id"),
    ordinal: fields.integer("ordinal"),
    kind: fields.oneOf(WAIT_KINDS, "kind"),
    key: fields.textOrNull("key"),
    dueAt: fields.integerOrNull("due_at"),
    childRunId: fields.integerOrNull("child_run_id"),
    detail: waitDetail(fields),
    since: fields.integer("since"),
  };
}

function waitDetail(fields: Fields): string | null {
  const detail = fields.textOrNull("detail");
  fields.verify("detail_crc", detail);
  return detail;
}

/** A row of the view `waits`. */
export function decodeWaitView(row: RawRow): WaitView {
  const fields = stepFields(row);
  return {
    ordinal: fields.integer("ordinal"),
    path: fields.textOrNull("path"),
    kind: fields.oneOf(WAIT_KINDS, "kind"),
    key: fields.textOrNull("key"),
    dueAt: fields.integerOrNull("due_at"),
    childRunId: fields.textOrNull("child_run_id"),
    detail: waitDetail(fields),
    since: fields.integer("since"),
  };
}

export function decodeInbox(row: RawRow): InboxRow {
  const fields = runFields(row, "run_id");
  const payload = fields.textOrNull("payload");
  fields.verify("payload_crc", payload);
  return {
    id: fields.integer("id"),
    runId: fields.integer("run_id"),
    seq: fields.integer("seq"),
    kind: fields.oneOf(INBOX_KINDS, "kind"),
    name: fields.textOrNull("name"),
    ordinal: fields.integerOrNull("ordinal"),
    signalId: fields.textOrNull("signal_id"),
    payload,
    actor: fields.text("actor"),
    acceptedAt: fields.integer("accepted_at"),
    consumedAt: fields.integerOrNull("consumed_at"),
  };
}

export function decodeDue(row: RawRow): DueRun {
  const fields = runFields(row, "run_id");
  return { runId: fields.integer("run_id"), dueAt: fields.integer("due_at") };
}

/** A row of the inbox with the column `is_awaited`. */
export function decodeOpenInbox(row: RawRow): OpenInboxRow {
  return { ...decodeInbox(row), isAwaited: runFields(row, "run_id").integer("is_awaited") === 1 };
}

/** A row of `subscription`. */
export function decodeSubscription(row: RawRow): SubscriptionRow {
  const fields = stepFields(row);
  const where = scalarsOf(parseJson(fields.text("equalities")));
  return {
    runId: fields.integer("run_id"),
    ordinal: fields.integer("ordinal"),
    member: fields.integer("member"),
    mode: fields.oneOf(MODES, "mode"),
    tenant: fields.text("tenant"),
    event: fields.text("event"),
    where,
  };
}

/** A row of `task_row`. */
export function decodeTask(row: RawRow): TaskRow {
  const fields = new Fields(row, `Task ${nameOf(row["public_id"])}`, { task: nameOf(row["public_id"]) });
  const form = fields.textOrNull("form");
  const payload = fields.textOrNull("payload");
  const decision = fields.textOrNull("decision");
  const error = fields.textOrNull("error");
  fields.verify("payload_crc", form, payload);
  fields.verify("result_crc", decision, error);
  return {
    id: fields.integer("id"),
    publicId: fields.text("public_id"),
    tenant: fields.text("tenant"),
    runId: fields.integer("run_id"),
    ordinal: fields.integer("ordinal"),
    run: fields.text("run"),
    step: fields.text("path"),
    type: fields.oneOf(TASK_TYPES, "type"),
    topic: fields.textOrNull("topic"),
    title: fields.textOrNull("title"),
    description: fields.textOrNull("description"),
    form,
    assignees: textsOf(fields.text("assignees")),
    groups: textsOf(fields.text("assigned_groups")),
    payload,
    onReject: fields.oneOfOrNull(ON_REJECT, "on_reject"),
    maxAttempts: fields.integer("max_attempts"),
    retryDelayMs: fields.integer("retry_delay_ms"),
    leaseMs: fields.integer("lease_ms"),
    status: fields.oneOf(TASK_STATUSES, "status"),
    attempt: fields.integer("attempt"),
    failures: fields.integer("failures"),
    leaseToken: fields.textOrNull("lease_token"),
    worker: fields.textOrNull("worker"),
    leaseUntil: fields.integerOrNull("lease_until"),
    availableAt: fields.integerOrNull("available_at"),
    expiresAt: fields.integerOrNull("expires_at"),
    createdAt: fields.integer("created_at"),
    closedAt: fields.integerOrNull("closed_at"),
    decidedBy: fields.textOrNull("decided_by"),
    decision,
    error,
    revision: fields.integer("revision"),
  };
}

function textsOf(list: string): readonly string[] {
  const found = parseJson(list);
  return Array.isArray(found) ? found.map(String) : [];
}

/** A row of `event_kept` that still has its data. */
export const keptEventOf = (row: RawRow): KeptEvent => ({ id: Number(row["id"]), read: () => decodeKeptEvent(row) });

function decodeKeptEvent(row: RawRow): KeptEventRow {
  const fields = new Fields(row, `Event ${nameOf(row["event_id"])}`, { event: nameOf(row["event_id"]) });
  const data = fields.text("data");
  fields.verify("data_crc", data);
  return { id: fields.integer("id"), eventId: fields.text("event_id"), data: parseJson(data) };
}

/** What `READS.turn` gives. */
export function decodeTurn(row: RawRow, isServed: boolean): RunTurn {
  const fields = new Fields(row, "The place of a run in the queue", {});
  const isPlaced = fields.integerOrNull("partition_id") !== null;
  const name = fields.textOrNull("name");
  return {
    workerGroup: fields.text("worker_group"),
    isServed,
    ahead: isPlaced ? fields.integer("ahead") : null,
    notBefore: isPlaced ? null : fields.integerOrNull("noted_at"),
    limiter:
      name === null
        ? null
        : {
            name,
            limitedTo: fields.integer("limited_to"),
            periodMs: fields.integerOrNull("period_ms"),
            openAt: fields.integer("open_at"),
          },
  };
}

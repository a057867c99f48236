import type { WorkRequest } from "../writes.ts";
import {
  ATTEMPT,
  after,
  checksum,
  ERROR,
  FAILURES,
  type HotWrite,
  integer,
  NOTHING,
  NOW,
  RUN_ID,
  type Source,
  STATUS,
  STEP_KEY,
  text,
  type WriteOf,
} from "./description.ts";

type Insert = WriteOf<"insertTask">;
type Update = WriteOf<"updateTask">;

const NEXT_REVISION: Source<unknown> = { from: "increment" };
const topic = (read: (request: WorkRequest) => string): Source<Insert> => text(({ task }) => (task.type === "work" ? read(task) : null));
const count = (read: (request: WorkRequest) => number): Source<Insert> => integer(({ task }) => (task.type === "work" ? read(task) : 0));
const list = (read: (write: Insert) => readonly string[]): Source<Insert> => text((write) => JSON.stringify(read(write)));
const payload = ({ task }: Insert): string | null => (task.type === "work" ? task.payload : null);
const form = ({ task }: Insert): string | null => (task.type === "approval" ? task.form : null);

export const insertTask: HotWrite<Insert> = {
  table: "task",
  action: "insert",
  key: { run_id: RUN_ID },
  set: {
    ordinal: integer((write) => write.ordinal),
    public_id: text((write) => write.publicId),
    tenant: text((write) => write.tenant),
    type: text((write) => write.task.type),
    topic: topic((task) => task.topic),
    title: text(({ task }) => (task.type === "approval" ? task.title : null)),
    description: text(({ task }) => (task.type === "approval" ? task.description : null)),
    assignees: list(({ task }) => (task.type === "approval" ? task.assignees : [])),
    assigned_groups: list(({ task }) => (task.type === "approval" ? task.groups : [])),
    form: text(form),
    payload: text(payload),
    payload_crc: checksum(form, payload),
    on_reject: text(({ task }) => (task.type === "approval" ? task.onReject : null)),
    max_attempts: count((task) => task.maxAttempts),
    retry_delay_ms: count((task) => task.retryDelayMs),
    lease_ms: count((task) => task.leaseMs),
    available_at: after(({ task }) => (task.type === "work" ? 0 : null)),
    expires_at: { from: "clock", after: (write) => write.expiresInMs, at: (write) => write.expiresAt },
    created_at: NOW,
  },
  guard: { other: { table: "run", key: { id: RUN_ID }, empty: ["finished_at"] } },
  noRow: "refuse",
};

export const closeTask: HotWrite<WriteOf<"closeTask">> = {
  table: "task",
  action: "update",
  key: STEP_KEY,
  set: { status: STATUS, available_at: NOTHING, closed_at: NOW, revision: NEXT_REVISION },
  guard: { empty: ["closed_at"] },
  noRow: "allow",
};

/** The revision is part of the key: of two that saw the same task only one changes it. */
export const updateTask: HotWrite<Update> = {
  table: "task",
  action: "update",
  key: { run_id: RUN_ID, id: integer((write) => write.taskId), revision: integer((write) => write.seen) },
  set: {
    status: STATUS,
    attempt: ATTEMPT,
    failures: FAILURES,
    lease_token: text((write) => write.leaseToken),
    worker: text((write) => write.worker),
    lease_until: integer((write) => write.leaseUntil),
    available_at: integer((write) => write.availableAt),
    closed_at: integer((write) => write.closedAt),
    decided_by: text((write) => write.decidedBy),
    decision: text((write) => write.decision),
    error: ERROR,
    result_crc: checksum(
      (write) => write.decision,
      (write) => write.error,
    ),
    revision: NEXT_REVISION,
  },
  guard: {},
  noRow: "refuse",
};

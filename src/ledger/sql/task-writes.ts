import type { WorkRequest } from "../writes.ts";
import {
  ATTEMPT,
  after,
  checksum,
  ERROR,
  FAILURES,
  type HotWrite,
  NOTHING,
  NOW,
  RUN_ID,
  type Source,
  STATUS,
  STEP_KEY,
  value,
  type WriteOf,
} from "./description.ts";

type Insert = WriteOf<"insertTask">;
type Update = WriteOf<"updateTask">;

const NEXT_REVISION: Source<unknown> = { from: "increment" };
const work = (read: (request: WorkRequest) => string | number): Source<Insert> =>
  value(({ task }) => (task.type === "work" ? read(task) : null));
const count = (read: (request: WorkRequest) => number): Source<Insert> => value(({ task }) => (task.type === "work" ? read(task) : 0));
const list = (read: (write: Insert) => readonly string[]): Source<Insert> => value((write) => JSON.stringify(read(write)));
const payload = ({ task }: Insert): string | null => (task.type === "work" ? task.payload : null);
const form = ({ task }: Insert): string | null => (task.type === "approval" ? task.form : null);

export const insertTask: HotWrite<Insert> = {
  table: "task",
  action: "insert",
  key: { run_id: RUN_ID },
  set: {
    ordinal: value((write) => write.ordinal),
    public_id: value((write) => write.publicId),
    tenant: value((write) => write.tenant),
    type: value((write) => write.task.type),
    topic: work((task) => task.topic),
    title: value(({ task }) => (task.type === "approval" ? task.title : null)),
    description: value(({ task }) => (task.type === "approval" ? task.description : null)),
    assignees: list(({ task }) => (task.type === "approval" ? task.assignees : [])),
    assigned_groups: list(({ task }) => (task.type === "approval" ? task.groups : [])),
    form: value(form),
    payload: value(payload),
    payload_crc: checksum(form, payload),
    on_reject: value(({ task }) => (task.type === "approval" ? task.onReject : null)),
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
  key: { run_id: RUN_ID, id: value((write) => write.taskId), revision: value((write) => write.seen) },
  set: {
    status: STATUS,
    attempt: ATTEMPT,
    failures: FAILURES,
    lease_token: value((write) => write.leaseToken),
    worker: value((write) => write.worker),
    lease_until: value((write) => write.leaseUntil),
    available_at: value((write) => write.availableAt),
    closed_at: value((write) => write.closedAt),
    decided_by: value((write) => write.decidedBy),
    decision: value((write) => write.decision),
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

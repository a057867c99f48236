import type { TaskRow } from "../ledger/rows.ts";
import { iso } from "../model/iso-time.ts";
import { parseJsonOrNull } from "../model/json.ts";
import type { TaskDetail } from "./api.ts";

export function detailOf(row: TaskRow): TaskDetail {
  return {
    id: row.publicId,
    run: row.run,
    step: row.step,
    type: row.type,
    topic: row.topic,
    title: row.title,
    description: row.description,
    assignees: row.assignees,
    groups: row.groups,
    status: row.status,
    attempt: row.attempt,
    maxAttempts: row.maxAttempts,
    worker: row.worker,
    decidedBy: row.decidedBy,
    form: parseJsonOrNull(row.form),
    payload: parseJsonOrNull(row.payload),
    decision: parseJsonOrNull(row.decision),
    error: parseJsonOrNull(row.error),
    createdAt: iso(row.createdAt),
    expiresAt: iso(row.expiresAt),
    closedAt: iso(row.closedAt),
  };
}

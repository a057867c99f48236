import { RUN_REASONS, STEP_REASONS } from "../../model/status.ts";
import type { WorkerIdentity } from "../port.ts";
import type { AttemptRow, EndedStep, HistoryRow, RunRow, StepRow, StepRunRow, VersionRow } from "../rows.ts";
import { Fields, nameOf, type RawRow, runFields, stepFields } from "./fields.ts";
import { ATTEMPT_STATUSES, RUN_STATUSES, STEP_KINDS, STEP_STATUSES, STORED_STEP_STATUSES } from "./words.ts";

/** A row of `run_row`. */
export function decodeRun(row: RawRow): RunRow {
  const fields = runFields(row, "public_id");
  const input = fields.text("input");
  const output = fields.textOrNull("output");
  const error = fields.textOrNull("error");
  fields.verify("input_crc", input);
  fields.verify("result_crc", output, error);
  return {
    id: fields.integer("id"),
    publicId: fields.text("public_id"),
    tenant: fields.text("tenant"),
    versionId: fields.integer("version_id"),
    workflow: fields.text("workflow"),
    version: fields.textOrNull("version"),
    status: fields.oneOf(RUN_STATUSES, "status"),
    reason: fields.oneOfOrNull(RUN_REASONS, "reason"),
    input,
    output,
    error,
    labels: fields.textOrNull("labels"),
    initiator: fields.text("initiator"),
    trigger: fields.text("trigger"),
    environment: fields.text("environment"),
    idempotencyKey: fields.textOrNull("idempotency_key"),
    parentRunId: fields.integerOrNull("parent_run_id"),
    parentStep: fields.textOrNull("parent_step"),
    parentOrdinal: fields.integerOrNull("parent_ordinal"),
    depth: fields.integer("depth"),
    rootRunId: fields.integerOrNull("root_run_id"),
    forkedFrom: fields.integerOrNull("forked_from"),
    forkedAtStep: fields.textOrNull("forked_at_step"),
    ownerEpoch: fields.integerOrNull("owner_epoch"),
    inboxSeq: fields.integer("inbox_seq"),
    revision: fields.integer("revision"),
    crashes: fields.integer("crashes"),
    pausedBy: fields.textOrNull("paused_by"),
    workerGroup: fields.text("worker_group"),
    admission: fields.textOrNull("admission"),
    slots: fields.integerOrNull("slots"),
    deadlineAt: fields.integerOrNull("deadline_at"),
    createdAt: fields.integer("created_at"),
    startedAt: fields.integerOrNull("started_at"),
    finishedAt: fields.integerOrNull("finished_at"),
  };
}

/** What `findByIdempotencyKey` tells beside the run. */
export const decodeIdempotencyHash = (row: RawRow): string => runFields(row, "public_id").text("idempotency_hash");

/** A row of `step`. */
export function decodeStep(row: RawRow): StepRow {
  const fields = stepFields(row);
  const payload = stepPayload(fields);
  return {
    runId: fields.integer("run_id"),
    ordinal: fields.integer("ordinal"),
    kind: fields.oneOf(STEP_KINDS, "kind"),
    path: fields.textOrNull("path"),
    uses: fields.textOrNull("uses"),
    parent: fields.integerOrNull("parent"),
    status: fields.oneOf(STORED_STEP_STATUSES, "status"),
    reason: fields.oneOfOrNull(STEP_REASONS, "reason"),
    attempt: fields.integer("attempt"),
    failures: fields.integer("failures"),
    ...payload,
    idempotencyKey: fields.textOrNull("idempotency_key"),
    revision: fields.integer("revision"),
    startedAt: fields.integerOrNull("started_at"),
    attemptStartedAt: fields.integerOrNull("attempt_started_at"),
    finishedAt: fields.integerOrNull("finished_at"),
  };
}

/** A row of `step` with the column `has_run`. */
export function decodeEndedStep(row: RawRow): EndedStep {
  return { ...decodeStep(row), hasRun: stepFields(row).integer("has_run") === 1 };
}

function stepPayload(fields: Fields): Pick<StepRow, "input" | "output" | "error" | "selected"> {
  const input = fields.textOrNull("input");
  const selected = fields.textOrNull("selected");
  const output = fields.textOrNull("output");
  const error = fields.textOrNull("error");
  fields.verify("input_crc", input, selected);
  fields.verify("result_crc", output, error);
  return { input, output, error, selected };
}

/** A row of the view `step_runs`. */
export function decodeStepRun(row: RawRow): StepRunRow {
  const fields = stepFields(row);
  const { input, output, error } = stepPayload(fields);
  return {
    ordinal: fields.integer("ordinal"),
    path: fields.text("path"),
    uses: fields.text("uses"),
    status: fields.oneOf(STEP_STATUSES, "status"),
    reason: fields.oneOfOrNull(STEP_REASONS, "reason"),
    attempt: fields.integer("attempt"),
    input,
    output,
    error,
    startedAt: fields.integerOrNull("started_at"),
    finishedAt: fields.integerOrNull("finished_at"),
  };
}

/** A row of `attempt`. */
export function decodeAttempt(row: RawRow): AttemptRow {
  const fields = stepFields(row);
  const error = fields.textOrNull("error");
  fields.verify("error_crc", null, error);
  return {
    runId: fields.integer("run_id"),
    ordinal: fields.integer("ordinal"),
    attempt: fields.integer("attempt"),
    status: fields.oneOf(ATTEMPT_STATUSES, "status"),
    error,
    revision: fields.integer("revision"),
    startedAt: fields.integerOrNull("started_at"),
    finishedAt: fields.integer("finished_at"),
  };
}

export function decodeHistory(row: RawRow): HistoryRow {
  const fields = stepFields(row);
  const detail = fields.textOrNull("detail");
  const event = fields.text("event");
  if (event.startsWith("attempt.")) fields.verify("detail_crc", null, detail);
  else fields.verify("detail_crc", detail);
  return {
    revision: fields.integer("revision"),
    at: fields.integer("at"),
    event,
    step: fields.textOrNull("step"),
    attempt: fields.integerOrNull("attempt"),
    detail,
    actor: fields.textOrNull("actor"),
  };
}

export function decodeOwner(row: RawRow): WorkerIdentity {
  const fields = new Fields(row, "The owner's row", {});
  const served = fields.textOrNull("worker_groups");
  return {
    name: fields.text("name"),
    host: fields.text("host"),
    pid: fields.integer("pid"),
    version: fields.text("version"),
    groups: served === null ? null : (JSON.parse(served) as readonly string[]),
  };
}

export function decodeVersion(row: RawRow): VersionRow {
  const fields = new Fields(row, `Version ${nameOf(row["id"])} of workflow ${nameOf(row["workflow"])}`, { version: nameOf(row["id"]) });
  const definition = fields.text("definition");
  fields.verify("definition_crc", definition);
  return {
    id: fields.integer("id"),
    tenant: fields.text("tenant"),
    workflow: fields.text("workflow"),
    version: fields.textOrNull("version"),
    hash: fields.text("hash"),
    definition,
    createdAt: fields.integer("created_at"),
  };
}

import { StepwellError } from "../../model/errors.ts";
import { type Json, parseJson } from "../../model/json.ts";
import { RUN_REASONS, STEP_REASONS } from "../../model/status.ts";
import type { DueRun, WorkerIdentity } from "../port.ts";
import type {
  AttemptRow,
  HistoryRow,
  InboxRow,
  KeptEventRow,
  OpenInboxRow,
  RunRow,
  StepRow,
  StepRunRow,
  SubscriptionRow,
  VersionRow,
  WaitRow,
  WaitView,
} from "../rows.ts";
import { checksum } from "./checksum.ts";
import {
  ATTEMPT_STATUSES,
  INBOX_KINDS,
  MODES,
  RUN_STATUSES,
  STEP_KINDS,
  STEP_STATUSES,
  STORED_STEP_STATUSES,
  WAIT_KINDS,
  type Words,
} from "./words.ts";

/** A row as a driver gives it. */
export type RawRow = Readonly<Record<string, unknown>>;

/** Reads typed columns of one row; whatever is not what the schema promises is `LEDGER_CORRUPT`. */
class Fields {
  readonly #row: RawRow;
  readonly #place: string;
  readonly #data: { readonly [key: string]: Json };

  constructor(row: RawRow, place: string, data: { readonly [key: string]: Json }) {
    this.#row = row;
    this.#place = place;
    this.#data = data;
  }

  text(column: string): string {
    const found = this.#row[column];
    return typeof found === "string" ? found : this.#refuse(column);
  }

  textOrNull(column: string): string | null {
    const found = this.#row[column];
    return found === null || typeof found === "string" ? found : this.#refuse(column);
  }

  integer(column: string): number {
    const found = this.#row[column];
    return typeof found === "number" ? found : this.#refuse(column);
  }

  integerOrNull(column: string): number | null {
    const found = this.#row[column];
    return found === null || typeof found === "number" ? found : this.#refuse(column);
  }

  oneOf<W extends string>(allowed: Words<W>, column: string): W {
    const found = this.#row[column];
    return isWord(allowed, found) ? found : this.#refuse(column);
  }

  oneOfOrNull<W extends string>(allowed: Words<W>, column: string): W | null {
    return this.#row[column] === null ? null : this.oneOf(allowed, column);
  }

  /** Compares payload columns with the checksum that was stored beside them. */
  verify(crcColumn: string, first: string | null, second: string | null = null): void {
    if (this.#row[crcColumn] !== checksum(first, second)) this.#refuse(crcColumn.replace(/_crc$/, ""));
  }

  #refuse(column: string): never {
    throw new StepwellError("LEDGER_CORRUPT", `${this.#place} is damaged in the ledger: its ${column} is not what was written`, {
      hint: "The bytes are kept as they are. Restore the ledger from a backup, or look at the row with sqlite3.",
      data: { ...this.#data, column },
    });
  }
}

function isWord<W extends string>(allowed: Words<W>, found: unknown): found is W {
  return typeof found === "string" && Object.hasOwn(allowed, found);
}

/** How a column names its row in an error. */
const nameOf = (value: unknown): string | null => (typeof value === "string" || typeof value === "number" ? String(value) : null);

const runFields = (row: RawRow, key: string): Fields => new Fields(row, `Run ${nameOf(row[key]) ?? "?"}`, { run: nameOf(row[key]) });

function stepFields(row: RawRow): Fields {
  const run = nameOf(row["public_id"]) ?? nameOf(row["run_id"]);
  const step = nameOf(row["path"]) ?? nameOf(row["step"]) ?? nameOf(row["ordinal"]);
  return new Fields(row, `Step ${step} of run ${run}`, { run, step });
}

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

const isScalar = (found: unknown): found is string | number | boolean =>
  typeof found === "string" || typeof found === "number" || typeof found === "boolean";

/** A row of `subscription`. */
export function decodeSubscription(row: RawRow): SubscriptionRow {
  const fields = stepFields(row);
  const where: Record<string, string | number | boolean> = {};
  const equalities = parseJson(fields.text("equalities"));
  for (const [field, found] of Object.entries(equalities ?? {})) if (isScalar(found)) where[field] = found;
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

/** A row of `event_kept` that still has its data. */
export function decodeKeptEvent(row: RawRow): KeptEventRow {
  const fields = new Fields(row, `Event ${nameOf(row["event_id"])}`, { event: nameOf(row["event_id"]) });
  const data = fields.text("data");
  fields.verify("data_crc", data);
  return { id: fields.integer("id"), eventId: fields.text("event_id"), data: parseJson(data) };
}

export function decodeOwner(row: RawRow): WorkerIdentity {
  const fields = new Fields(row, "The owner's row", {});
  return { name: fields.text("name"), host: fields.text("host"), pid: fields.integer("pid"), version: fields.text("version") };
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

import type { Ledger, TaskOutcome, TaskPage } from "../ledger/port.ts";
import type { InboxRow, TaskRow } from "../ledger/rows.ts";
import { StepwellError } from "../model/errors.ts";
import { iso } from "../model/iso-time.ts";
import { isJsonObject, type Json, parseJsonOrNull, toJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { Decision, LeasedTask, PollOptions, TaskDetail, TaskFilter, TaskPageResult } from "./api.ts";
import { payloadText } from "./finish-output.ts";
import { recordError } from "./recorded-error.ts";
import type { Schemas } from "./schemas.ts";
import { detailOf } from "./task-detail.ts";

export interface TaskHost {
  readonly ledger: Ledger;
  readonly tenant: string;
  readonly schemas: Schemas;
  /** @throws StepwellError `ENGINE_STOPPED`, or what made the engine stop */
  expectOpen(): void;
  newId(): string;
  deliver(row: InboxRow): Promise<void>;
}

/** What people and remote workers do with the tasks that steps wait for. */
export class TaskCommands {
  readonly #host: TaskHost;

  constructor(host: TaskHost) {
    this.#host = host;
  }

  /** Tasks, oldest first. */
  async list({ status, topic, run, user, groups = [], cursor, limit = 50 }: TaskFilter = {}): Promise<TaskPageResult> {
    const { ledger, tenant } = this.#open();
    const page: TaskPage = await ledger.tasks.list({
      tenant,
      limit,
      ...(status === undefined ? {} : { status }),
      ...(topic === undefined ? {} : { topic }),
      ...(run === undefined ? {} : { runId: run }),
      ...(user === undefined ? {} : { visibleTo: { user, groups } }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { tasks: page.tasks.map((row) => detailOf(row)), next: page.next };
  }

  /** A task; undefined when there is none. */
  async get(taskId: string): Promise<TaskDetail | undefined> {
    const { ledger, tenant } = this.#open();
    const row = await ledger.tasks.get(tenant, taskId);
    return row === undefined ? undefined : detailOf(row);
  }

  /**
   * Approves what a step asks for; with a form, `form` is checked against its schema and becomes part of the step's output.
   *
   * @throws StepwellError `TASK_NOT_FOUND`, `TASK_CLOSED` with the decision that won, `TASK_EXPIRED`, `TASK_FORBIDDEN`, `TASK_FORM_INVALID`
   */
  async approve(taskId: string, decision: Decision): Promise<TaskDetail> {
    return this.#decide(taskId, true, decision);
  }

  /**
   * Rejects what a step asks for: the step fails with `TASK_REJECTED`, or goes on and says so if it has `onReject: continue`.
   *
   * @throws StepwellError `TASK_NOT_FOUND`, `TASK_CLOSED` with the decision that won, `TASK_EXPIRED`, `TASK_FORBIDDEN`
   */
  async reject(taskId: string, decision: Omit<Decision, "form">): Promise<TaskDetail> {
    return this.#decide(taskId, false, decision);
  }

  /**
   * Claims work items of a topic for a worker, those that have waited longest first. Whoever has the token speaks for them until the
   * lease ends; `heartbeat` extends it. Every claim is an attempt.
   *
   * @throws StepwellError `USAGE`
   */
  async poll(topic: string, { worker, limit = 1 }: PollOptions): Promise<readonly LeasedTask[]> {
    const { ledger, tenant } = this.#open();
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.tasksPerPoll)
      throw new StepwellError("USAGE", `a poll asks for 1 to ${LIMITS.tasksPerPoll} tasks`);
    const token = this.#host.newId();
    const rows = await ledger.tasks.poll({ tenant, topic, worker, token, limit });
    return rows.map((row) => leased(row, token));
  }

  /**
   * Claims one work item that nobody has, whatever its topic: for somebody who does the work by hand.
   *
   * @throws StepwellError `TASK_NOT_FOUND`, `TASK_CLOSED`, `TASK_EXPIRED`, `TASK_LEASE_LOST` while a worker has it
   */
  async claim(taskId: string, worker: string): Promise<LeasedTask> {
    const { ledger, tenant } = this.#open();
    const token = this.#host.newId();
    return leased(await ledger.tasks.claim({ tenant, publicId: taskId, token }, worker), token);
  }

  /** @throws StepwellError `TASK_LEASE_LOST`, `TASK_NOT_FOUND` */
  async heartbeat(taskId: string, token: string): Promise<TaskDetail> {
    const { ledger, tenant } = this.#open();
    return detailOf(await ledger.tasks.heartbeat({ tenant, publicId: taskId, token }));
  }

  /**
   * The work is done; its result is the step's.
   *
   * @throws StepwellError `TASK_LEASE_LOST`, `TASK_NOT_FOUND`, `TASK_CLOSED`, `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`
   */
  async complete(taskId: string, token: string, result?: unknown): Promise<TaskDetail> {
    const { ledger, tenant } = this.#open();
    const checked = toJson(result ?? null, "the result of a task");
    payloadText(checked, "the result of a task");
    return this.#told(await ledger.tasks.complete({ tenant, publicId: taskId, token }, checked));
  }

  /**
   * The work failed. It is given out again after its delay, or is a dead letter once its attempts are used up or `retryable` is false.
   *
   * @throws StepwellError `TASK_LEASE_LOST`, `TASK_NOT_FOUND`
   */
  async fail(
    taskId: string,
    token: string,
    error: unknown,
    { retryable = true }: { readonly retryable?: boolean } = {},
  ): Promise<TaskDetail> {
    const { ledger, tenant } = this.#open();
    const { code, message } = recordError(typeof error === "string" ? new Error(error) : error);
    return detailOf(await ledger.tasks.fail({ tenant, publicId: taskId, token }, { error: { code, message }, isRetryable: retryable }));
  }

  /**
   * Gives a dead letter out again, with all of its attempts.
   *
   * @throws StepwellError `TASK_NOT_FOUND`, `TASK_CLOSED`
   */
  async restore(taskId: string): Promise<TaskDetail> {
    const { ledger, tenant } = this.#open();
    return detailOf(await ledger.tasks.restore(tenant, taskId));
  }

  async #decide(taskId: string, isApproved: boolean, { by, groups = [], comment, form }: Decision): Promise<TaskDetail> {
    const { ledger, tenant, schemas } = this.#open();
    const task = await ledger.tasks.get(tenant, taskId);
    if (task === undefined) throw new StepwellError("TASK_NOT_FOUND", `there is no task ${taskId}`);
    if (by === "") throw new StepwellError("USAGE", "a decision names who takes it");
    refuseStranger(task, by, groups);
    const filled: Json = toJson(form ?? null, "the form");
    const schema = parseJsonOrNull(task.form);
    if (isApproved && isJsonObject(schema))
      await schemas.checkOnce(schema, filled ?? {}, "TASK_FORM_INVALID", `the form of "${task.title ?? taskId}"`);
    payloadText(filled, "the form");
    return this.#told(
      await ledger.tasks.decide({ tenant, publicId: taskId, isApproved, actor: by, comment: comment ?? null, form: filled }),
    );
  }

  async #told({ task, accepted }: TaskOutcome): Promise<TaskDetail> {
    await this.#host.deliver(accepted);
    return detailOf(task);
  }

  #open(): TaskHost {
    this.#host.expectOpen();
    return this.#host;
  }
}

/** Nobody named means everybody may. */
function refuseStranger({ assignees, groups, title, publicId }: TaskRow, by: string, memberOf: readonly string[]): void {
  if (assignees.length === 0 && groups.length === 0) return;
  if (assignees.includes(by) || groups.some((group) => memberOf.includes(group))) return;
  throw new StepwellError("TASK_FORBIDDEN", `${by} may not decide "${title ?? publicId}"`, {
    hint: `It is for ${[...assignees, ...groups.map((group) => `group ${group}`)].join(", ")}.`,
    data: { task: publicId },
  });
}

function leased(row: TaskRow, token: string): LeasedTask {
  return { ...detailOf(row), token, leaseUntil: iso(row.leaseUntil) ?? "" };
}

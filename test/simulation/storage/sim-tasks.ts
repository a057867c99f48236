import type { TaskDecision, TaskFailure, TaskLease, TaskOutcome, TaskPoll, TaskQuery, Tasks } from "../../../src/ledger/port.ts";
import type { InboxRow, TaskRow } from "../../../src/ledger/rows.ts";
import type { Json } from "../../../src/model/json.ts";
import type { CommitPoint } from "../oracle/commit-points.ts";
import type { HandedOut, TaskLog } from "../oracle/task-log.ts";
import type { Channel, Operation } from "./channel.ts";

/** Those who hear what became durable. */
export interface TaskWatch {
  readonly log: TaskLog;
  /** Rows that were put into inboxes. */
  readonly arrived: (rows: readonly InboxRow[]) => void;
}

const MANY = 1_000;

/** The tasks of the ledger, behind a channel. */
export class SimTasks implements Tasks {
  readonly #channel: Channel;
  readonly #tasks: Tasks;
  readonly #watch: TaskWatch;

  constructor(channel: Channel, tasks: Tasks, watch: TaskWatch) {
    this.#channel = channel;
    this.#tasks = tasks;
    this.#watch = watch;
  }

  list(query: TaskQuery) {
    return this.#channel.read(() => this.#tasks.list(query));
  }

  get(tenant: string, publicId: string) {
    return this.#channel.read(() => this.#tasks.get(tenant, publicId));
  }

  decide(entry: TaskDecision): Promise<TaskOutcome> {
    const points: readonly CommitPoint[] = ["C20", "C27"];
    const apply = (): Promise<TaskOutcome> => this.#tasks.decide(entry);
    return this.#answered({ name: `decide ${entry.publicId}`, points, apply, durable: (outcome) => this.#log.decided(outcome) });
  }

  /** What it takes for lost it does not tell: that is asked for in the same moment. */
  async poll(request: TaskPoll): Promise<readonly TaskRow[]> {
    const { tenant, topic, token } = request;
    const { rows } = await this.#channel.write<HandedOut>({
      name: `poll ${topic}`,
      points: [],
      answers: [],
      apply: async () => {
        const given = await this.#tasks.poll(request);
        const { tasks: dead } = await this.#tasks.list({ tenant, topic, status: "DEAD_LETTER", limit: MANY });
        return { rows: given, dead };
      },
      durable: (handed) => this.#log.handedOut(handed, token),
    });
    return rows;
  }

  claim(lease: TaskLease, worker: string): Promise<TaskRow> {
    const apply = (): Promise<TaskRow> => this.#tasks.claim(lease, worker);
    const durable = (row: TaskRow): void => this.#log.handedOut({ rows: [row], dead: [] }, lease.token);
    return this.#changed({ name: `claim ${lease.publicId}`, points: [], apply, durable });
  }

  heartbeat(lease: TaskLease): Promise<TaskRow> {
    const apply = (): Promise<TaskRow> => this.#tasks.heartbeat(lease);
    const durable = (row: TaskRow): void => this.#log.extended(row, lease.token);
    return this.#changed({ name: `heartbeat ${lease.publicId}`, points: ["C28"], apply, durable });
  }

  complete(lease: TaskLease, payload: Json): Promise<TaskOutcome> {
    const apply = (): Promise<TaskOutcome> => this.#tasks.complete(lease, payload);
    const durable = (outcome: TaskOutcome): void => this.#log.completed(outcome, lease.token);
    return this.#answered({ name: `complete ${lease.publicId}`, points: ["C20"], apply, durable });
  }

  fail(lease: TaskLease, failure: TaskFailure): Promise<TaskRow> {
    const apply = (): Promise<TaskRow> => this.#tasks.fail(lease, failure);
    const durable = (row: TaskRow): void => this.#log.failed(row, lease.token, failure.isRetryable);
    return this.#changed({ name: `fail ${lease.publicId}`, points: [], apply, durable });
  }

  restore(tenant: string, publicId: string): Promise<TaskRow> {
    const apply = (): Promise<TaskRow> => this.#tasks.restore(tenant, publicId);
    return this.#changed({ name: `restore ${publicId}`, points: [], apply, durable: (row) => this.#log.restored(row) });
  }

  get #log(): TaskLog {
    return this.#watch.log;
  }

  #changed(operation: Omit<Operation<TaskRow>, "answers">): Promise<TaskRow> {
    return this.#channel.write({ ...operation, answers: [] });
  }

  /** Its step is woken by it. */
  #answered(operation: Omit<Operation<TaskOutcome>, "answers">): Promise<TaskOutcome> {
    const durable = (outcome: TaskOutcome): void => {
      this.#watch.arrived([outcome.accepted]);
      operation.durable(outcome);
    };
    return this.#channel.write({ ...operation, durable, answers: ["C21"] });
  }
}

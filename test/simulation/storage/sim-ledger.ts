import type { Claims } from "../../../src/ledger/claims.ts";
import type {
  EventEntry,
  Events,
  InboxEntry,
  Ledger,
  NewVersion,
  Ownership,
  QueuedRun,
  Retention,
  RunQuery,
  Tasks,
  WaitReads,
  WorkerIdentity,
} from "../../../src/ledger/port.ts";
import { queuedInsert } from "../../../src/ledger/queued-run.ts";
import type { InboxRow } from "../../../src/ledger/rows.ts";
import type { Batch, CommitOutcome } from "../../../src/ledger/writes.ts";
import { type CommitPoint, pointsAccepting, pointsOf } from "../oracle/commit-points.ts";
import type { DurableLog } from "../oracle/durable-log.ts";
import type { SimProcess } from "../time/process.ts";
import { Channel, type Wires } from "./channel.ts";
import { SimTasks } from "./sim-tasks.ts";
import type { Connection } from "./store.ts";

/** What all connections of one simulation share. */
export interface Storage extends Wires {
  readonly log: DurableLog;
  /** By connection: that somebody else wrote since it last looked. */
  readonly looks: Set<SimLedger>;
  /** What breaks its invariants now, where that costs little. */
  verifyCheaply(): Promise<readonly string[]>;
}

const nothing = (): void => undefined;

/** A process's connection to the simulated ledger: everything goes through its channel, and what is durable goes into the log. */
export class SimLedger implements Ledger {
  readonly lanes: number;
  readonly isShared = false;
  readonly waits: WaitReads;
  readonly claims: Claims;
  readonly shares: Ledger["shares"];
  readonly routes: Ledger["routes"];
  readonly transactions = null;
  readonly events: Events;
  readonly tasks: Tasks;
  /** Nobody deletes runs of a simulated ledger: what became of them is judged at the end. */
  readonly retention: Retention;
  readonly #process: SimProcess;
  readonly #storage: Storage;
  readonly #connection: Connection;
  readonly #channel: Channel;
  #hasNews = false;

  constructor(process: SimProcess, storage: Storage, connection: Connection) {
    this.#process = process;
    this.#storage = storage;
    this.#connection = connection;
    this.#channel = new Channel(process, storage);
    this.lanes = storage.faults.swarm.lanes ?? connection.ledger.lanes;
    this.waits = this.#waits(connection.ledger.waits);
    this.claims = this.#claims(connection.ledger.claims);
    this.shares = connection.ledger.shares;
    this.routes = connection.ledger.routes;
    this.retention = connection.ledger.retention;
    this.events = { publish: (entry) => this.#publish(entry) };
    this.tasks = new SimTasks(this.#channel, connection.ledger.tasks, {
      log: storage.log.tasks,
      arrived: (rows) => this.#arrived(rows),
    });
    storage.looks.add(this);
  }

  own(worker: WorkerIdentity): Promise<Ownership> {
    return this.#channel.write({
      name: "own",
      points: ["C05"],
      answers: ["C06"],
      apply: () => this.#ledger.own(worker),
      durable: ({ epoch }) => this.#storage.log.owned(epoch),
    });
  }

  commit(batch: Batch): Promise<CommitOutcome> {
    return this.#channel.write({
      name: JSON.stringify(batch),
      points: pointsOf(batch),
      answers: ["C14"],
      apply: () => this.#ledger.commit(batch),
      durable: (outcome) => this.#storage.log.committed(batch, outcome, this.#process.name),
    });
  }

  reserveRunIds(count: number): Promise<number> {
    return this.#channel.write({
      name: "reserveRunIds",
      points: [],
      answers: [],
      apply: () => this.#ledger.reserveRunIds(count),
      durable: nothing,
    });
  }

  putVersion(version: NewVersion) {
    return this.#channel.write({
      name: "putVersion",
      points: [],
      answers: [],
      apply: () => this.#ledger.putVersion(version),
      durable: ({ id, workflow }) => this.#storage.log.versions.set(id, workflow),
    });
  }

  async enqueueRun(run: QueuedRun): Promise<{ readonly publicId: string; readonly created: boolean }> {
    const { stored } = await this.#channel.write({
      name: "enqueueRun",
      points: ["C01", "C03"],
      answers: [],
      apply: async () => {
        const enqueued = await this.#ledger.enqueueRun(run);
        const row = await this.#ledger.getRun(run.tenant, enqueued.publicId);
        return { stored: enqueued, runId: row?.id ?? 0 };
      },
      durable: ({ stored: { created }, runId }) => {
        this.#wakeOthers();
        if (created) this.#storage.log.enqueued(queuedInsert(run, runId));
      },
    });
    return stored;
  }

  accept(entry: InboxEntry) {
    return this.#channel.write({
      name: `accept ${entry.kind} ${entry.publicId}`,
      points: pointsAccepting(entry.kind),
      answers: ["C21"],
      apply: () => this.#ledger.accept(entry),
      durable: (row) => this.#arrived([row]),
    });
  }

  reopenRun(tenant: string, publicId: string, actor: string) {
    return this.#channel.write({
      name: `reopen ${publicId}`,
      points: pointsAccepting("retry"),
      answers: ["C21"],
      apply: () => this.#ledger.reopenRun(tenant, publicId, actor),
      durable: (row) => this.#arrived([row]),
    });
  }

  getVersion(versionId: number) {
    return this.#channel.read(() => this.#ledger.getVersion(versionId));
  }

  latestVersion(tenant: string, workflow: string, label?: string) {
    return this.#channel.read(() => this.#ledger.latestVersion(tenant, workflow, label));
  }

  getRun(tenant: string, publicId: string) {
    return this.#channel.read(() => this.#ledger.getRun(tenant, publicId));
  }

  findByIdempotencyKey(tenant: string, workflow: string, key: string) {
    return this.#channel.read(() => this.#ledger.findByIdempotencyKey(tenant, workflow, key));
  }

  listRuns(query: RunQuery) {
    return this.#channel.read(() => this.#ledger.listRuns(query));
  }

  findEnds(tenant: string, publicIds: readonly string[]) {
    return this.#channel.read(() => this.#ledger.findEnds(tenant, publicIds));
  }

  listSteps(tenant: string, publicId: string) {
    return this.#channel.read(() => this.#ledger.listSteps(tenant, publicId));
  }

  listAttempts(tenant: string, publicId: string) {
    return this.#channel.read(() => this.#ledger.listAttempts(tenant, publicId));
  }

  listHistory(tenant: string, publicId: string) {
    return this.#channel.read(() => this.#ledger.listHistory(tenant, publicId));
  }

  unfinished(afterId: number, limit: number) {
    return this.#channel.read(() => this.#ledger.unfinished(afterId, limit));
  }

  loadRun(runId: number) {
    return this.#channel.read(() => {
      this.#storage.trace(`${this.#process.name} reads run ${runId}`);
      this.#storage.log.loaded(runId, this.#process.name);
      return this.#ledger.loadRun(runId);
    });
  }

  /** Asked so often that it is answered at once: news is kept back for a while, or told where there is none. */
  async changedElsewhere(): Promise<boolean> {
    const { faults } = this.#storage;
    if (this.#hasNews && faults.chance(faults.swarm.keptWakes)) return false;
    const hasNews = this.#hasNews || faults.chance(faults.swarm.falseWakes);
    this.#hasNews = false;
    return hasNews;
  }

  async close(): Promise<void> {
    this.abandon();
  }

  /** What the death of its process does to it. */
  abandon(): void {
    this.#storage.looks.delete(this);
    this.#connection.abandon();
  }

  get #ledger(): Ledger {
    return this.#connection.ledger;
  }

  #claims(claims: Claims): Claims {
    const channel = this.#channel;
    return {
      admit: (epoch, limit) =>
        channel
          .write({
            name: "admit",
            points: ["C05"],
            answers: ["C06"],
            apply: async () => {
              const admissions = await claims.admit(epoch, limit);
              return { admissions, now: await this.#ledger.waits.now(), broken: await this.#storage.verifyCheaply() };
            },
            durable: ({ admissions, now, broken }) => {
              this.#storage.log.admitted(admissions, now);
              for (const what of broken) this.#storage.log.violated("admission", what);
              this.#wakeOthers();
            },
          })
          .then(({ admissions }) => admissions),
      runs: (pickup, afterId, limit) => channel.read(() => claims.runs(pickup, afterId, limit)),
      due: (after, limit) => channel.read(() => claims.due(after, limit)),
      one: (runId) => claims.one(runId),
      sent: (afterId, limit) => channel.read(() => claims.sent(afterId, limit)),
    };
  }

  #waits(waits: WaitReads): WaitReads {
    const channel = this.#channel;
    return {
      now: () => channel.read(() => waits.now()),
      nextDue: () => channel.read(() => waits.nextDue()),
      listWaits: (tenant, publicId) => channel.read(() => waits.listWaits(tenant, publicId)),
      turnOf: (tenant, publicId) => channel.read(() => waits.turnOf(tenant, publicId)),
      listSignals: (tenant, publicId) => channel.read(() => waits.listSignals(tenant, publicId)),
      listChildren: (tenant, publicId) => channel.read(() => waits.listChildren(tenant, publicId)),
    };
  }

  #publish(entry: EventEntry) {
    const points: readonly CommitPoint[] = pointsAccepting("event");
    return this.#channel.write({
      name: `publish ${entry.event} ${entry.id}`,
      points,
      answers: ["C21"],
      apply: () => this.#ledger.events.publish(entry),
      durable: (published) => {
        this.#arrived(published.accepted);
        this.#storage.log.published(entry, published);
      },
    });
  }

  #arrived(rows: readonly InboxRow[]): void {
    for (const row of rows) this.#storage.log.accepted(row);
    this.#wakeOthers();
  }

  #wakeOthers(): void {
    for (const other of this.#storage.looks) if (other !== this) other.#hasNews = true;
  }
}

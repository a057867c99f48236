import type { LifecycleEvent, RunOutcome } from "../engine/api.ts";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import { Stepwell, type StepwellOptions } from "../main/stepwell.ts";
import { StepwellError } from "../model/errors.ts";
import type { Operator } from "../operators/operator.ts";
import { LEDGER_QUEUE } from "../queue/ledger/ledger-queue.ts";
import type { Queue } from "../queue/port.ts";
import type { Definition } from "../workflow/graph.ts";

/** Opens the ledger of one test; a second call opens the same ledger again, as a new engine would. */
export type OpenLedger = () => Promise<Ledger>;

/** The queues of ledgers whose engines have another one than the ledger's. */
const queues = new WeakMap<Ledger, Queue>();

/** Gives engines on a ledger this queue. */
export function withQueue(ledger: Ledger, queue: Queue): Ledger {
  queues.set(ledger, queue);
  return ledger;
}

/** A ledger of which some methods are replaced. */
export function interposed(ledger: Ledger, changes: Partial<Ledger>): Ledger {
  const changed = changedBy(ledger, changes);
  const queue = queues.get(ledger);
  return queue === undefined ? changed : withQueue(changed, queue);
}

function changedBy(ledger: Ledger, changes: Partial<Ledger>): Ledger {
  return {
    lanes: ledger.lanes,
    isShared: ledger.isShared,
    waits: ledger.waits,
    claims: ledger.claims,
    transactions: ledger.transactions,
    events: ledger.events,
    tasks: ledger.tasks,
    retention: ledger.retention,
    shares: ledger.shares,
    routes: ledger.routes,
    own: (worker, events) => ledger.own(worker, events),
    commit: (batch) => ledger.commit(batch),
    reserveRunIds: (count) => ledger.reserveRunIds(count),
    putVersion: (version) => ledger.putVersion(version),
    getVersion: (versionId) => ledger.getVersion(versionId),
    latestVersion: (tenant, workflow, label) => ledger.latestVersion(tenant, workflow, label),
    enqueueRun: (run) => ledger.enqueueRun(run),
    accept: (entry) => ledger.accept(entry),
    reopenRun: (tenant, publicId, actor) => ledger.reopenRun(tenant, publicId, actor),
    getRun: (tenant, publicId) => ledger.getRun(tenant, publicId),
    findByIdempotencyKey: (tenant, workflow, key) => ledger.findByIdempotencyKey(tenant, workflow, key),
    listRuns: (query) => ledger.listRuns(query),
    findEnds: (tenant, publicIds) => ledger.findEnds(tenant, publicIds),
    listSteps: (tenant, publicId) => ledger.listSteps(tenant, publicId),
    listAttempts: (tenant, publicId) => ledger.listAttempts(tenant, publicId),
    listHistory: (tenant, publicId) => ledger.listHistory(tenant, publicId),
    unfinished: (afterId, limit) => ledger.unfinished(afterId, limit),
    loadRun: (runId) => ledger.loadRun(runId),
    changedElsewhere: () => ledger.changedElsewhere(),
    close: () => ledger.close(),
    ...changes,
  };
}

/** A memory ledger that outlives its engines: what one opening is closed with, the next one finds. */
export function survivingMemory(): OpenLedger {
  const ledger = openMemoryLedger();
  return async () => {
    let isClosed = false;
    const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = isClosed ? undefined : await work();
      // also a commit that was under way when the ledger was closed: as after a crash, nobody hears of it
      if (isClosed || result === undefined) throw new StepwellError("LEDGER_UNAVAILABLE", "The ledger is closed");
      return result;
    };
    return interposed(ledger, {
      commit: (batch) => whileOpen(() => ledger.commit(batch)),
      accept: (entry) => whileOpen(() => ledger.accept(entry)),
      changedElsewhere: () => whileOpen(() => ledger.changedElsewhere()),
      close: async () => {
        isClosed = true;
      },
    });
  };
}

/** An engine with everything that it told its listeners. */
export class Harness {
  readonly stepwell: Stepwell;
  readonly events: LifecycleEvent[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(ledger: Ledger, options: Omit<StepwellOptions, "ledger"> = {}) {
    this.stepwell = new Stepwell({ ...options, ledger, queue: queues.get(ledger) ?? LEDGER_QUEUE });
    this.stepwell.listen((event) => {
      this.events.push(event);
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  /** An engine on a fresh ledger. */
  static async on(open: () => Promise<OpenLedger>, options: Omit<StepwellOptions, "ledger"> = {}): Promise<Harness> {
    return new Harness(await (await open())(), options);
  }

  /** Registers a definition, starts a run of it and waits for its end. */
  async run(definition: Definition, input: unknown = {}): Promise<RunOutcome> {
    return this.stepwell.result(await this.start(definition, input));
  }

  async start(definition: Definition, input: unknown = {}): Promise<string> {
    await this.stepwell.register(definition);
    const { name } = definition;
    return this.stepwell.start(typeof name === "string" ? name : "", input);
  }

  /** Resolves with the first event, past or coming, that the predicate accepts. */
  async event(accepts: (event: LifecycleEvent) => boolean): Promise<LifecycleEvent> {
    for (;;) {
      const found = this.events.find((event) => accepts(event));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  stepStarted(step: string, attempt = 1): Promise<LifecycleEvent> {
    return this.event((event) => event.type === "step.started" && event.step === step && event.attempt === attempt);
  }

  /** The id of the task that a run waits for, once it does. */
  async openTask(run: string): Promise<string> {
    await this.event((event) => event.type === "step.suspended" && event.run.id === run);
    const { tasks } = await (await this.stepwell.tasks()).list({ run });
    return tasks[0]?.id ?? "";
  }

  /** The final status of every step of a run, by id. */
  async statuses(runId: string): Promise<Readonly<Record<string, string>>> {
    const run = await this.stepwell.get(runId);
    return Object.fromEntries((run?.steps ?? []).map((step) => [step.id, step.status]));
  }
}

/** A promise with its switch outside: an operator that waits on it ends when the test says so. */
export class Gate {
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;
  #arrivals = 0;
  readonly #arrived: (() => void)[] = [];

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  /** An operator that waits here; it gives its input back. */
  readonly operator: Operator = async (input) => {
    await this.passed();
    return input;
  };

  /** Arrives here and goes on when the gate is open. */
  async passed(): Promise<void> {
    this.#arrivals += 1;
    for (const arrived of this.#arrived.splice(0)) arrived();
    await this.opened;
  }

  /** Resolves when `count` operators have arrived. */
  async arrivals(count: number): Promise<void> {
    while (this.#arrivals < count) await new Promise<void>((resolve) => this.#arrived.push(resolve));
  }
}

/** A ledger whose answers arrive late. */
export interface SlowToRead {
  readonly ledger: Ledger;
  readonly reading: Gate;
  /** Runs are read at once, and what was read arrives when the gate opens. */
  isSlow: boolean;
  /** How late it is by then. */
  aheadMs: number;
}

export function slowToRead(ledger: Ledger): SlowToRead {
  const { waits } = ledger;
  const reading = new Gate();
  const loadRun: Ledger["loadRun"] = async (runId) => {
    const stored = await ledger.loadRun(runId);
    if (state.isSlow) await reading.passed();
    return stored === undefined ? undefined : { ...stored, now: stored.now + state.aheadMs };
  };
  const late: Ledger["waits"] = {
    now: async () => (await waits.now()) + state.aheadMs,
    nextDue: () => waits.nextDue(),
    listWaits: (tenant, publicId) => waits.listWaits(tenant, publicId),
    turnOf: (tenant, publicId) => waits.turnOf(tenant, publicId),
    listSignals: (tenant, publicId) => waits.listSignals(tenant, publicId),
    listChildren: (tenant, publicId) => waits.listChildren(tenant, publicId),
  };
  const state: SlowToRead = { ledger: interposed(ledger, { loadRun, waits: late }), reading, isSlow: false, aheadMs: 0 };
  return state;
}

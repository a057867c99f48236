import { hostname } from "node:os";
import type { CallerTransactions } from "../ledger/caller-transactions.ts";
import { Committer } from "../ledger/committer.ts";
import { isPassing } from "../ledger/passing.ts";
import { DEFAULT_TENANT } from "../ledger/placement.ts";
import type { Ledger, StoredRun } from "../ledger/port.ts";
import type { InboxRow } from "../ledger/rows.ts";
import type { InsertRun } from "../ledger/writes.ts";
import type { Clock, Random, Timer } from "../model/clock.ts";
import { asStepwellError, StepwellError } from "../model/errors.ts";
import type { Definition } from "../workflow/graph.ts";
import { compileDefinition } from "../workflow/index.ts";
import type { Interceptor, LifecycleEvent, RunOutcome, StartOptions } from "./api.ts";
import { AwaitedEnds } from "./awaited-ends.ts";
import { Catalog, type Registered } from "./catalog.ts";
import { detached } from "./detached-clock.ts";
import type { EngineOptions } from "./engine-options.ts";
import { LedgerTime } from "./ledger-time.ts";
import { tellListeners } from "./listeners.ts";
import type { OperatorRegistry, ThreadExecutor } from "./operators.ts";
import { orLate } from "./or-late.ts";
import { patiently } from "./patiently.ts";
import { Pickup, type PickupHost } from "./pickup.ts";
import { Placement } from "./placement.ts";
import { newPublicId } from "./public-id.ts";
import { eventOf } from "./queue-events.ts";
import { recordError } from "./recorded-error.ts";
import { RunCommands } from "./run-commands.ts";
import type { RunDriver } from "./run-driver.ts";
import type { ChildParent, ChildRequest, DrivenRun, RunEnd, RunHost } from "./run-host.ts";
import { RunIntake } from "./run-intake.ts";
import { RunReads } from "./run-reads.ts";
import { RunStarter } from "./run-starter.ts";
import { RunsInMemory } from "./runs-in-memory.ts";
import { Schemas } from "./schemas.ts";
import { Slots } from "./slots.ts";
import { TaskCommands } from "./task-commands.ts";

const DEFAULT_STEPS = 1_024;
const DEFAULT_RUNS = 4_096;
/** How long `stop` waits for a ledger that is full or busy. */
const LAST_COMMIT_MS = 1_000;

/**
 * Drives the runs of one ledger. It owns the ledger while it is open: it starts runs, takes up those that others left, and ends
 * by handing back what is unfinished.
 */
export class Engine implements RunHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly schemas = new Schemas();
  readonly operators: OperatorRegistry;
  readonly threads: ThreadExecutor;
  readonly transactions: CallerTransactions | null;
  readonly slots: Slots;
  readonly placement: Placement;
  /** Of every run and caller of this engine; it drives those of others too. */
  readonly tenant: string;
  readonly interceptors: readonly Interceptor[];
  readonly cancelGraceMs: number;
  readonly commands: RunCommands;
  readonly tasks: TaskCommands;
  readonly reads: RunReads;
  readonly name = `${hostname()}:${process.pid}`;
  isStopping = false;
  epoch = 0;
  readonly #options: EngineOptions;
  readonly #ledger: Ledger;
  readonly #time: LedgerTime;
  readonly #catalog: Catalog;
  readonly #pickup: Pickup;
  readonly #intake: RunIntake;
  readonly #starter: RunStarter;
  readonly #runs: RunsInMemory<RunDriver>;
  readonly #ends: AwaitedEnds;
  #committer: Committer | undefined;
  #failure: StepwellError | undefined;
  #isOpen = false;
  #stopped: Promise<void> | undefined;
  #end: PromiseWithResolvers<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.clock = detached(options.clock);
    ({ random: this.random, operators: this.operators, threads: this.threads, interceptors: this.interceptors } = options);
    this.transactions = options.ledger.transactions;
    this.cancelGraceMs = options.cancelGraceMs;
    this.placement = new Placement(options.ledger, this.clock, options.operators, options.groups);
    this.slots = new Slots(options.concurrency.steps ?? DEFAULT_STEPS);
    this.#runs = new RunsInMemory(this.clock, options.concurrency.runs ?? DEFAULT_RUNS);
    const askTime = (): Promise<number> => options.ledger.waits.now();
    this.#time = new LedgerTime(this.clock, askTime, (cause) => this.#lookFailed(cause));
    this.tenant = options.tenant ?? DEFAULT_TENANT;
    const { tenant } = this;
    const outside = {
      ledger: options.ledger,
      tenant,
      schemas: this.schemas,
      expectOpen: () => this.#expectOpen(),
      newId: () => this.newId(),
      deliver: (row: InboxRow) => this.#intake.deliverAccepted(row),
      withdraw: (publicId: string) => options.queue.withdraw(publicId),
    };
    this.commands = new RunCommands(outside);
    this.tasks = new TaskCommands(outside);
    this.reads = new RunReads(options.ledger, tenant);
    this.#ends = new AwaitedEnds(options.ledger, tenant, (publicId) => this.#runs.has(publicId));
    this.#catalog = new Catalog(options.ledger, options.compile ?? compileDefinition);
    this.#intake = new RunIntake({
      host: this,
      catalog: this.#catalog,
      isShared: options.ledger.isShared,
      find: (runId) => this.#runs.get(runId),
      begin: (run) => this.#remember(run),
      claim: (runId) => options.ledger.claims.one(runId),
      lookFailed: (cause) => this.#pickup.failed(cause),
      broke: (publicId, error) => this.#breakOff(publicId, error),
    });
    this.#starter = new RunStarter({
      host: this,
      ledger: options.ledger,
      catalog: this.#catalog,
      environment: options.environment,
      tenant,
      expectOpen: () => this.#expectOpen(),
      isFull: () => this.#runs.free <= 0,
      begin: (run) => this.#remember(run),
      enqueue: (insert) => this.#committer?.add(insert),
      queued: (run) => this.#pickup.queued([run], this.#runs.free > 0),
    });
    this.#pickup = new Pickup(options.ledger, options.queue, this.placement, this.clock, this.#pickupHost());
  }

  #pickupHost(): PickupHost {
    return {
      epoch: () => this.epoch,
      freeRuns: () => (this.isStopping ? 0 : this.#runs.free),
      isNeeded: () => this.#runs.busy > 0 || this.#ends.size > 0 || this.#end !== undefined,
      offers: () => this.placement.offers,
      ledgerNow: () => this.ledgerNow(),
      takeUp: (runId, isAdmitted) => this.#intake.takeUp(runId, isAdmitted),
      deliver: (row) => this.#intake.deliver(row),
      lookAround: () => Promise.all([this.placement.refreshed(), this.#ends.lookForAll()]),
      told: (news) => this.emit(eventOf(news)),
      failed: (cause) => this.#lookFailed(cause),
    };
  }

  /**
   * Takes ownership of the ledger and takes up its unfinished runs.
   *
   * @throws StepwellError `LEDGER_OWNED`
   */
  async open(): Promise<void> {
    const { version } = this.#options;
    const identity = { name: this.name, host: hostname(), pid: process.pid, version, groups: this.placement.groups };
    const { epoch, now } = await this.#ledger.own(identity, {
      lost: (error) => this.#fail(error),
      stalled: (error, retryInMs) => {
        this.#stalled(error, retryInMs);
        this.#committer?.stalled(error);
      },
    });
    this.epoch = epoch;
    this.#time.told(now);
    this.#committer = new Committer(this.#ledger, epoch, this.clock, {
      fatal: (error) => this.#fail(error),
      stalled: (error, retryInMs) => this.#stalled(error, retryInMs),
      accepted: (rows) => this.#intake.deliverSoon(rows),
      told: (time) => this.#time.told(time),
    });
    try {
      await this.placement.refreshed();
      await this.#pickup.start();
      if (this.#failure !== undefined) throw this.#failure;
      this.#isOpen = true;
    } catch (cause) {
      // what it has taken up goes on with the engine that is opened in its place, and not here as well
      this.#giveUp(asStepwellError(cause));
      throw cause;
    }
  }

  /**
   * Stores a version of a workflow; the same content is the same version.
   *
   * @throws StepwellError `DEFINITION_INVALID`
   */
  async register(definition: Definition): Promise<Registered> {
    this.#expectOpen();
    const registered = await this.#catalog.register(this.tenant, definition, this.#options.catalog(), this.operators);
    await this.operatorsChanged();
    return registered;
  }

  /** Operators were added: runs that waited for one go on. */
  async operatorsChanged(): Promise<void> {
    for (const run of this.#runs.all()) run.operatorsChanged();
    await this.#pickup.operatorsChanged();
  }

  /**
   * Starts a run of the newest version of a workflow and returns its id once it is durable.
   *
   * @throws StepwellError `WORKFLOW_NOT_FOUND`, `INPUT_INVALID`, `IDEMPOTENCY_KEY_REUSED`, `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`, `ENGINE_STOPPED`
   */
  start(workflow: string, input: unknown, options: StartOptions = {}): Promise<string> {
    return this.#starter.start(workflow, input, options);
  }

  /**
   * Resolves with the outcome when the run has ended.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `ENGINE_STOPPED`, or what broke the run in this process
   */
  async result(publicId: string): Promise<RunOutcome> {
    this.#expectOpen();
    const ended = this.#ends.wait(publicId);
    this.#pickup.needed();
    return ended;
  }

  /**
   * Keeps the process alive until the engine has been stopped.
   *
   * @throws StepwellError what made it give up: `LEDGER_FENCED`, …
   */
  async untilStopped(): Promise<void> {
    this.#expectOpen();
    this.#end ??= Promise.withResolvers();
    this.#pickup.needed();
    return this.#end.promise;
  }

  /** Refuses new runs, lets running attempts end, hands back what is unfinished, closes the ledger once whoever else uses it has ended. */
  stop(others?: Promise<void>): Promise<void> {
    this.#stopped ??= this.#stop(others);
    return this.#stopped;
  }

  async #stop(others: Promise<void> | undefined): Promise<void> {
    this.isStopping = true;
    this.#pickup.stop();
    const stopped = new StepwellError("ENGINE_STOPPED", "the engine has stopped");
    this.#runs.dismissAll();
    for (const run of this.#runs.all()) run.advance();
    if (this.#failure === undefined) await this.#runs.emptiedOrLate(this.#options.stopGraceMs);
    for (const run of this.#runs.all()) run.handBack();
    // what is decided gets its commit, unless the ledger cannot take it now: the next engine decides it again
    await orLate(this.clock, this.#committer?.idle(), LAST_COMMIT_MS);
    this.#dropAll(stopped);
    this.#committer?.stop();
    this.#failure ??= stopped;
    await Promise.all([this.threads.close(), others, this.#options.queue.close()]);
    await this.#ledger.close();
    this.#end?.resolve();
  }

  get isCrowded(): boolean {
    return this.#runs.isCrowded;
  }

  get isHeard(): boolean {
    return this.#options.listeners.size > 0;
  }

  ledgerNow(): number {
    return this.#time.now();
  }

  newId(): string {
    return (this.#options.newRunId ?? newPublicId)(this.ledgerNow());
  }

  alarm(dueAt: number, callback: () => void): Timer {
    return this.#time.alarm(dueAt, callback);
  }

  prepareChild(request: ChildRequest, parent: ChildParent): Promise<InsertRun> {
    return this.patiently(() => this.#starter.prepareChild(request, parent));
  }

  onLanded(children: readonly InsertRun[], isNoted: boolean): void {
    this.#intake.takeUpSoon(children.filter(({ ownerEpoch }) => ownerEpoch !== null).map(({ runId }) => runId));
    const others = children.filter(({ ownerEpoch }) => ownerEpoch === null);
    if (isNoted || others.length > 0) this.#pickup.queued(others, this.#runs.free > 0);
  }

  commit(run: DrivenRun): void {
    this.#committer?.add(run);
  }

  emit(event: LifecycleEvent): void {
    tellListeners(this.#options.listeners, event);
  }

  async load(runId: number): Promise<StoredRun | undefined> {
    return this.patiently(async () => {
      const stored = await this.#ledger.loadRun(runId);
      if (stored !== undefined) this.#time.told(stored.now);
      return stored;
    });
  }

  /** Also while the engine stops. @throws StepwellError what stands in the way once it has stopped or failed */
  patiently<T>(ask: () => Promise<T>): Promise<T> {
    const isOver = (): boolean => this.#failure !== undefined;
    return patiently({ clock: this.clock, isOver, stalled: this.#stalled }, ask);
  }

  onStarted(run: DrivenRun): void {
    this.#starter.started(run.runId);
  }

  onEnded(run: DrivenRun, end: RunEnd): void {
    this.#forget(run);
    this.#ends.ended(run, end);
    this.#pickup.roomMade();
  }

  mayLinger(run: DrivenRun, sentToAt: number): boolean {
    // parked in a shared ledger, it may be another engine's at any moment
    return !this.isStopping && !this.#ledger.isShared && this.#runs.linger(run.runId, sentToAt);
  }

  onParked(run: DrivenRun, dueAt: number | null): void {
    this.#forget(run);
    this.#pickup.parked(dueAt);
    this.#pickup.roomMade();
  }

  onRefused(run: DrivenRun, error: StepwellError): void {
    run.drop(error);
    this.#forget(run);
    this.#starter.refused(run.runId, error);
  }

  onBroken(run: DrivenRun, error: StepwellError): void {
    run.drop(error);
    this.#forget(run);
    this.#breakOff(run.publicId, error);
  }

  #breakOff(publicId: string, error: StepwellError): void {
    this.#ends.broke(publicId, error);
    this.emit({ type: "run.broken", runId: publicId, error: recordError(error) });
  }

  #remember(run: RunDriver): void {
    this.#runs.add(run);
    this.#ends.isDriven(run.publicId);
    this.#pickup.needed();
  }

  #forget(run: DrivenRun): void {
    this.#runs.delete(run.runId, run.publicId);
  }

  /** The ledger cannot be trusted to take more: local work stops, callers hear why, the rows stay as they are. */
  #fail(error: StepwellError): void {
    if (this.#failure !== undefined) return;
    if (this.#isOpen) this.#options.onFailed?.(error);
    this.#giveUp(error);
    this.#end?.reject(error);
    if (this.#isOpen) this.emit({ type: "ledger.failed", error: recordError(error) });
  }

  #giveUp(error: StepwellError): void {
    this.#failure ??= error;
    this.#pickup.stop();
    this.#committer?.stop();
    this.#dropAll(error);
  }

  /** A look at a ledger that is busy or out of reach is repeated soon anyway. */
  #lookFailed(cause: unknown): void {
    const error = asStepwellError(cause);
    if (isPassing(error)) this.#stalled(error, 0);
    else this.#fail(error);
  }

  readonly #stalled = (error: StepwellError, retryInMs: number): void => {
    this.emit({ type: "ledger.stalled", error: recordError(error), retryInMs });
  };

  #dropAll(error: StepwellError): void {
    for (const run of this.#runs.all()) {
      run.drop(error);
      this.#forget(run);
    }
    this.#starter.refuseAll(error);
    this.#ends.rejectAll(error);
  }

  #expectOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.isStopping || this.#committer === undefined) throw new StepwellError("ENGINE_STOPPED", "the engine is not open");
  }
}

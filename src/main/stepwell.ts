import type {
  Concurrency,
  EngineIdentity,
  Interceptor,
  Listener,
  PublishOptions,
  PublishResult,
  RunOutcome,
  RunPageResult,
  RunResult,
  SignalOptions,
  StartOptions,
} from "../engine/api.ts";
import { Engine } from "../engine/engine.ts";
import type { RunExplanation } from "../engine/explain/explanation.ts";
import { tellListeners } from "../engine/listeners.ts";
import { OperatorRegistry } from "../engine/operators.ts";
import { orLate } from "../engine/or-late.ts";
import { patiently } from "../engine/patiently.ts";
import { PlacementCommands } from "../engine/placement-commands.ts";
import type { Pruner } from "../engine/pruner.ts";
import { recordError } from "../engine/recorded-error.ts";
import { systemClock } from "../engine/system-clock.ts";
import type { TaskCommands } from "../engine/task-commands.ts";
import { DEFAULT_TENANT } from "../ledger/placement.ts";
import type { Ledger } from "../ledger/port.ts";
import { invariant, StepwellError } from "../model/errors.ts";
import type { Problem } from "../model/problem.ts";
import { type RetentionOptions, type RetentionPolicy, retentionPolicy } from "../model/retention.ts";
import type { RunStatus } from "../model/status.ts";
import { builtInDefinitions, catalogOf } from "../operators/definitions.ts";
import { type BuiltInExecutors, createBuiltInExecutors } from "../operators/executors.ts";
import type { Operator, ResumableOperator } from "../operators/operator.ts";
import { createThreads } from "../operators/thread/threads.ts";
import type { Queue } from "../queue/port.ts";
import type { Definition } from "../workflow/graph.ts";
import { closeGround, type Ground, openGround } from "./ground.ts";
import { openArchive, startPruning } from "./pruning.ts";
import { VERSION } from "./version.ts";

/** How long `stop` waits for a transaction that deletes what is kept no longer. */
const LAST_PRUNE_MS = 1_000;

export interface StepwellOptions {
  /** A PostgreSQL database (`postgres://…`), a SQLite file (`sqlite:PATH` or a plain path), `memory:`, or an open ledger. Default `sqlite:.stepwell/ledger.db`. */
  readonly ledger?: string | Ledger;
  /** What wakes engines for runs that wait: `ledger`, a Redis (`redis://…` or `rediss://…`, with BullMQ), or an open queue. Default `ledger`. */
  readonly queue?: string | Queue;
  /** Functions by the name that `uses` gives. */
  readonly operators?: Readonly<Record<string, Operator<never> | ResumableOperator<never>>>;
  /** The module that `operators` came from, so that `isolation: thread` finds them. */
  readonly operatorModule?: string;
  readonly concurrency?: Concurrency;
  /** Around every attempt, the first one outermost. */
  readonly interceptors?: readonly Interceptor[];
  /** Whose runs are started and read here; runs of all tenants are driven. Default `default`. */
  readonly tenant?: string;
  /** The worker groups whose runs it drives in a ledger that many share; what has a file to itself drives every run. Default: every run. */
  readonly groups?: readonly string[];
  /** Kept with every run. Default `production`. */
  readonly environment?: string;
  /** Which runs are deleted some time after their end. Default: none. */
  readonly retention?: RetentionOptions;
  /** A folder where runs are written, as lines of JSON, before `retention` deletes them. Default: they are written nowhere. */
  readonly archive?: string;
  /** Milliseconds that a cancelled or timed-out run waits for its operators. Default 30,000. */
  readonly cancelGraceMs?: number;
  /** Milliseconds that `stop` waits for running attempts. Default 10,000. */
  readonly stopGraceMs?: number;
}

/** A definition with functions of its own: what the builder's `build()` gives. */
export interface BuiltDefinition {
  readonly definition: Definition;
  readonly operators: Readonly<Record<string, Operator<never>>>;
}

export interface RunFilter {
  readonly status?: RunStatus;
  readonly workflow?: string;
  /** From the page before. */
  readonly cursor?: string;
  /** Default 50. */
  readonly limit?: number;
}

/**
 * Durable workflows inside this process, over one ledger. Opens the ledger with the first call; from then on it also drives the
 * unfinished runs that it finds there.
 */
export class Stepwell {
  readonly #options: StepwellOptions;
  readonly #policy: RetentionPolicy;
  readonly #registry = new OperatorRegistry();
  readonly #builtIn: BuiltInExecutors = createBuiltInExecutors();
  readonly #listeners = new Set<Listener>();
  #engine: Promise<Engine> | undefined;
  #open: Engine | undefined;
  #ground: Ground | undefined;
  readonly #threads = createThreads();
  #pruner: Pruner | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws StepwellError `DURATION_INVALID` or `USAGE` for a retention that cannot be read */
  constructor(options: StepwellOptions = {}) {
    this.#options = options;
    this.#policy = retentionPolicy(options.retention ?? {});
    for (const [name, load] of this.#builtIn.operators) this.#registry.registerLazy(name, load);
    this.#addOperators(options.operators ?? {}, options.operatorModule);
  }

  /**
   * Opens the ledger and takes up its unfinished runs; every other call does so when it has not happened yet. Resolves with how
   * this engine is known in the ledger.
   *
   * @throws StepwellError `LEDGER_OWNED` while another engine has the file, or what opening the ledger and the queue raises
   */
  async open(): Promise<EngineIdentity> {
    const { name, epoch } = await this.#ready();
    return { name, epoch };
  }

  /**
   * Drives runs until `stop` has been called; the process stays alive meanwhile, also while there is nothing to do. On a shared ledger an
   * engine that lost its lease begins anew.
   *
   * @throws StepwellError what makes it give up: `LEDGER_FENCED` when another engine has taken its file, `LEDGER_IO`, …
   */
  untilStopped(): Promise<void> {
    return this.#across((engine) => engine.untilStopped());
  }

  /**
   * Validates a workflow and stores it as a version; the same content is stored once. Resolves with the warnings.
   *
   * @throws StepwellError `DEFINITION_INVALID` with every problem in `data.problems`
   */
  async register(workflow: Definition | BuiltDefinition): Promise<readonly Problem[]> {
    const engine = await this.#ready();
    if (!isBuilt(workflow)) return (await engine.register(workflow)).warnings;
    this.#addOperators(workflow.operators, undefined);
    return (await engine.register(workflow.definition)).warnings;
  }

  /**
   * Starts a run of the newest version of a workflow and resolves with its id once the run is durable.
   *
   * @throws StepwellError `WORKFLOW_NOT_FOUND`, `INPUT_INVALID`, `IDEMPOTENCY_KEY_REUSED`; `LEDGER_BUSY`, `LEDGER_FULL` or `LEDGER_UNREACHABLE`
   *   when nothing was started because the ledger takes nothing now. A start whose commit is on its way waits for what becomes of it.
   */
  start(workflow: string, input?: unknown, options?: StartOptions): Promise<string> {
    return this.#open?.start(workflow, input, options) ?? this.#ready().then((engine) => engine.start(workflow, input, options));
  }

  /**
   * Resolves when the run has ended, however it ended.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `ENGINE_STOPPED`
   */
  result(runId: string): Promise<RunOutcome> {
    return this.#across((engine) => engine.result(runId));
  }

  /** A run with all its steps as the ledger has them; undefined when there is none. */
  async get(runId: string): Promise<RunResult | undefined> {
    return (await this.#ready()).reads.get(runId);
  }

  /**
   * What each unfinished step of a run waits for, typed and as a sentence.
   *
   * @throws StepwellError `RUN_NOT_FOUND`
   */
  async explain(runId: string): Promise<RunExplanation> {
    return (await this.#ready()).reads.explain(runId);
  }

  /** Runs, newest first. */
  async list(filter: RunFilter = {}): Promise<RunPageResult> {
    return (await this.#ready()).reads.list({ limit: 50, ...filter });
  }

  /**
   * Cancels a run; the cancel is durable when this resolves.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  async cancel(runId: string, actor = "api"): Promise<void> {
    await (await this.#ready()).commands.cancel(runId, actor);
  }

  /**
   * Holds a run: nothing of it starts and no wait of it ends before `resume`. Attempts that execute end and are recorded.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  async pause(runId: string, actor = "api"): Promise<void> {
    await (await this.#ready()).commands.pause(runId, actor);
  }

  /**
   * Lets a run go on that was paused, or that is held because it took down several engines without progress (`quarantined`).
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  async resume(runId: string, actor = "api"): Promise<void> {
    await (await this.#ready()).commands.resume(runId, actor);
  }

  /**
   * Opens a FAILED run again: the steps that failed it get another attempt, and what fell with them is decided anew.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_NOT_FAILED`
   */
  async retry(runId: string, actor = "api"): Promise<void> {
    await (await this.#ready()).commands.retry(runId, actor);
  }

  /** Where runs and steps go, and what tenants are given. */
  async placement(): Promise<PlacementCommands> {
    await this.#ready();
    invariant(this.#ground !== undefined, "an engine that is open has a ledger");
    return new PlacementCommands(this.#ground.ledger);
  }

  /** What people and remote workers do with the tasks that steps wait for: list, approve, reject, poll, complete, … */
  async tasks(): Promise<TaskCommands> {
    return (await this.#ready()).tasks;
  }

  /**
   * Sends a named signal to a run; it is durable when this resolves, delivered once, in the order of acceptance, and kept until
   * the run waits for it.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`, `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`
   */
  async signal(runId: string, name: string, payload?: unknown, options: SignalOptions = {}): Promise<void> {
    await (await this.#ready()).commands.signal(runId, name, payload, options);
  }

  /**
   * Publishes an event to every waiting step whose `where` it matches; one that nobody waits for is kept for the first who does.
   *
   * @throws StepwellError `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`, `DURATION_INVALID`, `USAGE`
   */
  async publish(event: string, data?: unknown, options: PublishOptions = {}): Promise<PublishResult> {
    return (await this.#ready()).commands.publish(event, data, options);
  }

  /** Tells the listener what happens from now on, after it is durable; returns a function that ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Refuses new runs, lets running attempts end, hands back what is unfinished and closes the ledger. */
  async stop(): Promise<void> {
    if (this.#engine === undefined) return;
    this.#stopped ??= this.#stop(this.#engine);
    await this.#stopped;
  }

  async #stop(opening: Promise<Engine>): Promise<void> {
    const engine = this.#open ?? (await opening.catch(() => undefined));
    const pruned = orLate(systemClock, this.#pruner?.stop(), LAST_PRUNE_MS);
    try {
      await (engine === undefined ? this.#ground && closeGround(this.#ground) : engine.stop(pruned));
    } finally {
      await this.#builtIn.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #ready(): Promise<Engine> {
    this.#engine ??= this.#start().catch((cause: unknown) => {
      this.#engine = undefined;
      throw cause;
    });
    return this.#engine;
  }

  async #start(): Promise<Engine> {
    const ground = await openGround(this.#options);
    try {
      const { tenant = DEFAULT_TENANT, archive: folder } = this.#options;
      const archive = await openArchive(folder, ground.ledger, tenant, true);
      const engine = await this.#begin(ground);
      this.#ground = ground;
      this.#pruner = startPruning(ground.ledger, { tenant, policy: this.#policy }, archive, this.#listeners);
      return engine;
    } catch (cause) {
      await closeGround(ground);
      throw cause;
    }
  }

  async #begin(ground: Ground): Promise<Engine> {
    for (;;) {
      const engine = this.#engineOn(ground);
      try {
        await engine.open();
        this.#open = engine;
        return engine;
      } catch (cause) {
        // the lease ran out before it was open
        const isFenced = cause instanceof StepwellError && cause.code === "LEDGER_FENCED";
        if (!isFenced || !ground.ledger.isShared || this.#stopped !== undefined) throw cause;
      }
    }
  }

  #engineOn(ground: Ground): Engine {
    const { concurrency = {}, interceptors = [], environment = "production" } = this.#options;
    const { cancelGraceMs = 30_000, stopGraceMs = 10_000, tenant = DEFAULT_TENANT, groups } = this.#options;
    return new Engine({
      ...ground,
      operators: this.#registry,
      catalog: () => catalogOf(builtInDefinitions, this.#registry.registeredNames()),
      threads: this.#threads,
      clock: systemClock,
      random: Math.random,
      environment,
      tenant,
      ...(groups !== undefined && { groups }),
      version: VERSION,
      concurrency,
      listeners: this.#listeners,
      interceptors,
      cancelGraceMs,
      stopGraceMs,
      onFailed: (error) => this.#failed(error, ground),
    });
  }

  /** In a shared ledger who lost a lease has lost its runs, and nothing else. */
  #failed({ code }: StepwellError, ground: Ground): void {
    if (!ground.ledger.isShared || code !== "LEDGER_FENCED" || this.#stopped !== undefined) return;
    this.#open = undefined;
    this.#engine = this.#beginAnew(ground);
    // whoever asks next hears what became of it
    this.#engine.catch(() => undefined);
  }

  /** Waits for a ledger that is out of reach, as the one that lost its lease may still be. */
  async #beginAnew(ground: Ground): Promise<Engine> {
    const patience = {
      clock: systemClock,
      isOver: () => this.#stopped !== undefined,
      stalled: (error: StepwellError, retryInMs: number) =>
        tellListeners(this.#listeners, { type: "ledger.stalled", error: recordError(error), retryInMs }),
    };
    const engine = await patiently(patience, () => this.#begin(ground));
    tellListeners(this.#listeners, { type: "ledger.owned", epoch: engine.epoch });
    return engine;
  }

  /** Asks the engine that is at work, and again the one that follows it. */
  async #across<T>(ask: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const engine = await this.#ready();
      try {
        return await ask(engine);
      } catch (cause) {
        const isFenced = cause instanceof StepwellError && cause.code === "LEDGER_FENCED";
        if (!isFenced || engine === this.#open || this.#stopped !== undefined) throw cause;
      }
    }
  }

  #addOperators(operators: Readonly<Record<string, Operator<never> | ResumableOperator<never>>>, moduleUrl: string | undefined): void {
    for (const [name, execute] of Object.entries(operators)) {
      this.#registry.register(name, execute, moduleUrl === undefined ? null : { url: moduleUrl, exportName: name });
    }
  }
}

function isBuilt(workflow: Definition | BuiltDefinition): workflow is BuiltDefinition {
  return "definition" in workflow && "operators" in workflow && !("steps" in workflow);
}

import { createHash } from "node:crypto";
import type { LifecycleEvent, RunOutcome } from "../../src/engine/api.ts";
import { Engine } from "../../src/engine/engine.ts";
import { OperatorRegistry } from "../../src/engine/operators.ts";
import { isTerminalRun, isTerminalStep } from "../../src/model/status.ts";
import { builtInDefinitions, catalogOf } from "../../src/operators/definitions.ts";
import { LEDGER_QUEUE } from "../../src/queue/ledger/ledger-queue.ts";
import type { Compile } from "../../src/workflow/index.ts";
import { Faults } from "./faults.ts";
import { operatorsOf } from "./operator.ts";
import type { CommitPoint } from "./oracle/commit-points.ts";
import { DurableLog } from "./oracle/durable-log.ts";
import { EffectSink } from "./oracle/effect-sink.ts";
import type { Side } from "./oracle/write-points.ts";
import type { Pieces } from "./pieces.ts";
import type { Program } from "./programs/construct.ts";
import { SimLedger, type Storage } from "./storage/sim-ledger.ts";
import { openStore, type Store, type StoreKind } from "./storage/store.ts";
import { Kernel } from "./time/kernel.ts";
import { Prng } from "./time/prng.ts";
import { SimProcess } from "./time/process.ts";

/** A process with its handle of the ledger. */
export interface Connected {
  readonly process: SimProcess;
  readonly ledger: SimLedger;
}

/** An engine in its process. */
export interface Incarnation extends Connected {
  readonly engine: Engine;
}

const RESTART_MS = 400;
const CANCEL_GRACE_MS = 500;
/** Characters of the trace that are digested in one piece. */
const TRACED_AT_ONCE = 65_536;

/** What makes one world. */
export interface Scene {
  readonly seed: number;
  readonly ledger: StoreKind;
  /** What its programs may be made of: see `NEWEST_VOCABULARY`. */
  readonly vocabulary: number;
  readonly pieces: Pieces;
  readonly compile: Compile;
  /** Hears the trace, line by line. */
  readonly listen: (line: string) => void;
}

/** Everything that one seed makes: time, the ledger, the processes that come and go, and those who watch. */
export class World implements Storage {
  readonly prng: Prng;
  /** For those who joined the world later: they draw nothing that others drew before. */
  readonly aside: Prng;
  readonly kernel: Kernel;
  readonly store: Store;
  readonly faults: Faults;
  readonly log: DurableLog;
  readonly sink: EffectSink;
  readonly looks = new Set<SimLedger>();
  readonly programs = new Map<string, Program>();
  readonly story: string[] = [];
  crashes = 0;
  /** What every wall clock shows beyond the true time once all is calm: time that stood still for the ledger goes on. */
  #calmSkewMs = 0;
  readonly #processes = new Set<SimProcess>();
  /** The engine that is open now. */
  current: Incarnation | undefined;
  readonly #trace = createHash("sha256");
  #untraced = "";
  readonly #jitter: Prng;
  readonly #compile: Compile;
  readonly #listen: (line: string) => void;
  #incarnations = 0;
  #ids = 0;
  #elsewhere: Promise<Connected> | undefined;
  readonly #arrived: (() => void)[] = [];

  constructor({ seed, ledger: kind, vocabulary, pieces, compile, listen }: Scene) {
    this.#compile = compile;
    this.#listen = listen;
    this.prng = new Prng(seed);
    this.aside = new Prng(~seed);
    this.kernel = new Kernel(this.prng.fork(), vocabulary);
    this.faults = new Faults(this.prng.fork(), vocabulary, pieces);
    this.#jitter = this.prng.fork();
    this.store = openStore(kind, this.kernel);
    this.log = new DurableLog(this.programs, () => this.kernel.nowMs);
    this.sink = new EffectSink(this.log, this.programs);
  }

  get hasZombies(): boolean {
    return this.store.hasZombies;
  }

  verifyCheaply(): Promise<readonly string[]> {
    return this.store.isCheap ? this.store.verify() : Promise.resolve([]);
  }

  /** Holds the ledger against its invariants. */
  async verify(): Promise<void> {
    for (const what of await this.store.verify()) this.log.violated("ledger", what);
  }

  trace(line: string): void {
    this.#listen(line);
    this.#untraced += `${line}\n`;
    if (this.#untraced.length > TRACED_AT_ONCE) this.#flushTrace();
  }

  tell(line: string): void {
    this.story.push(`${String(this.kernel.nowMs % 1_000_000_000).padStart(9)} ${line}`);
    this.trace(line);
  }

  #flushTrace(): void {
    this.#trace.update(this.#untraced);
    this.#untraced = "";
  }

  digest(): string {
    this.#flushTrace();
    return this.#trace.digest("hex");
  }

  newId(): string {
    return `run-${++this.#ids}`;
  }

  crashed(process: SimProcess, at: CommitPoint, side: Side): void {
    this.crashes += 1;
    this.tell(`${process.name} dies ${side} ${at}`);
    process.die();
  }

  refused({ name }: SimProcess): void {
    this.log.memory.refused(name, this.kernel.nowMs);
  }

  /** Whether the process dies here, outside the ledger. */
  dies(process: SimProcess, at: CommitPoint, side: Side): boolean {
    if (!process.isAlive || this.faults.strikes([at], side) === undefined) return false;
    this.crashed(process, at, side);
    return true;
  }

  newProcess(name: string): SimProcess {
    const process = new SimProcess(this.kernel, name);
    this.#processes.add(process);
    process.whenDead(() => this.#processes.delete(process));
    this.#setWall(process, this.faults.isOn ? this.faults.wallJumpMs() : this.#calmSkewMs);
    process.earlyMs = this.faults.swarm.earlyTimers && this.faults.isOn ? 1 : 0;
    return process;
  }

  /** All faults are off. Wall clocks are set to the latest time that any of them has shown. */
  calm(): void {
    this.faults.isOn = false;
    for (const process of this.#processes) process.wallSkewMs = this.#calmSkewMs;
  }

  #setWall(process: SimProcess, skewMs: number): void {
    process.wallSkewMs = skewMs;
    this.#calmSkewMs = Math.max(this.#calmSkewMs, skewMs);
  }

  /** Connects a process to the ledger; its death leaves the connection without ceremony. */
  async connect(process: SimProcess): Promise<SimLedger> {
    const ledger = new SimLedger(process, this, await this.store.connect(process));
    process.whenDead(() => ledger.abandon());
    return ledger;
  }

  /** Keeps an engine open: when its process dies or it gives up, another begins after a while. */
  supervise(): void {
    this.kernel.after(this.#jitter.int(RESTART_MS), null, async () => {
      const process = this.newProcess(`engine-${++this.#incarnations}`);
      const ledger = await this.connect(process);
      process.whenDead(() => {
        if (this.current?.process === process) this.current = undefined;
        this.supervise();
      });
      const engine = this.#engine(process, ledger);
      // opened in a turn of its own: it waits for the ledger, and time must go on meanwhile
      void this.#open({ process, engine, ledger });
    });
  }

  /** The open engine, now or when there is one. */
  async engine(): Promise<Incarnation> {
    while (this.current === undefined) await new Promise<void>((resolve) => this.#arrived.push(resolve));
    return this.current;
  }

  /** Another process that writes through a handle of its own; when it dies, the next one takes its place. */
  elsewhere(): Promise<Connected> {
    this.#elsewhere ??= this.#connectElsewhere();
    return this.#elsewhere;
  }

  async #connectElsewhere(): Promise<Connected> {
    const process = this.newProcess("elsewhere");
    process.whenDead(() => {
      this.#elsewhere = undefined;
    });
    return { process, ledger: await this.connect(process) };
  }

  async #open(incarnation: Incarnation): Promise<void> {
    const { process, engine } = incarnation;
    try {
      await engine.open();
      if (!process.isAlive) return;
      this.tell(`${process.name} is open`);
      this.current = incarnation;
      for (const arrived of this.#arrived.splice(0)) this.kernel.soon(null, arrived);
      this.#disturb(incarnation);
    } catch (error) {
      this.trace(`${process.name} does not open: ${String(error)}`);
      process.die();
    }
  }

  /** What happens to a process besides the ledger: its wall clock jumps, somebody stops it in order. */
  #disturb({ process, engine }: Incarnation): void {
    this.kernel.after(this.#jitter.int(2_000), process, () => {
      if (this.faults.isOn) this.#setWall(process, process.wallSkewMs + this.faults.wallJumpMs());
    });
    if (!this.faults.chance(this.faults.swarm.orderlyStops)) return;
    this.kernel.after(this.#jitter.int(3_000), process, () => {
      if (!this.faults.isOn || this.dies(process, "C36", "before")) return;
      this.tell(`${process.name} is stopped in order`);
      if (this.current?.process === process) this.current = undefined;
      this.kernel.after(this.#jitter.int(20), process, () => void this.dies(process, "C36", "after"));
      void engine.stop().then(
        () => process.die(),
        () => process.die(),
      );
    });
  }

  #engine(process: SimProcess, ledger: SimLedger): Engine {
    const operators = new OperatorRegistry();
    for (const [name, operator] of Object.entries(operatorsOf(this, process))) operators.register(name, operator);
    const { steps, runs } = this.faults.swarm;
    return new Engine({
      ledger,
      queue: LEDGER_QUEUE,
      operators,
      catalog: () => catalogOf(builtInDefinitions, ["act", "hold"]),
      compile: this.#compile,
      threads: { run: () => Promise.reject(new Error("no threads here")), close: () => Promise.resolve() },
      clock: process,
      random: this.#jitter.random,
      newRunId: () => this.newId(),
      environment: "simulation",
      version: "0",
      concurrency: { steps, runs },
      listeners: new Set([(event: LifecycleEvent) => this.#heard(process, event)]),
      interceptors: [],
      cancelGraceMs: CANCEL_GRACE_MS,
      stopGraceMs: this.#jitter.int(1_000),
    });
  }

  /** What an engine tells must be durable already. */
  #heard(process: SimProcess, event: LifecycleEvent): void {
    // it may die within a call that goes on to tell: nobody hears that
    if (!process.isAlive) return;
    this.trace(`${process.name} tells ${event.type}`);
    if (event.type === "ledger.failed") {
      this.tell(`${process.name} gives up: ${event.error.code}`);
      process.die();
    } else if (event.type === "run.broken") {
      this.log.violated("P2", `run ${event.runId} is broken: ${event.error.code} ${event.error.message}`);
    } else if (event.type === "run.ended") {
      const status = this.log.byPublicId.get(event.run.id)?.status;
      if (status !== event.status) this.log.violated("P1", `the end of run ${event.run.id} was told while it was ${status}`);
    } else if (event.type === "step.settled") {
      const step = this.log.byPublicId.get(event.run.id)?.byPath.get(event.step);
      if (step === undefined || !isTerminalStep(step.status))
        this.log.violated("P1", `the end of step ${event.step} was told before it was durable`);
    }
  }

  /** A caller has heard how a run ended. */
  answered({ id, status }: RunOutcome): void {
    const track = this.log.byPublicId.get(id);
    if (track === undefined || track.status !== status || !isTerminalRun(track.status))
      this.log.violated("P1", `run ${id} was answered ${status} while it was ${track?.status}`);
  }
}

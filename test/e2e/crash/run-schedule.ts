import { rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../src/engine/system-clock.ts";
import type { Ledger } from "../../../src/ledger/port.ts";
import { openSqliteLedger } from "../../../src/ledger/sqlite/ledger.ts";
import { randomFrom } from "../seeded-random.ts";
import { TENANT, type Violation } from "./book.ts";
import type { Crash } from "./crash-points.ts";
import type { EngineProcess, WarmEngines } from "./engine-host.ts";
import { judge, judgeCalls } from "./judge.ts";
import { Outside } from "./outside.ts";
import { RowRules } from "./row-rules.ts";
import type { EnginePlan, Passages, Schedule } from "./schedule.ts";
import type { EffectSink } from "./sink.ts";

/** Where schedules are run, one after the other. */
export interface Place {
  readonly directory: string;
  readonly sink: EffectSink;
  readonly engines: WarmEngines;
}

export interface Finding {
  readonly seed: number;
  readonly crashes: readonly Crash[];
  readonly runs: number;
  /** Effects at the sink, one for each key. */
  readonly effects: number;
  readonly calls: number;
  readonly violations: readonly Violation[];
  /** Of the last engine: how often it passed each side of each point. */
  readonly passages: Passages;
}

/** Leases and waits have their times too: what nobody announces is looked for this often. */
const TICK_MS = 40;
/** Nothing in a schedule takes as long, so whatever has not ended by then never will. */
const STUCK_MS = 20_000;
/** More engines than any schedule has use for. */
const MOST_ENGINES = 12;

/** Runs engines until everything has ended and tells what was wrong. */
export async function runSchedule(schedule: Schedule, place: Place): Promise<Finding> {
  return new ScheduleRun(schedule, place).run();
}

class ScheduleRun {
  readonly #schedule: Schedule;
  readonly #place: Place;
  readonly #file: string;
  readonly #crashes: Crash[] = [];
  #engine: EngineProcess | undefined;
  #ledger: Ledger | undefined;
  #outside: Outside | undefined;
  #rules: RowRules | undefined;
  #passages: Passages = {};
  #hasAllEnded = false;
  readonly #accidents: Violation[] = [];
  #wake: () => void = () => undefined;

  constructor(schedule: Schedule, place: Place) {
    this.#schedule = schedule;
    this.#place = place;
    this.#file = join(place.directory, `ledger-${schedule.seed}.db`);
  }

  async run(): Promise<Finding> {
    const { sink } = this.#place;
    sink.calls = [];
    sink.onCall = () => this.#wake();
    sink.look = async (run, path) => (await this.#ledger?.listSteps(TENANT, run))?.find((step) => step.path === path);
    for (let index = 0; !this.#isOver(); index++) {
      if (index === MOST_ENGINES) this.#accidents.push({ wrong: "lost", what: `${MOST_ENGINES} engines were not enough` });
      else await this.#live(this.#schedule.engines[index] ?? { crash: null, stopAfter: null });
    }
    return this.#finding();
  }

  #isOver(): boolean {
    return this.#accidents.length > 0 || (this.#hasAllEnded && this.#engine?.hasStopped === true);
  }

  /** One engine, from its begin to its end. */
  async #live({ crash, stopAfter }: EnginePlan): Promise<void> {
    const engine = this.#place.engines.take();
    this.#engine = engine;
    engine.onSaid = (said) => {
      if (said?.say === "done" || said?.say === "refused") this.#outside?.heard(said);
      if (said?.say === "broken") this.#accidents.push({ wrong: "lost", what: said.what });
      this.#wake();
    };
    const { runs, areCommitsSlow } = this.#schedule;
    engine.begin({ ledger: this.#file, sink: this.#place.sink.url, crash, runs, areCommitsSlow });
    const isStuck = await this.#attend(engine, stopAfter);
    if (isStuck) this.#accidents.push({ wrong: "lost", what: `nothing happens any more: ${await this.#whatIsOpen()}` });
    if (this.#accidents.length > 0) engine.kill();
    await engine.ended();
    if (engine.crash !== undefined) this.#crashes.push(engine.crash);
    else if (engine.hasStopped) this.#passages = engine.counts;
    else this.#accidents.push({ wrong: "other", what: `an engine ended by itself with exit code ${engine.exitCode}` });
    this.#outside?.engineDied();
    await this.#rules?.check();
  }

  /** Plays the outside until the engine has ended; tells whether it does nothing any more. */
  async #attend(engine: EngineProcess, stopAfter: number | null): Promise<boolean> {
    let looks = 0;
    let isStopping = false;
    let lastChange = performance.now();
    while (!engine.hasEnded) {
      const woken = await this.#wakeOrTick();
      if (woken) lastChange = performance.now();
      if (performance.now() - lastChange > STUCK_MS || this.#accidents.length > 0) return this.#accidents.length === 0;
      if (!engine.isOpen || isStopping) continue;
      const outside = await this.#people();
      this.#hasAllEnded = await outside.look();
      looks += 1;
      isStopping = this.#hasAllEnded || looks === stopAfter;
      if (isStopping) outside.stopEngine();
    }
    return false;
  }

  async #people(): Promise<Outside> {
    this.#ledger ??= await openSqliteLedger({ file: this.#file, busyTimeoutMs: 10_000 });
    const random = randomFrom(this.#schedule.seed + 1);
    this.#outside ??= new Outside(this.#ledger, this.#schedule, random, (command) => this.#engine?.ask(command));
    this.#rules ??= new RowRules(this.#ledger, this.#outside.book);
    return this.#outside;
  }

  /** True when somebody said something. */
  #wakeOrTick(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = systemClock.setTimer(TICK_MS, () => resolve(false));
      this.#wake = () => {
        timer.cancel();
        resolve(true);
      };
    });
  }

  async #whatIsOpen(): Promise<string> {
    const open: string[] = [];
    for (const { id, key, ended } of this.#outside?.book.runs.values() ?? []) {
      if (ended !== undefined) continue;
      const run = await this.#ledger?.getRun(TENANT, id);
      const steps = (await this.#ledger?.listSteps(TENANT, id)) ?? [];
      open.push(`${key} ${run?.status} (${run?.reason}) ${steps.map(({ path, status }) => `${path} ${status}`).join(", ")}`);
    }
    return open.join("; ");
  }

  async #finding(): Promise<Finding> {
    const { sink } = this.#place;
    const book = this.#outside?.book;
    if (book !== undefined) judgeCalls(book, sink.calls);
    if (this.#ledger !== undefined && book !== undefined && this.#accidents.length === 0)
      await judge(this.#ledger, book, this.#schedule.starts, sink.calls);
    await this.#ledger?.close();
    await Promise.all(["", "-wal", "-shm", "-lock"].map((suffix) => rm(this.#file + suffix, { force: true })));
    return {
      seed: this.#schedule.seed,
      crashes: this.#crashes,
      runs: book?.runs.size ?? 0,
      effects: new Set(sink.calls.filter(({ isAccepted }) => isAccepted).map(({ key }) => key)).size,
      calls: sink.calls.length,
      violations: [...(book?.violations ?? []), ...this.#accidents],
      passages: this.#passages,
    };
  }
}

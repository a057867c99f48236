import { ok, deepStrictEqual as same } from "node:assert/strict";
import { decisionKind, decisionStep } from "../../src/scheduler/decision.ts";
import type { RestoredStep } from "../../src/scheduler/restore.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import type { Ending } from "../../src/scheduler/state.ts";
import { createTopology, type GraphShape, type Topology } from "../../src/scheduler/topology.ts";
import { NaiveModel } from "./naive-model.ts";
import { type Draw, pick, selectionOf } from "./random-graphs.ts";

/** Runs the scheduler and the naive model side by side on the same facts and compares them after each; a difference throws. */
export class Lockstep {
  readonly graph: GraphShape;
  readonly topology: Topology;
  readonly model: NaiveModel;
  scheduler: Scheduler;
  facts = 0;
  readonly #settled: Set<number> = new Set();
  readonly #offered: Set<number> = new Set();
  #ready: readonly number[] = [];

  constructor(graph: GraphShape) {
    this.graph = graph;
    this.topology = createTopology(graph);
    this.model = new NaiveModel(graph);
    this.scheduler = new Scheduler(this.topology);
    this.scheduler.begin();
    this.#compare();
  }

  /** A random fact that is possible now; returns false when the run is complete. */
  step(draw: Draw, failures: number): boolean {
    if (this.scheduler.isComplete()) return false;
    const open = this.open();
    ok(open.length > 0, "a run that is not complete has a step to go on with");
    const step = pick(open, draw);
    if (this.model.status[step] === "PENDING") this.#answer(step, draw, failures);
    else if (this.model.status[step] === "SUSPENDED") this.resume(step);
    else this.#progress(step, draw, failures);
    return true;
  }

  /** Steps that are ready, running or suspended. */
  open(): readonly number[] {
    const active = this.graph.steps.flatMap((_, step) => (isActive(this.model.status[step]) ? [step] : []));
    return [...active, ...this.#ready];
  }

  start(step: number): void {
    for (const source of this.model.sourcesOf(step)) {
      ok(isFinal(this.model.status[source]), `step ${step} starts before step ${source} has settled`);
    }
    this.#fact(
      () => this.scheduler.markRunning(step),
      () => this.model.tell(step, "RUNNING", null),
    );
  }

  succeed(step: number, selected: readonly number[]): void {
    this.#settle(
      step,
      () => this.scheduler.markSucceeded(step, selected),
      () => this.model.tell(step, "SUCCEEDED", null, selected),
    );
  }

  fail(step: number): void {
    this.#settle(
      step,
      () => same(this.scheduler.markFailed(step), this.graph.steps[step]?.onError === "skip" ? "SKIPPED" : "FAILED"),
      () => this.model.fail(step),
    );
  }

  skip(step: number): void {
    this.#settle(
      step,
      () => this.scheduler.markSkipped(step),
      () => this.model.tell(step, "SKIPPED", "when"),
    );
  }

  suspend(step: number): void {
    this.#fact(
      () => this.scheduler.markSuspended(step),
      () => this.model.tell(step, "SUSPENDED", "retry"),
    );
  }

  resume(step: number): void {
    this.#fact(
      () => this.scheduler.markResumed(step),
      () => this.model.tell(step, "RUNNING", null),
    );
  }

  end(ending: Ending): void {
    this.#fact(
      () => endRun(this.scheduler, ending),
      () => this.model.end(ending),
    );
  }

  /** What the ledger holds after the last commit: every step but those that are PENDING. */
  rows(): readonly RestoredStep[] {
    return this.graph.steps.flatMap((_, ordinal) => {
      const status = this.model.status[ordinal] ?? "PENDING";
      const selected = status === "SUCCEEDED" ? (this.model.selected.get(ordinal) ?? null) : null;
      return status === "PENDING" ? [] : [{ ordinal, status, selected }];
    });
  }

  /** Rebuilds the scheduler from the rows, checks that it decides nothing but what is ready, and goes on with it. */
  restart(): void {
    const before = observe(this.scheduler, this.graph);
    this.scheduler = Scheduler.restore(this.topology, this.rows(), { ending: this.model.ending });
    same(observe(this.scheduler, this.graph), before);
    const decisions = this.scheduler.drain();
    same(decisions.map(decisionStep), this.#ready);
    ok(decisions.every((decision) => decisionKind(decision).kind === "ready"));
  }

  #answer(step: number, draw: Draw, failures: number): void {
    const answer = draw(10);
    if (answer === 0) this.skip(step);
    else if (answer === 1) this.succeed(step, selectionOf(this.graph, step, draw));
    else if (answer === 2 && draw(100) < failures) this.fail(step);
    else this.start(step);
  }

  #progress(step: number, draw: Draw, failures: number): void {
    if (this.model.ending !== null && draw(2) === 0) {
      this.#settle(
        step,
        () => this.scheduler.markCancelled(step),
        () => this.model.tell(step, "CANCELLED", "run_cancelled"),
      );
    } else if (draw(100) < failures) this.fail(step);
    else if (draw(6) === 0) this.suspend(step);
    else this.succeed(step, selectionOf(this.graph, step, draw));
  }

  #settle(step: number, tellScheduler: () => void, tellModel: () => void): void {
    ok(!this.#settled.has(step), `step ${step} settles twice`);
    this.#settled.add(step);
    this.#fact(tellScheduler, tellModel);
  }

  #fact(tellScheduler: () => void, tellModel: () => void): void {
    this.facts += 1;
    tellScheduler();
    tellModel();
    this.#compare();
  }

  #compare(): void {
    this.#ready = this.model.ready();
    for (const decision of this.scheduler.drain()) this.#check(decisionStep(decision), decision);
    const statuses = this.graph.steps.map((_, step) => this.scheduler.statusOf(step));
    same(statuses, this.model.status);
    same(this.scheduler.readySteps(), this.#ready);
    same(
      this.#ready.filter((step) => !this.#offered.has(step)),
      [],
      "a step may start and was not decided READY",
    );
    same(this.scheduler.isComplete(), this.model.isComplete());
    ok(!this.scheduler.isBlocked());
    same(this.scheduler.outcome(), this.model.outcome());
    same(this.scheduler.runningCount, statuses.filter((status) => status === "RUNNING").length);
  }

  #check(step: number, decision: number): void {
    const kind = decisionKind(decision);
    if (kind.kind === "ready") {
      ok(this.#ready.includes(step), `step ${step} is decided READY and may not start`);
      ok(!this.#offered.has(step), `step ${step} is decided READY twice`);
      this.#offered.add(step);
      return;
    }
    ok(!this.#settled.has(step), `step ${step} settles twice`);
    this.#settled.add(step);
    same([kind.status, kind.reason], [this.model.status[step], this.model.reason[step]]);
  }
}

function isFinal(status: string | undefined): boolean {
  return status !== "PENDING" && !isActive(status);
}

function isActive(status: string | undefined): boolean {
  return status === "RUNNING" || status === "SUSPENDED";
}

function endRun(scheduler: Scheduler, ending: Ending): void {
  if (ending === "cancel") scheduler.cancelRun();
  else if (ending === "timeout") scheduler.timeOutRun();
  else scheduler.stopRun();
}

/** All that can be asked of a scheduler without changing it. */
function observe(scheduler: Scheduler, graph: GraphShape): object {
  return {
    statuses: graph.steps.map((_, step) => scheduler.statusOf(step)),
    ready: scheduler.readySteps(),
    counts: scheduler.counts(),
    running: scheduler.runningCount,
    complete: scheduler.isComplete(),
    blocked: scheduler.isBlocked(),
    stopping: scheduler.isStopping,
    ending: scheduler.ending,
    outcome: scheduler.outcome(),
  };
}

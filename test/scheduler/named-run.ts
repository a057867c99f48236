import type { EdgeKind, Join, OnError, OnFailure } from "../../src/model/graph-terms.ts";
import { decisionKind, decisionStep } from "../../src/scheduler/decision.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import { createTopology, type GraphShape } from "../../src/scheduler/topology.ts";

export interface NamedGraph {
  readonly onFailure?: OnFailure;
  /** In declaration order. */
  readonly steps: Readonly<Record<string, { readonly join?: Join; readonly onError?: OnError }>>;
  /** `a > b`: b needs a. `a ?> b`: an optional reference. `a ~> b`: b waits for a. `a => b`: the switch a may select b. */
  readonly edges?: readonly string[];
}

const ARROWS: Readonly<Record<string, { readonly kind: EdgeKind; readonly required: boolean }>> = {
  ">": { kind: "data", required: true },
  "?>": { kind: "data", required: false },
  "~>": { kind: "order", required: false },
  "=>": { kind: "control", required: false },
};

export function shapeOf({ steps, edges = [], onFailure = "isolate" }: NamedGraph): GraphShape {
  const names = Object.keys(steps);
  return {
    steps: Object.values(steps).map(({ join = "some", onError = "fail" }) => ({ join, onError })),
    edges: edges.map((text) => {
      const [from = "", arrow = "", to = ""] = text.split(" ");
      const kind = ARROWS[arrow];
      if (kind === undefined) throw new Error(`"${arrow}" is not an arrow`);
      return { from: names.indexOf(from), to: names.indexOf(to), ...kind };
    }),
    onFailure,
  };
}

/** A run whose steps are known by name and whose decisions read as text: `a ready`, `b SKIPPED branch`. */
export class NamedRun {
  readonly scheduler: Scheduler;
  readonly #names: readonly string[];

  constructor(graph: NamedGraph) {
    this.#names = Object.keys(graph.steps);
    this.scheduler = new Scheduler(createTopology(shapeOf(graph)));
    this.scheduler.begin();
  }

  step(name: string): number {
    return this.#names.indexOf(name);
  }

  /** The decisions since the last call. */
  decisions(): readonly string[] {
    return this.scheduler.drain().map((decision) => {
      const kind = decisionKind(decision);
      const name = this.#names[decisionStep(decision)] ?? "?";
      return kind.kind === "ready" ? `${name} ready` : `${name} ${kind.status} ${kind.reason}`;
    });
  }

  start(...names: readonly string[]): this {
    for (const name of names) this.scheduler.markRunning(this.step(name));
    return this;
  }

  /** Starts and succeeds; `selected` for a switch. */
  succeed(name: string, ...selected: readonly string[]): this {
    this.#ensureRunning(name);
    this.scheduler.markSucceeded(
      this.step(name),
      selected.map((target) => this.step(target)),
    );
    return this;
  }

  fail(name: string): this {
    this.#ensureRunning(name);
    this.scheduler.markFailed(this.step(name));
    return this;
  }

  skip(name: string): this {
    this.scheduler.markSkipped(this.step(name));
    return this;
  }

  suspend(name: string): this {
    this.#ensureRunning(name);
    this.scheduler.markSuspended(this.step(name));
    return this;
  }

  ready(): readonly string[] {
    return this.scheduler.readySteps().map((step) => this.#names[step] ?? "?");
  }

  status(name: string): string {
    return this.scheduler.statusOf(this.step(name));
  }

  statuses(): string {
    return this.#names.map((name) => `${name} ${this.status(name)}`).join(", ");
  }

  #ensureRunning(name: string): void {
    if (this.scheduler.isReady(this.step(name))) this.start(name);
  }
}

import type { StepReason, StepStatus } from "../../src/model/status.ts";
import type { Ending } from "../../src/scheduler/state.ts";
import type { GraphShape } from "../../src/scheduler/topology.ts";

/**
 * The rules of SPEC §2, §3 and §6 as slow, plain text: after every fact it looks at every step again until nothing changes. It
 * shares nothing with the scheduler but the shape of a graph, and exists to contradict it.
 */
export class NaiveModel {
  readonly graph: GraphShape;
  readonly status: StepStatus[];
  readonly reason: (StepReason | null)[];
  readonly selected: Map<number, readonly number[]> = new Map();
  ending: Ending | null = null;
  readonly #incoming: readonly (readonly Edge[])[];

  constructor(graph: GraphShape) {
    this.graph = graph;
    this.status = graph.steps.map(() => "PENDING");
    this.reason = graph.steps.map(() => null);
    this.#incoming = graph.steps.map((_, step) => graph.edges.filter((edge) => edge.to === step));
    this.#conclude();
  }

  tell(step: number, status: StepStatus, reason: StepReason | null, selected: readonly number[] = []): void {
    this.status[step] = status;
    this.reason[step] = reason;
    this.selected.set(step, selected);
    this.#conclude();
  }

  /** A failure that nothing else is known to answer: the status that `onError` gives. */
  fail(step: number): void {
    const skips = this.graph.steps[step]?.onError === "skip";
    this.tell(step, skips ? "SKIPPED" : "FAILED", skips ? "on_error" : null);
  }

  end(ending: Ending): void {
    if (this.ending === null || ending === "cancel") this.ending = ending;
    this.#conclude();
  }

  /** PENDING steps that may start. */
  ready(): number[] {
    return this.#steps().filter((step) => this.status[step] === "PENDING" && this.#mayDecide(step) && this.#verdict(step) === "run");
  }

  isComplete(): boolean {
    return this.status.every(isFinal);
  }

  outcome(): string | undefined {
    if (!this.isComplete()) return undefined;
    if (this.ending === "cancel") return "cancelled";
    if (this.ending === "timeout") return "timed_out";
    if (this.hasFailed()) return "failed";
    return this.status.includes("CANCELLED") ? "stopped" : "succeeded";
  }

  hasFailed(): boolean {
    return this.#steps().some((step) => this.status[step] === "FAILED" && this.graph.steps[step]?.onError === "fail");
  }

  sourcesOf(step: number): readonly number[] {
    return (this.#incoming[step] ?? []).map((edge) => edge.from);
  }

  #steps(): number[] {
    return this.graph.steps.map((_, step) => step);
  }

  #mayDecide(step: number): boolean {
    return this.sourcesOf(step).every((source) => isFinal(this.status[source]));
  }

  #conclude(): void {
    let changed = true;
    while (changed) {
      changed = false;
      for (const step of this.#steps()) {
        const end = this.#endOf(step);
        if (end === undefined) continue;
        [this.status[step], this.reason[step]] = end;
        changed = true;
      }
    }
  }

  /** What a step that is PENDING or SUSPENDED must become, if anything. */
  #endOf(step: number): readonly [StepStatus, StepReason] | undefined {
    const status = this.status[step];
    if (status !== "PENDING" && status !== "SUSPENDED") return undefined;
    if (this.ending === "cancel") return [status === "PENDING" ? "SKIPPED" : "CANCELLED", "run_cancelled"];
    if (this.ending === "timeout") return ["CANCELLED", "run_timeout"];
    if (this.ending === "stop") return ["CANCELLED", "run_failed"];
    const isCleanUp = this.graph.steps[step]?.join === "settled";
    if (this.graph.onFailure === "stop" && this.hasFailed() && !isCleanUp) return ["CANCELLED", "run_failed"];
    if (status === "SUSPENDED" || !this.#mayDecide(step)) return undefined;
    const verdict = this.#verdict(step);
    return verdict === "run" ? undefined : verdict;
  }

  #verdict(step: number): "run" | readonly [StepStatus, StepReason] {
    const join = this.graph.steps[step]?.join;
    const edges = this.#incoming[step] ?? [];
    const control = edges.filter((edge) => edge.kind === "control");
    if (control.length > 0) {
      if (join !== "settled" && control.some((edge) => this.#counts(edge.from) === "F")) return ["CANCELLED", "needs_failed"];
      if (!control.some((edge) => this.#selects(edge.from, step))) return ["SKIPPED", "branch"];
    }
    const needs = edges.filter((edge) => edge.kind === "data");
    const count = (letter: string) => needs.filter((edge) => this.#counts(edge.from) === letter).length;
    if (join === "settled") return "run";
    if (count("F") > 0) return ["CANCELLED", "needs_failed"];
    if (join === "all") return count("K") > 0 ? ["SKIPPED", "needs_skipped"] : "run";
    if (needs.some((edge) => edge.required && this.#counts(edge.from) === "K")) return ["SKIPPED", "needs_skipped"];
    return needs.length > 0 && count("S") === 0 ? ["SKIPPED", "needs_skipped"] : "run";
  }

  #counts(source: number): "S" | "K" | "F" {
    const status = this.status[source];
    if (status === "SKIPPED") return "K";
    if (status === "SUCCEEDED") return "S";
    return status === "FAILED" && this.graph.steps[source]?.onError === "continue" ? "S" : "F";
  }

  #selects(source: number, target: number): boolean {
    return this.status[source] === "SUCCEEDED" && (this.selected.get(source) ?? []).includes(target);
  }
}

type Edge = GraphShape["edges"][number];

function isFinal(status: StepStatus | undefined): boolean {
  return status === "SUCCEEDED" || status === "FAILED" || status === "SKIPPED" || status === "CANCELLED";
}

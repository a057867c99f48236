import type { RunTurn } from "../../ledger/claims.ts";
import type { StoredRun } from "../../ledger/port.ts";
import type { InboxRow, RunRow, StepRow, TaskRow, WaitRow } from "../../ledger/rows.ts";
import type { Edge, Step, StepGraph } from "../../workflow/graph.ts";
import { UNDO_PREFIX } from "../step-paths.ts";

/** Everything that an explanation is made from: rows as they are stored, and the graph of the run's version. */
export interface RunStanding extends Pick<StoredRun, "run" | "steps" | "waits" | "inbox"> {
  readonly graph: StepGraph;
  /** Tasks that steps wait for, and children: by the key of the wait. */
  readonly tasks: ReadonlyMap<string, TaskRow>;
  readonly children: ReadonlyMap<string, RunRow>;
  /** Where it stands in the queue; undefined when it does not wait for its turn. */
  readonly turn: RunTurn | undefined;
  /** The ledger's clock, milliseconds since the Unix epoch. */
  readonly now: number;
}

/** A step of a run that has not settled. */
export interface UnfinishedStep {
  readonly step: Step;
  readonly graph: StepGraph;
  /** For example `lines[3].price`. */
  readonly path: string;
  /** Ordinal of the first step of its scope. */
  readonly first: number;
  readonly ordinal: number;
  /** Undefined for a PENDING step. */
  readonly row: StepRow | undefined;
  readonly wait: WaitRow | undefined;
  /** What it was sent and has not used. */
  readonly sent: readonly InboxRow[];
}

/** The rows of a run by what they are looked up with. */
export class StandingIndex {
  readonly #rows: ReadonlyMap<number, StepRow>;
  readonly #scopes: ReadonlyMap<number, readonly StepRow[]>;
  readonly #waits: ReadonlyMap<number, WaitRow>;
  readonly #sent: ReadonlyMap<number, readonly InboxRow[]>;
  /** Of each graph that was asked for: the edges to a step. */
  readonly #edges = new Map<StepGraph, ReadonlyMap<number, readonly Edge[]>>();

  constructor({ steps, waits, inbox }: Pick<RunStanding, "steps" | "waits" | "inbox">) {
    this.#rows = new Map(steps.map((row) => [row.ordinal, row]));
    this.#scopes = Map.groupBy(
      steps.filter(({ kind }) => kind === "item" || kind === "round"),
      ({ parent }) => parent ?? -1,
    );
    this.#waits = new Map(waits.map((wait) => [wait.ordinal, wait]));
    const signalled = new Map<string, number>();
    for (const { kind, key, ordinal } of waits) if (kind === "signal" && !signalled.has(key ?? "")) signalled.set(key ?? "", ordinal);
    // -1 for what is for the run, or for nobody yet
    this.#sent = Map.groupBy(
      inbox.filter(({ consumedAt }) => consumedAt === null),
      ({ kind, name, ordinal }) => (kind === "signal" ? signalled.get(name ?? "") : ordinal) ?? -1,
    );
  }

  rowOf(ordinal: number): StepRow | undefined {
    return this.#rows.get(ordinal);
  }

  /** Edges from the steps that a step of a graph needs. */
  edgesTo(graph: StepGraph, ordinal: number): readonly Edge[] {
    let edges = this.#edges.get(graph);
    if (edges === undefined) {
      edges = Map.groupBy(graph.edges, ({ to }) => to);
      this.#edges.set(graph, edges);
    }
    return edges.get(ordinal) ?? [];
  }

  /** Items or rounds of a block. */
  scopesOf(ordinal: number): readonly StepRow[] {
    return this.#scopes.get(ordinal) ?? [];
  }

  /** The steps of a scope that have not settled, and after a block what is open inside it. */
  *unfinished(graph: StepGraph, first: number, prefix: string): Generator<UnfinishedStep> {
    for (const step of graph.steps) {
      const ordinal = first + step.ordinal;
      const row = this.#rows.get(ordinal);
      if (row !== undefined && row.finishedAt !== null) continue;
      yield this.#unfinishedStep({ step, graph, path: prefix + step.id, first, ordinal, row });
      if (step.block === null) continue;
      for (const scope of this.scopesOf(ordinal)) {
        if (scope.finishedAt === null) yield* this.unfinished(step.block.body, scope.ordinal + 1, `${scope.path}.`);
      }
    }
  }

  /** Steps that undo others; they have rows of their own from the moment they are decided. */
  *undoing(graph: StepGraph): Generator<UnfinishedStep> {
    const steps = new Map(graph.steps.map((step) => [UNDO_PREFIX + step.id, step]));
    for (const row of this.#rows.values()) {
      if (row.kind !== "compensation" || row.finishedAt !== null) continue;
      const step = steps.get(row.path ?? "");
      if (step === undefined) continue;
      const { ordinal, path } = row;
      yield this.#unfinishedStep({ step, graph, path: path ?? step.id, first: ordinal, ordinal, row });
    }
  }

  #unfinishedStep(known: Omit<UnfinishedStep, "wait" | "sent">): UnfinishedStep {
    const { ordinal } = known;
    return { ...known, wait: this.#waits.get(ordinal), sent: this.#sent.get(ordinal) ?? [] };
  }
}

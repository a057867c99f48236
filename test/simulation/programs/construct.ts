import type { Json, JsonObject } from "../../../src/model/json.ts";
import type { StepReason, TerminalStepStatus } from "../../../src/model/status.ts";
import type { Prng } from "../time/prng.ts";
import type { PlannedFlow } from "./flow.ts";

/** A node of a program's tree; `kind` names the construct that it is an instance of. */
export interface Node {
  readonly kind: string;
}

/** How an operator behaves, whatever crashes: what it does depends on how many of its failures have been recorded, not on its calls. */
export interface Behaviour {
  /** Recorded failures after which it succeeds; Infinity: never. */
  readonly failures: number;
  /** It never succeeds when the number that it is given has this rest, divided by five; null: there is none such. */
  readonly refuses: number | null;
  /** Does not come back before it is told to stop. */
  readonly hangs: boolean;
  /** Virtual milliseconds of one call; 0 answers within it. */
  readonly durationMs: number;
  /** Whether it ends when it is told to stop. */
  readonly obeys: boolean;
  /** Characters that its output carries beside its value. */
  readonly ballast: number;
}

/** A step that calls an operator, as the sink must know it. */
export interface PlannedCall {
  readonly behaviour: Behaviour;
  readonly maxAttempts: number;
  readonly isAtMostOnce: boolean;
  /** A person says whether it starts again after a crash. */
  readonly isConfirmed: boolean;
  /** The key that its definition sets; null: the one that the engine makes. */
  readonly key: string | null;
}

/** How a step is expected to end. */
export interface Expected {
  readonly status: TerminalStepStatus;
  /** "any": which of its failures came first is not known. */
  readonly reason: StepReason | "any" | null;
  readonly output: Json;
  /** Whether its operator is called at all. */
  readonly calls: boolean;
  readonly failures: number;
  /** Further outputs that are right as well. */
  readonly others?: readonly Json[];
}

/** What one part of a program passes on to the next: which steps it must wait for, and what they count (S, K or F). */
export interface Passed {
  readonly id: string;
  readonly counts: "S" | "K" | "F";
  readonly output: Json;
}

/** Something that comes to a run from outside. `value` is what it brings. */
export type Stimulus =
  | { readonly kind: "signal"; readonly name: string; readonly value: number }
  | { readonly kind: "event"; readonly event: string; readonly key: string; readonly value: number };

/** A foreach, as the log must know it. */
export interface PlannedBlock {
  readonly maxConcurrency: number;
}

/** The task of a step, as those outside must know it. */
export type PlannedTask =
  | { readonly type: "approval"; readonly isDecided: boolean; readonly isApproved: boolean; readonly isNamed: boolean }
  | { readonly type: "work"; readonly failures: number; readonly isHopeless: boolean };

/** How a step of the workflow itself is undone. */
export interface Undo {
  readonly seed: number;
  /** Recorded failures after which it succeeds. */
  readonly failures: number;
  readonly maxAttempts: number;
  readonly delayMs: number;
  readonly durationMs: number;
}

/** When a workflow is undone, and which step first. */
export interface UndoPolicy {
  readonly order: "backward" | "forward";
  readonly on: readonly ("failure" | "cancel")[];
}

/** What a run may undo, by the id of the step. */
export interface PlannedUndo extends UndoPolicy {
  readonly of: ReadonlyMap<string, Undo>;
}

/** Writes a program as a definition; a construct adds its steps and says what the next part needs. */
export interface Draft {
  readonly steps: Map<string, JsonObject>;
  /** By declared path. */
  readonly calls: Map<string, PlannedCall>;
  readonly blocks: Map<string, PlannedBlock>;
  readonly tasks: Map<string, PlannedTask>;
  readonly undos: Map<string, Undo>;
  readonly vars: Map<string, Json>;
  readonly children: Map<string, Program>;
  /** What stands before the ids of the steps that are being written. */
  readonly prefix: string;
}

/** What the log saw and no prediction can know before. Paths are those of the run's steps. */
export interface Seen {
  readonly publicId: string;
  /** A crash hid the outcome of an at-most-once step. */
  isUnknown(path: string): boolean;
  /** The wait of a step lasted as long as it might. */
  hasTimedOut(path: string): boolean;
  /** The child that a step started last. */
  child(path: string): Seen | undefined;
  /** It was cancelled, or took too long. */
  readonly isCut: boolean;
}

/** Interprets a program; a construct adds how its steps end. */
export interface Prediction {
  /** By path, of the whole run. */
  readonly steps: Map<string, Expected>;
  readonly seen: Seen;
  /** What the run needs from outside. */
  readonly stimuli: Stimulus[];
  /** Paths under which steps may have been cut short. */
  readonly loose: Set<string>;
  readonly prefix: string;
  /** Ids of the steps of this scope, in the order in which they were predicted. */
  readonly ids: string[];
  /** What the calls of this scope are given beside their seeds. */
  readonly plus: number;
  /** What tells this item or round from the others. */
  readonly tag: string;
  /** A step failed and its `onError` is `fail`. */
  hasFailed: boolean;
}

/** Where steps stand: among the run's own, in the body of a foreach, or of a loop. */
export type Place = "root" | "item" | "round";

/** Grows the parts of a program within a budget of steps. */
export interface Garden {
  readonly prng: Prng;
  /** What it may be made of: see `NEWEST_VOCABULARY`. */
  readonly vocabulary: number;
  /** Steps that may still be grown. */
  left: number;
  place: Place;
  /** Blocks around what is being grown. */
  nesting: number;
  /** Children of children that may still be grown. */
  readonly generations: number;
  newId(prefix: string): string;
  /** Parts of any kind, at most so many; `depth` bounds the nesting. */
  parts(count: number, depth: number): readonly Node[];
  /** A workflow of its own. */
  program(steps: number): Program;
}

/**
 * One construct of the vocabulary: how it grows at random, how it is written, and, told independently of the engine, what comes of
 * it. A new construct is a file that makes one of these and a line in `registry.ts`.
 */
export interface Construct<N extends Node = Node> {
  readonly kind: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** Fewest steps that it takes. */
  readonly atLeast: number;
  /** The vocabulary that it came with; the first one when nothing is said. */
  readonly since?: number;
  /** It needs a name that nothing else in its run has: the body of a block in a block has none. */
  readonly needsOwnName?: true;
  readonly grow: (garden: Garden, depth: number) => N;
  /** Adds its steps; `needs` are those that the part before passed on. Returns what the part after must need. */
  readonly write: (node: N, draft: Draft, needs: readonly string[], write: Writer) => readonly string[];
  /** Adds how its steps end. Returns what it passes on, in the order of `write`. */
  readonly predict: (node: N, prediction: Prediction, before: readonly Passed[], predict: Predictor) => readonly Passed[];
}

export type Writer = (node: Node, draft: Draft, needs: readonly string[]) => readonly string[];
export type Predictor = (node: Node, prediction: Prediction, before: readonly Passed[]) => readonly Passed[];

/** A random workflow: a tree of constructs behind one call that cannot fail. */
export interface Program {
  readonly name: string;
  readonly definition: JsonObject;
  /** By declared path. */
  readonly calls: ReadonlyMap<string, PlannedCall>;
  readonly blocks: ReadonlyMap<string, PlannedBlock>;
  readonly tasks: ReadonlyMap<string, PlannedTask>;
  /** Null: it undoes nothing. */
  readonly undo: PlannedUndo | null;
  readonly flow: PlannedFlow;
  /** Null: it may take as long as it likes. */
  readonly timeoutMs: number | null;
  /** Ids of the run's own steps in declaration order. */
  readonly ids: readonly string[];
  /** Workflows that it starts, those that these start included. */
  readonly children: readonly Program[];
  readonly predict: (seen: Seen) => ProgramEnd;
}

export interface ProgramEnd {
  readonly status: "SUCCEEDED" | "FAILED";
  readonly output: Json;
  /** By path. */
  readonly steps: ReadonlyMap<string, Expected>;
  /** Beginnings of paths of steps that may have been cut short. */
  readonly loose: ReadonlySet<string>;
  /** All that the run may need from outside. */
  readonly stimuli: readonly Stimulus[];
}

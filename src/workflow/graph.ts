import type { Template } from "../expressions/template.ts";
import type { Delivery, EdgeKind, Join, OnError, OnFailure, RetryPolicy } from "../model/graph-terms.ts";
import type { JsonObject } from "../model/json.ts";
import type { Flow } from "./flow/flow.ts";

/** A graph of steps: a workflow's own, or the body of a block. Steps stand in declaration order; their index is their ordinal in it. */
export interface StepGraph {
  readonly steps: readonly Step[];
  readonly edges: readonly Edge[];
  readonly onFailure: OnFailure;
}

/** A compiled workflow: what the scheduler orders and the engine runs. */
export interface Graph extends StepGraph {
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Of what a start gives; with a `batch` steps see these inputs as `input.items`. */
  readonly inputSchema: JsonObject | null;
  readonly vars: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** Milliseconds that the whole run may take, waits included; null: no limit. */
  readonly timeoutMs: number | null;
  /** By which routes choose the worker group of its runs. */
  readonly topic: string | null;
  /** `NO_FLOW`: its runs ask for nothing before they begin. */
  readonly flow: Flow;
  /** Null: the output is null. */
  readonly output: Template | null;
  /** Null: no step has a `compensate`. */
  readonly compensation: CompensationPolicy | null;
}

/** Where a secret comes from; read in the process that runs the step, never stored. */
export type SecretSource = { readonly env: string } | { readonly file: string };

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
  /** A reference that is not optional: if the source is SKIPPED, the target is SKIPPED too. */
  readonly required: boolean;
  /** Found in an expression or implied by list order, not written as `needs` or `switch`. */
  readonly inferred: boolean;
}

export interface Step {
  readonly ordinal: number;
  readonly id: string;
  readonly description: string | null;
  /** Name of an operator; null for a switch or a block. */
  readonly uses: string | null;
  readonly with: Template | null;
  readonly when: Template | null;
  readonly join: Join;
  readonly switch: Switch | null;
  readonly retry: RetryPolicy;
  /** Milliseconds of RUNNING time for each attempt; null: no limit. */
  readonly timeoutMs: number | null;
  readonly fallback: Template | null;
  readonly onError: OnError;
  readonly delivery: Delivery;
  /** Null: derived from the run and the step. */
  readonly idempotencyKey: Template | null;
  readonly output: OutputMapping | null;
  readonly schema: JsonObject | null;
  /** By which routes choose the worker group of this step; null: that of the run. */
  readonly topic: string | null;
  /** thread: the operator's module runs in a worker thread. */
  readonly isolation: "none" | "thread";
  /** Steps of its own that it repeats; null for an operator or a switch. */
  readonly block: Block | null;
  /** What undoes the step once it has succeeded (opt-in saga); null: nothing. */
  readonly compensate: Compensate | null;
}

export type Block = ForeachBlock | LoopBlock;

/** The steps of a block: one item or one round of it is one run through them. */
export interface Body extends StepGraph {
  /** Ids of steps outside that expressions of the body (its blocks included) refer to: all that it can see of the outside. */
  readonly outward: readonly string[];
  /**
   * Output of one item or round, evaluated with the body's own steps in scope. Null: the last step's output for a list, an
   * object of all outputs by id for a map.
   */
  readonly output: Template | null;
  readonly isList: boolean;
}

export interface ForeachBlock {
  readonly kind: "foreach";
  /** Gives the list; evaluated once, outside of the body. */
  readonly items: Template;
  readonly maxConcurrency: number;
  readonly tolerate: Tolerate;
  readonly body: Body;
}

/** How many items may fail without failing the block: a number of items or a part of them (0 to 1). */
export type Tolerate = { readonly kind: "items"; readonly count: number } | { readonly kind: "part"; readonly part: number };

export interface LoopBlock {
  readonly kind: "loop";
  /** Asked after each round with the body's steps in scope; the loop ends when true. */
  readonly until: Template | null;
  /** Asked before each round with what the block itself sees, `carry` and `round`; the loop ends when false. */
  readonly while: Template | null;
  /** `carry` of the next round, evaluated after a round with the body's steps in scope. In round 0 it is the block's `with`, or {}. */
  readonly carry: Template | null;
  readonly maxIterations: number;
  /** Milliseconds between two rounds. */
  readonly delayMs: number;
  /** A loop that reached `maxIterations` fails with `LOOP_EXHAUSTED`, or succeeds with the last output and the error beside it. */
  readonly exhausted: "fail" | "succeed";
  readonly body: Body;
}

export interface Compensate {
  /** Name of an operator. */
  readonly uses: string;
  /** Sees every settled step, the undone one included. */
  readonly with: Template | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
}

/** `backward`: the step that succeeded last is undone first. `on`: what starts it. */
export interface CompensationPolicy {
  readonly order: "backward" | "forward";
  readonly on: readonly ("failure" | "cancel")[];
}

/** `template`: evaluated with `result` in scope. `jsonpath`: RFC 9535 on the result. `extract`: the members that the schema names. */
export type OutputMapping =
  | { readonly kind: "template"; readonly template: Template }
  | { readonly kind: "jsonpath"; readonly query: string }
  | { readonly kind: "extract" };

export interface Switch {
  /** exclusive: the first case that holds. inclusive: every case that holds. */
  readonly mode: "exclusive" | "inclusive";
  readonly cases: readonly SwitchCase[];
  /** Targets when no case held. */
  readonly otherwise: readonly number[];
}

export interface SwitchCase {
  readonly when: Template;
  readonly then: readonly number[];
}

/**
 * What is stored of a version and what its hash covers: the definition after `${user.x}`, as plain JSON, in the format of
 * `schema/workflow.schema.json`. `compileDefinition` turns it into a `Graph`, today and after any restart.
 */
export type Definition = JsonObject;

import type { Template } from "../expressions/template.ts";
import type { Delivery, EdgeKind, Join, OnError, OnFailure, RetryPolicy } from "../model/graph-terms.ts";
import type { JsonObject } from "../model/json.ts";

/** A compiled workflow: what the scheduler orders and the engine runs. Steps stand in declaration order; their index is their ordinal. */
export interface Graph {
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly edges: readonly Edge[];
  readonly onFailure: OnFailure;
  readonly inputSchema: JsonObject | null;
  readonly vars: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** Milliseconds that the whole run may take, waits included; null: no limit. */
  readonly timeoutMs: number | null;
  /** Null: the output is null. */
  readonly output: Template | null;
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
  /** Name of an operator; null for a switch. */
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
  /** thread: the operator's module runs in a worker thread. */
  readonly isolation: "none" | "thread";
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

import type { Json } from "../model/json.ts";

/** What an expression can see: one member per root of SPEC §2.1. Absent roots are not in scope. */
export interface Scope {
  readonly input?: Json;
  readonly steps?: Readonly<Record<string, StepView>>;
  readonly vars?: Json;
  readonly env?: Json;
  readonly run?: Json;
  readonly item?: Json;
  readonly index?: number;
  readonly carry?: Json;
  readonly round?: number;
  readonly result?: Json;
}

/** `steps.<id>`: `output` is undefined unless the step SUCCEEDED (or FAILED with `onError: continue`, then null). */
export interface StepView {
  readonly status: string;
  readonly output?: Json;
  readonly error?: Json;
  /** Of a `foreach`: what became of each item, in order. */
  readonly items?: Json;
}

/** What makes an evaluation repeatable. */
export interface EvaluationContext {
  /** `$now()` and `$millis()`: milliseconds since the Unix epoch, the step's first start. */
  readonly nowMs: number;
  /** Seeds `$random()` and `$shuffle()`: run id and step path. */
  readonly seed: string;
}

/** A path that an expression reads, found without evaluating it. */
export interface Reference {
  /** First name of the path: input, steps, vars, env, run, item, index, carry, round, result. */
  readonly root: string;
  /** The names after the root, as far as they are constant. */
  readonly path: readonly string[];
  /** Inside a `??` or under `$exists()`. */
  readonly optional: boolean;
  /** Place inside the value: the path of the string that holds the expression, for example `["order", "id"]`. */
  readonly at: readonly (string | number)[];
}

/** A compiled value of a definition: JSON whose strings may hold `{{ }}`. */
export interface Template {
  readonly source: Json;
  readonly references: readonly Reference[];
  /** No expression anywhere: `evaluate` returns `source`. */
  readonly isConstant: boolean;
  /**
   * Gives plain JSON that shares nothing mutable with the scope; synchronous unless an expression needs JSONata.
   * @throws StepwellError `EXPRESSION_UNRESOLVED`, `EXPRESSION_TYPE`, `EXPRESSION_FAILED`, `EXPRESSION_LIMIT` (thrown, or as a rejection)
   */
  evaluate(scope: Scope, context: EvaluationContext): Json | Promise<Json>;
}

/** A problem found while compiling, with the place inside the value. */
export interface TemplateProblem {
  readonly code: "EXPRESSION_SYNTAX" | "EXPRESSION_LIMIT" | "EXPRESSION_TYPE";
  readonly message: string;
  readonly hint?: string;
  readonly at: readonly (string | number)[];
  /** Offset of the error in the string at `at`, characters from 0. */
  readonly offset: number;
}

export interface CompileOptions {
  /**
   * any: the value as it comes. list: keeps sequences, so a filtered path gives `[]` or `[x]`.
   * boolean: `EXPRESSION_TYPE` unless it is true or false.
   */
  readonly expect: "any" | "list" | "boolean";
  /** The source is one bare expression without `{{ }}` is also accepted (`when: input.x > 1`). Default false. */
  readonly bare?: boolean;
}

export interface CompiledTemplate {
  readonly template: Template;
  /** Empty when the template can be evaluated. */
  readonly problems: readonly TemplateProblem[];
}

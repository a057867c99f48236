import type { Delivery, Join, OnError, OnFailure } from "../../model/graph-terms.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { OperatorContext } from "../../operators/operator.ts";
import type { SecretSource } from "../graph.ts";
import type { DurationOption } from "./duration-option.ts";
import type { FlowSettings } from "./flow-options.ts";
import type { AnyReference, Held, Reference, Resolved } from "./reference.ts";
import type { FromSchema } from "./schema-type.ts";

/** What `$` shows: the scope of expressions, as far as it is known where the function stands. */
export type Dollar<Known extends KnownTypes> = {
  readonly input: Reference<Known["input"]>;
  readonly vars: Reference<Known["vars"]>;
  readonly env: Reference<Known["env"]>;
  readonly run: AnyReference;
  /** Steps that were added before, and those around the block. */
  readonly steps: { readonly [Id in keyof Known["steps"]]: StepReference<Known["steps"][Id]> } & {
    readonly [Id in Exclude<keyof Known["outer"], keyof Known["steps"]>]: StepReference<Known["outer"][Id]>;
  };
} & {
  /** `item` and `index` of a `foreach`, `carry` and `round` of a `loop`. */
  readonly [Name in keyof Known["block"]]: Reference<Known["block"][Name]>;
};

export interface StepReference<Output> {
  readonly output: Reference<Output>;
  readonly status: Reference<string>;
  readonly error: AnyReference;
}

/** `$` in the `output` of a step: also what the operator returned. */
export type ResultDollar<Known extends KnownTypes, Result> = Dollar<Known> & { readonly result: Reference<Result> };

/** The types that a builder has gathered; `steps` and `outer` map an id to the type of its output. */
export interface KnownTypes {
  readonly input: unknown;
  readonly vars: unknown;
  readonly env: unknown;
  /** The steps of this builder. */
  readonly steps: object;
  /** Steps outside of the block that it builds. */
  readonly outer: object;
  /** Names that the blocks around add to expressions. */
  readonly block: object;
}

/** What a workflow knows before its first step. */
export interface AtStart<Input, Vars, Env> {
  readonly input: Input;
  readonly vars: Vars;
  readonly env: Env;
  readonly steps: object;
  readonly outer: object;
  readonly block: object;
}

export type StepId<Known extends KnownTypes> = keyof Known["steps"] & string;

/** A builder's types with one more step. */
export type WithStep<Known extends KnownTypes, Id extends string, Output> = Omit<Known, "steps"> & {
  readonly steps: Known["steps"] & { readonly [Name in Id]: Output };
};

export interface RetryOptions {
  readonly strategy?: "none" | "fixed" | "exponential";
  readonly maxAttempts?: number;
  readonly initialDelay?: DurationOption;
  readonly maxDelay?: DurationOption;
  readonly factor?: number;
  readonly jitter?: number;
  readonly on?: readonly string[];
  readonly notOn?: readonly string[];
}

export type ConditionOption<Known extends KnownTypes> = string | boolean | (($: Dollar<Known>) => Held<boolean> | string | boolean);

/** Fields of every step; they mean what they mean in YAML. */
export interface StepSettings<Known extends KnownTypes> {
  readonly description?: string;
  readonly needs?: readonly StepId<Known>[];
  readonly when?: ConditionOption<Known>;
  readonly join?: Join;
  readonly onError?: OnError;
}

export interface WorkSettings<Known extends KnownTypes, Input, Result, Mapped, Schema> extends StepSettings<Known> {
  /** Input of the operator. Write it before `run`, whose first parameter gets its type from here. */
  readonly with?: ($: Dollar<Known>) => Input;
  readonly retry?: RetryOptions;
  readonly timeout?: DurationOption;
  readonly fallback?: ($: Dollar<Known>) => unknown;
  readonly delivery?: Delivery;
  readonly topic?: string;
  readonly idempotencyKey?: ($: Dollar<Known>) => unknown;
  readonly output?: string | (($: ResultDollar<Known, Result>) => Mapped);
  readonly schema?: Schema;
  readonly extract?: true;
  readonly compensate?: CompensateOptions<Known>;
}

/** What undoes a step; in `with`, `$.self` is the step itself. */
export interface CompensateOptions<Known extends KnownTypes> {
  readonly uses: string;
  readonly with?: ($: Dollar<Known> & { readonly self: StepReference<Json> }) => unknown;
  readonly retry?: RetryOptions;
  readonly timeout?: DurationOption;
}

/** A step whose work is a function of the same module; it becomes the operator `<workflow>.<step>`. */
export interface InlineStep<Known extends KnownTypes, Input, Result, Mapped, Schema>
  extends WorkSettings<Known, Input, Awaited<Result>, Mapped, Schema> {
  readonly run: (input: Resolved<Input>, context: OperatorContext) => Result;
}

/** A step whose work is a registered operator. */
export interface NamedStep<Known extends KnownTypes, Input, Result, Mapped, Schema>
  extends WorkSettings<Known, Input, Result, Mapped, Schema> {
  readonly uses: string;
  readonly isolation?: "thread";
}

/** The output of a step: what its schema says, else what its mapping gives. */
export type OutputOf<Mapped, Schema> = [Schema] extends [JsonObject]
  ? [JsonObject] extends [Schema]
    ? Resolved<Mapped>
    : FromSchema<Schema>
  : Resolved<Mapped>;

export interface SwitchSettings<Known extends KnownTypes> extends StepSettings<Known> {
  readonly mode?: "exclusive" | "inclusive";
  readonly cases: (
    $: Dollar<Known>,
  ) => readonly { readonly when: Held<boolean> | string | boolean; readonly then: readonly string[] | string }[];
  readonly otherwise?: readonly string[] | string;
}

export interface WorkflowSettings<InputSchema, Vars, Env> extends FlowSettings<FromSchema<InputSchema>, Vars, Env> {
  readonly version?: string | number;
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** JSON Schema 2020-12; the type of `$.input` follows from it. */
  readonly input?: InputSchema;
  readonly vars?: Vars;
  readonly env?: Env;
  readonly secrets?: Readonly<Record<string, SecretSource>>;
  readonly timeout?: DurationOption;
  readonly onFailure?: OnFailure;
  readonly compensation?: {
    readonly order?: "backward" | "forward";
    readonly on?: readonly ("failure" | "cancel")[];
  };
  readonly defaults?: {
    readonly retry?: RetryOptions;
    readonly timeout?: DurationOption;
    readonly onError?: OnError;
    readonly delivery?: Delivery;
  };
}

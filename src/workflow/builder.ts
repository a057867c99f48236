import type { Json, JsonObject } from "../model/json.ts";
import type { Operator } from "../operators/operator.ts";
import type {
  AllOutputs,
  Finished,
  ForeachNames,
  ForeachSettings,
  Given,
  InBlock,
  ItemOutputs,
  LoopNames,
  LoopSettings,
} from "./builder/block-options.ts";
import { toDefinitionValue } from "./builder/expression.ts";
import type { BatchOptions, StepInput } from "./builder/flow-options.ts";
import type {
  AtStart,
  ConditionOption,
  Dollar,
  InlineStep,
  KnownTypes,
  NamedStep,
  OutputOf,
  StepId,
  SwitchSettings,
  WithStep,
  WorkflowSettings,
} from "./builder/options.ts";
import { type Held, type Resolved, recordPaths } from "./builder/reference.ts";
import type { FromSchema } from "./builder/schema-type.ts";
import { FLOW_FIELDS } from "./flow/fields.ts";
import type { Definition } from "./graph.ts";

/** What a builder gives: a definition as YAML would, and the functions that its steps name. */
export interface BuiltWorkflow {
  readonly definition: Definition;
  readonly operators: Readonly<Record<string, Operator>>;
}

/** Adds steps one by one; each call gives a builder that knows one step more. Steps form a graph, as a map does in YAML. */
interface StepsBuilder<Known extends KnownTypes, Place extends PlaceName> {
  /** Adds a step that runs a function of this module. */
  step<const Id extends string, Result, Input = NoInput, Mapped = Held<Awaited<Result>>, const Schema extends JsonObject = JsonObject>(
    id: Id & NewId<Id, Known>,
    step: InlineStep<Known, Input, Result, Mapped, Schema>,
  ): BuilderAt<Place, WithStep<Known, Id, OutputOf<Mapped, Schema>>>;
  /** Adds a step that uses a registered operator. */
  step<const Id extends string, Input = NoInput, Mapped = Held<Json>, const Schema extends JsonObject = JsonObject>(
    id: Id & NewId<Id, Known>,
    step: NamedStep<Known, Input, Json, Mapped, Schema>,
  ): BuilderAt<Place, WithStep<Known, Id, OutputOf<Mapped, Schema>>>;
  /** Adds a step that selects which of the steps it names run. */
  switch<const Id extends string>(
    id: Id & NewId<Id, Known>,
    step: SwitchSettings<Known>,
  ): BuilderAt<Place, WithStep<Known, Id, { readonly selected: readonly string[] }>>;
  /** Adds a step that runs the steps of its body once for each item of a list. */
  foreach<
    const Id extends string,
    Items,
    Output,
    const Tolerate extends number | string | undefined = undefined,
    const Schema extends JsonObject = JsonObject,
  >(
    id: Id & NewId<Id, Known>,
    step: ForeachSettings<Known, Items, Tolerate, Schema>,
    body: (body: ItemBuilder<InBlock<Known, ForeachNames<Items>>>) => Finished<Output>,
  ): BuilderAt<Place, WithStep<Known, Id, OutputOf<ItemOutputs<Output, Tolerate>, Schema>>>;
  /** Adds a step that runs the steps of its body again and again. */
  loop<const Id extends string, Output, Start = Held<Json>, const Schema extends JsonObject = JsonObject>(
    id: Id & NewId<Id, Known>,
    step: LoopSettings<Known, Start, Schema>,
    body: (body: RoundBuilder<InBlock<Known, LoopNames<Start>>, Resolved<Start>>) => Finished<Output>,
  ): BuilderAt<Place, WithStep<Known, Id, OutputOf<Held<Output>, Schema>>>;
}

/** Where steps are added: to a workflow, to the body of a `foreach`, or to that of a `loop` with what it carries. */
type PlaceName = "workflow" | "item" | { readonly carry: unknown };

type BuilderAt<Place extends PlaceName, Known extends KnownTypes> = Place extends "workflow"
  ? WorkflowBuilder<Known>
  : Place extends { readonly carry: infer Carry }
    ? RoundBuilder<Known, Carry>
    : ItemBuilder<Known>;

/** Builds a workflow. */
export interface WorkflowBuilder<Known extends KnownTypes> extends StepsBuilder<Known, "workflow"> {
  /** Sets the output of the workflow. */
  output(output: ($: Dollar<Known>) => unknown): WorkflowBuilder<Known>;
  /**
   * The definition so far. What the types cannot see is found by `compileDefinition`.
   * @throws StepwellError `VALUE_NOT_JSON` for a value that a definition cannot hold
   */
  build(): BuiltWorkflow;
}

/** Builds the body of a `foreach`. */
interface ItemBuilder<Known extends KnownTypes> extends StepsBuilder<Known, "item">, Finished<AllOutputs<Known>> {
  /** Sets the output of one item. */
  output<Mapped>(output: ($: Dollar<Known>) => Mapped): Finished<Resolved<Mapped>>;
}

/** Builds the body of a `loop`. */
interface RoundBuilder<Known extends KnownTypes, Carry>
  extends StepsBuilder<Known, { readonly carry: Carry }>,
    Finished<AllOutputs<Known>> {
  /** Ends the loop after a round in which this holds. */
  until(condition: ConditionOption<Known>): RoundBuilder<Known, Carry>;
  /** Sets the `carry` of the next round. */
  carry(next: ($: Dollar<Known>) => Given<Carry>): RoundBuilder<Known, Carry>;
  /** Sets the output of one round; that of the last one is the loop's. */
  output<Mapped>(output: ($: Dollar<Known>) => Mapped): Finished<Resolved<Mapped>>;
}

/** Without `with` an operator is given `{}`. */
type NoInput = Readonly<Record<string, never>>;

/** `never` for an id that is taken, so that the call does not type-check. */
type NewId<Id extends string, Known extends KnownTypes> = Id extends StepId<Known> ? never : string;

/**
 * Starts a workflow in TypeScript.
 *
 * @param name names the workflow and, with a step's id, the operators made of its functions
 */
export function workflow<
  const InputSchema extends JsonObject = JsonObject,
  Vars extends JsonObject = JsonObject,
  Env extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
  Size extends number = never,
>(
  name: string,
  settings?: WorkflowSettings<InputSchema, Vars, Env> & { readonly batch?: BatchOptions<FromSchema<InputSchema>, Vars, Env, Size> },
): WorkflowBuilder<AtStart<StepInput<FromSchema<InputSchema>, Size>, Vars, Env>>;
// What a builder knows of its steps stands in its type alone, so the recorder behind it cannot state it.
export function workflow(name: string, settings: object = {}): object {
  const fields = Object.entries({ name, ...settings });
  return new Recorder(name, Object.fromEntries(fields.map(evaluateFlow)), {}, {});
}

type Written = Readonly<Record<string, unknown>>;

/** Keeps what was written; every call gives a new recorder, so that a builder can be the stem of two workflows. */
class Recorder {
  readonly #name: string;
  readonly #fields: Written;
  readonly #steps: Written;
  readonly #operators: Readonly<Record<string, Operator>>;

  constructor(name: string, fields: Written, steps: Written, operators: Readonly<Record<string, Operator>>) {
    this.#name = name;
    this.#fields = fields;
    this.#steps = steps;
    this.#operators = operators;
  }

  step(id: string, { run, compensate, ...rest }: Written & { readonly run?: Operator; readonly compensate?: Written }): Recorder {
    const operator = `${this.#name}.${id}`;
    const self = recordPaths(`steps.${id}`);
    const fields = compensate === undefined ? rest : { ...rest, compensate: evaluateAll(compensate, { ...DOLLAR, self }) };
    if (run === undefined) return this.#with(id, fields);
    return this.#with(id, { uses: operator, ...fields }, { [operator]: run });
  }

  foreach(id: string, { items, ...fields }: Written, body: (inside: Recorder) => Recorder): Recorder {
    const inside = body(new Recorder(`${this.#name}.${id}`, {}, {}, {}));
    return this.#with(id, { foreach: items, ...fields, steps: inside.#steps, ...inside.#fields }, inside.#operators);
  }

  loop(id: string, { while: goesOn, maxIterations, delay, exhausted, ...fields }: Written, body: (inside: Recorder) => Recorder): Recorder {
    const inside = body(new Recorder(`${this.#name}.${id}`, {}, {}, {}));
    const { until, carry, ...own } = inside.#fields;
    const loop = { until, while: evaluate(goesOn), carry, maxIterations, delay, exhausted };
    return this.#with(id, { loop, ...fields, steps: inside.#steps, ...own }, inside.#operators);
  }

  until(condition: unknown): Recorder {
    return this.#say("until", condition);
  }

  carry(next: unknown): Recorder {
    return this.#say("carry", next);
  }

  switch(id: string, { cases, otherwise, ...fields }: Written): Recorder {
    const entries: readonly unknown[] = [evaluate(cases)].flat();
    return this.#with(id, { ...fields, switch: otherwise === undefined ? entries : [...entries, { otherwise }] });
  }

  output(output: unknown): Recorder {
    return this.#say("output", output);
  }

  #say(field: string, value: unknown): Recorder {
    return new Recorder(this.#name, { ...this.#fields, [field]: evaluate(value) }, this.#steps, this.#operators);
  }

  build(): BuiltWorkflow {
    const definition: Record<string, Json> = {};
    const fields: Written = { ...this.#fields, steps: this.#steps };
    for (const [field, value] of Object.entries(fields).filter(([, written]) => written !== undefined))
      definition[field] = toDefinitionValue(value, field);
    return { definition, operators: this.#operators };
  }

  #with(id: string, fields: Written, operators: Readonly<Record<string, Operator>> = {}): Recorder {
    const step = evaluateAll(fields, DOLLAR);
    return new Recorder(this.#name, this.#fields, { ...this.#steps, [id]: step }, { ...this.#operators, ...operators });
  }
}

type AnyDollar = Readonly<Record<string, unknown>>;

const DOLLAR: AnyDollar = {
  input: recordPaths("input"),
  vars: recordPaths("vars"),
  env: recordPaths("env"),
  run: recordPaths("run"),
  steps: recordPaths("steps"),
  result: recordPaths("result"),
  item: recordPaths("item"),
  index: recordPaths("index"),
  carry: recordPaths("carry"),
  round: recordPaths("round"),
};

/** Fields that are functions of `$` are called with it. */
function evaluate(value: unknown, dollar = DOLLAR): unknown {
  return isOfDollar(value) ? value(dollar) : value;
}

function evaluateAll(fields: Written, dollar: AnyDollar): Written {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, evaluate(value, dollar)]));
}

/** Of what says when runs begin, the members are functions of `$`. */
function evaluateFlow([field, value]: readonly [string, unknown]): readonly [string, unknown] {
  return Object.hasOwn(FLOW_FIELDS, field) ? [field, evaluateMembers(value)] : [field, value];
}

function evaluateMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(evaluateMembers);
  return typeof value === "object" && value !== null ? evaluateAll({ ...value }, DOLLAR) : evaluate(value);
}

function isOfDollar(value: unknown): value is (dollar: AnyDollar) => unknown {
  return typeof value === "function";
}

import type { Json, JsonObject } from "../model/json.ts";
import type { Operator } from "../operators/operator.ts";
import { toDefinitionValue } from "./builder/expression.ts";
import type {
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
import { type Held, recordPaths } from "./builder/reference.ts";
import type { FromSchema } from "./builder/schema-type.ts";
import type { Definition } from "./graph.ts";

/** What a builder gives: a definition as YAML would, and the functions that its steps name. */
export interface BuiltWorkflow {
  readonly definition: Definition;
  readonly operators: Readonly<Record<string, Operator>>;
}

/** Builds a definition step by step; each call gives a builder that knows one step more. Steps form a graph, as a map does in YAML. */
export interface WorkflowBuilder<Known extends KnownTypes> {
  /** Adds a step that runs a function of this module. */
  step<const Id extends string, Result, Input = NoInput, Mapped = Held<Awaited<Result>>, const Schema extends JsonObject = JsonObject>(
    id: Id & NewId<Id, Known>,
    step: InlineStep<Known, Input, Result, Mapped, Schema>,
  ): WorkflowBuilder<WithStep<Known, Id, OutputOf<Mapped, Schema>>>;
  /** Adds a step that uses a registered operator. */
  step<const Id extends string, Input = NoInput, Mapped = Held<Json>, const Schema extends JsonObject = JsonObject>(
    id: Id & NewId<Id, Known>,
    step: NamedStep<Known, Input, Json, Mapped, Schema>,
  ): WorkflowBuilder<WithStep<Known, Id, OutputOf<Mapped, Schema>>>;
  /** Adds a step that selects which of the steps it names run. */
  switch<const Id extends string>(
    id: Id & NewId<Id, Known>,
    step: SwitchSettings<Known>,
  ): WorkflowBuilder<WithStep<Known, Id, { readonly selected: readonly string[] }>>;
  /** Sets the output of the workflow. */
  output(output: ($: Dollar<Known>) => unknown): WorkflowBuilder<Known>;
  /**
   * The definition so far. What the types cannot see is found by `compileDefinition`.
   * @throws StepwellError `VALUE_NOT_JSON` for a value that a definition cannot hold
   */
  build(): BuiltWorkflow;
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
>(
  name: string,
  settings?: WorkflowSettings<InputSchema, Vars, Env>,
): WorkflowBuilder<{ readonly input: FromSchema<InputSchema>; readonly vars: Vars; readonly env: Env; readonly steps: object }>;
// What a builder knows of its steps stands in its type alone, so the recorder behind it cannot state it.
export function workflow(name: string, settings: object = {}): object {
  return new Recorder(name, { name, ...settings }, {}, {});
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

  step(id: string, { run, ...fields }: Written & { readonly run?: Operator }): Recorder {
    const operator = `${this.#name}.${id}`;
    if (run === undefined) return this.#with(id, fields);
    return this.#with(id, { uses: operator, ...fields }, { [operator]: run });
  }

  switch(id: string, { cases, otherwise, ...fields }: Written): Recorder {
    const entries: readonly unknown[] = [evaluate(cases)].flat();
    return this.#with(id, { ...fields, switch: otherwise === undefined ? entries : [...entries, { otherwise }] });
  }

  output(output: unknown): Recorder {
    return new Recorder(this.#name, { ...this.#fields, output: evaluate(output) }, this.#steps, this.#operators);
  }

  build(): BuiltWorkflow {
    const definition: Record<string, Json> = {};
    const fields: Written = { ...this.#fields, steps: this.#steps };
    for (const [field, value] of Object.entries(fields).filter(([, written]) => written !== undefined))
      definition[field] = toDefinitionValue(value, field);
    return { definition, operators: this.#operators };
  }

  #with(id: string, fields: Written, operators: Readonly<Record<string, Operator>> = {}): Recorder {
    const step = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, evaluate(value)]));
    return new Recorder(this.#name, this.#fields, { ...this.#steps, [id]: step }, { ...this.#operators, ...operators });
  }
}

const DOLLAR = {
  input: recordPaths("input"),
  vars: recordPaths("vars"),
  env: recordPaths("env"),
  run: recordPaths("run"),
  steps: recordPaths("steps"),
  result: recordPaths("result"),
};

/** Fields that are functions of `$` are called with it. */
function evaluate(value: unknown): unknown {
  return isOfDollar(value) ? value(DOLLAR) : value;
}

function isOfDollar(value: unknown): value is (dollar: typeof DOLLAR) => unknown {
  return typeof value === "function";
}

import { StepwellError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { Operator, OperatorContext, ResumableOperator } from "../operators/operator.ts";

/** An operator and, when it came from a module, where a worker thread finds it. */
export interface RegisteredOperator {
  readonly execute: Operator<Json>;
  /** Called when its suspension ends; null: what the wake brought is the result. */
  readonly resume: ResumableOperator<Json>["resume"] | null;
  readonly module: OperatorModule | null;
}

export interface OperatorModule {
  /** URL of the module. */
  readonly url: string;
  readonly exportName: string;
}

/** Runs an operator of a module in a worker thread (`isolation: thread`). */
export interface ThreadExecutor {
  run(module: OperatorModule, input: Json, context: OperatorContext): Promise<unknown>;
  close(): Promise<void>;
}

/** The operators that this process has, by the name that `uses` gives. */
export class OperatorRegistry {
  readonly #operators = new Map<string, RegisteredOperator>();
  readonly #registered = new Set<string>();

  /** Adds or replaces an operator; what it takes is checked by the workflows that use it, not by type. */
  register(name: string, operator: Operator<never> | ResumableOperator<never>, module: OperatorModule | null = null): void {
    const { execute, resume } = typeof operator === "function" ? { execute: operator, resume: null } : operator;
    this.#operators.set(name, { execute: execute as Operator<Json>, resume, module });
    this.#registered.add(name);
  }

  /** Adds a built-in operator whose code is loaded when a step first needs it. */
  registerLazy(name: string, load: () => Promise<Operator>): void {
    let loading: Promise<Operator> | undefined;
    const lazy: Operator = async (input, context) => {
      loading ??= load();
      const execute = await loading;
      // the steps that come after it call the operator itself: most of them wait for nothing
      if (this.#operators.get(name)?.execute === lazy) this.#operators.set(name, { execute, resume: null, module: null });
      return execute(input, context);
    };
    this.#operators.set(name, { execute: lazy, resume: null, module: null });
  }

  get(name: string): RegisteredOperator | undefined {
    return this.#operators.get(name);
  }

  /** Names that were registered by the user of the engine. */
  registeredNames(): readonly string[] {
    return [...this.#registered];
  }
}

/** The operator as it runs in a worker thread; one that no module exports fails, rather than blocking this thread. */
export function inThread(threads: ThreadExecutor, { module }: RegisteredOperator): Operator<Json> {
  if (module !== null) return (input, context) => threads.run(module, input, context);
  return () => {
    throw new StepwellError("OPERATORS_INVALID", "the step is to run in a thread, but its operator is not an export of a module");
  };
}

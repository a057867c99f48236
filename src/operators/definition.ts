import type { Template } from "../expressions/template.ts";
import type { Problem } from "../model/problem.ts";

/** What the validator knows of an operator without running it. */
export interface OperatorDefinition {
  readonly name: string;
  readonly description: string;
  /** It leaves the process or waits: a step without a timeout is worth a warning (S1-44). */
  readonly slow: boolean;
  /** Checks a step's `with` as far as it is constant; paths are relative to `with`. Null: anything goes. */
  readonly check: ((input: Template | null) => readonly OperatorProblem[]) | null;
  /** Members of `with` that hold a JSON Schema. */
  readonly schemas?: readonly string[];
}

export type OperatorProblem = Pick<Problem, "code" | "severity" | "message" | "path"> & { readonly hint?: string };

/** The operators that a definition may name. */
export interface OperatorCatalog {
  get(name: string): OperatorDefinition | undefined;
  names(): readonly string[];
}

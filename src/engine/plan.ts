import { StepwellError } from "../model/errors.ts";
import type { Problem } from "../model/problem.ts";
import { createTopology, type Topology } from "../scheduler/index.ts";
import type { Definition, Graph, StepGraph } from "../workflow/graph.ts";
import type { Compile } from "../workflow/index.ts";
import { findSecretSlots, type SecretSlot } from "./secrets.ts";

/** A graph made ready to run: a version's own, or the body of a block. */
export interface ScopePlan {
  readonly graph: StepGraph;
  readonly topology: Topology;
  /** By ordinal: where the step's `with` takes secrets. */
  readonly secretSlots: readonly (readonly SecretSlot[])[];
  /** By ordinal: the body of a block. */
  readonly bodies: readonly (ScopePlan | null)[];
}

/** A version made ready to run; shared by all its runs in this process. */
export interface Plan extends ScopePlan {
  readonly versionId: number;
  readonly graph: Graph;
  readonly stepIds: readonly string[];
}

export function createPlan(versionId: number, graph: Graph): Plan {
  return { ...scopePlan(graph), versionId, graph, stepIds: graph.steps.map((step) => step.id) };
}

/** A graph that is not the body of a block gets its plan when it comes up. */
export function scopePlan(graph: StepGraph): ScopePlan {
  return {
    graph,
    topology: createTopology(graph),
    secretSlots: graph.steps.map((step) => (step.with === null ? [] : findSecretSlots(step.with.source))),
    bodies: graph.steps.map(({ block }) => (block === null ? null : scopePlan(block.body))),
  };
}

/**
 * The plan of a stored version. Operators are not checked: a missing one parks its run when its turn comes.
 *
 * @throws StepwellError `DEFINITION_INVALID` when this Stepwell cannot read a definition that another one stored
 */
export async function restorePlan(versionId: number, definition: Definition, compile: Compile): Promise<Plan> {
  const { graph, problems } = await compile(definition, { operators: null });
  if (graph === undefined) throw invalidDefinition(problems);
  return createPlan(versionId, graph);
}

/** One error for all problems of a definition; `data.problems` holds each with its code and place. */
export function invalidDefinition(problems: readonly Problem[]): StepwellError {
  const errors = problems.filter((problem) => problem.severity === "error");
  const lines = errors.map((problem) => `${problem.code} ${place(problem)}${problem.message}`);
  return new StepwellError("DEFINITION_INVALID", `the definition has ${errors.length} problem(s):\n${lines.join("\n")}`, {
    data: {
      problems: errors.map(({ code, message, path, hint, position }) => ({
        code,
        message,
        path,
        hint: hint ?? null,
        line: position?.line ?? null,
        column: position?.column ?? null,
      })),
    },
  });
}

function place({ file, position, path }: Problem): string {
  if (position === undefined) return path === "" ? "" : `${path}: `;
  return `${file ?? "definition"}:${position.line}:${position.column}: `;
}

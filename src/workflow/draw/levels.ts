import type { Edge, Graph, Step, StepGraph } from "../graph.ts";

/** How one language writes the parts of a drawing, each without its indentation. */
export interface DrawingStyle {
  node(step: Step, name: string): string;
  /** What stands around the steps of a block. */
  block(step: Step, name: string): { readonly open: readonly string[]; readonly close: string };
  arrow(graph: StepGraph, edge: Edge, from: string, to: string): string;
}

/** The lines of all steps and edges, those of blocks inside them. Steps are called `s` and their ordinals from the outside in. */
export function drawLevels(graph: Graph, style: DrawingStyle): readonly string[] {
  return level(graph, "s", "  ", style);
}

function level(graph: StepGraph, prefix: string, indent: string, style: DrawingStyle): readonly string[] {
  const steps = graph.steps.flatMap((step) => {
    const name = `${prefix}${step.ordinal}`;
    if (step.block === null) return [indent + style.node(step, name)];
    const { open, close } = style.block(step, name);
    return [...open.map((line) => indent + line), ...level(step.block.body, `${name}_`, `${indent}  `, style), indent + close];
  });
  return [...steps, ...graph.edges.map((edge) => indent + style.arrow(graph, edge, `${prefix}${edge.from}`, `${prefix}${edge.to}`))];
}

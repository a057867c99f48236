import type { Edge, Graph, Step, StepGraph } from "../graph.ts";
import { edgeLabel, stepLabel } from "./edge-style.ts";
import { drawLevels } from "./levels.ts";

/**
 * A Graphviz digraph: control edges bold with their branch, data edges solid, order edges grey, everything inferred dashed. A block is
 * a cluster that holds the block itself and its steps.
 */
export function drawDot(graph: Graph): string {
  const lines = [
    `digraph ${quote(graph.name)} {`,
    "  rankdir=TB;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    ...drawLevels(graph, { node, block, arrow }),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function node(step: Step, name: string): string {
  return `${name} [${label(step)}${step.switch === null ? "" : ", shape=diamond, style=solid"}];`;
}

function block(step: Step, name: string) {
  return { open: [`subgraph cluster_${name} {`, `  ${name} [${label(step)}, shape=folder, style=solid];`], close: "}" };
}

function label(step: Step): string {
  return `label=${quote(stepLabel(step).join("\n"))}`;
}

function arrow(graph: StepGraph, edge: Edge, from: string, to: string): string {
  const style = edge.kind === "control" ? "bold" : edge.inferred ? "dashed" : "solid";
  const attributes = [`style=${style}`, ...(edge.kind === "order" ? ["color=gray50"] : [])];
  const text = edgeLabel(graph, edge);
  if (text !== "") attributes.push(`label=${quote(text)}`);
  return `${from} -> ${to} [${attributes.join(", ")}];`;
}

/** A quoted DOT identifier: backslashes doubled, so that none of Graphviz' escapes is left but the line break. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

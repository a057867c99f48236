import type { Edge, Graph, Step } from "../graph.ts";
import { edgeLabel, stepLabel } from "./edge-style.ts";

/** A Graphviz digraph: control edges bold with their branch, data edges solid, order edges grey, everything inferred dashed. */
export function drawDot(graph: Graph): string {
  const lines = [
    `digraph ${quote(graph.name)} {`,
    "  rankdir=TB;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    ...graph.steps.map(node),
    ...graph.edges.map((edge) => arrow(graph, edge)),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function node(step: Step): string {
  const label = `label=${quote(stepLabel(step).join("\n"))}`;
  return `  s${step.ordinal} [${step.switch === null ? label : `${label}, shape=diamond, style=solid`}];`;
}

function arrow(graph: Graph, edge: Edge): string {
  const style = edge.kind === "control" ? "bold" : edge.inferred ? "dashed" : "solid";
  const attributes = [`style=${style}`, ...(edge.kind === "order" ? ["color=gray50"] : [])];
  const label = edgeLabel(graph, edge);
  if (label !== "") attributes.push(`label=${quote(label)}`);
  return `  s${edge.from} -> s${edge.to} [${attributes.join(", ")}];`;
}

/** A quoted DOT identifier: backslashes doubled, so that none of Graphviz' escapes is left but the line break. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

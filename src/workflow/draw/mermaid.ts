import type { Edge, Graph, Step } from "../graph.ts";
import { edgeLabel, stepLabel } from "./edge-style.ts";

/**
 * A Mermaid flowchart. Control edges are thick and carry their branch, data edges are solid, everything inferred is
 * dotted; a switch is a rhombus. Steps are called `s0`, `s1`, … because words like `end` mean something to Mermaid.
 */
export function drawMermaid(graph: Graph): string {
  const lines = ["flowchart TD", ...graph.steps.map(node), ...graph.edges.map((edge) => arrow(graph, edge))];
  return `${lines.join("\n")}\n`;
}

function node(step: Step): string {
  const label = `"${stepLabel(step).map(escape).join("<br/>")}"`;
  return step.switch === null ? `  s${step.ordinal}[${label}]` : `  s${step.ordinal}{${label}}`;
}

function arrow(graph: Graph, edge: Edge): string {
  const shape = edge.kind === "control" ? "==>" : edge.inferred ? "-.->" : "-->";
  const label = edgeLabel(graph, edge);
  return `  s${edge.from} ${shape}${label === "" ? "" : `|"${escape(label)}"|`} s${edge.to}`;
}

/** Entity codes by number: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters */
function escape(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _.,…:$=+*/?'()-]/gu, (character) => `#${character.codePointAt(0)};`);
}

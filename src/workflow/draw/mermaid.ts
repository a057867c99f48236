import type { Edge, Graph, Step, StepGraph } from "../graph.ts";
import { edgeLabel, stepLabel } from "./edge-style.ts";
import { drawLevels } from "./levels.ts";

/**
 * A Mermaid flowchart. Control edges are thick and carry their branch, data edges are solid, everything inferred is
 * dotted; a switch is a rhombus, a block a subgraph. Steps are called `s0`, `s1`, … because words like `end` mean something to Mermaid.
 */
export function drawMermaid(graph: Graph): string {
  return `${["flowchart TD", ...drawLevels(graph, { node, block, arrow })].join("\n")}\n`;
}

function node(step: Step, name: string): string {
  return step.switch === null ? `${name}[${label(step)}]` : `${name}{${label(step)}}`;
}

function block(step: Step, name: string) {
  return { open: [`subgraph ${name}[${label(step)}]`], close: "end" };
}

function label(step: Step): string {
  return `"${stepLabel(step).map(escape).join("<br/>")}"`;
}

function arrow(graph: StepGraph, edge: Edge, from: string, to: string): string {
  const shape = edge.kind === "control" ? "==>" : edge.inferred ? "-.->" : "-->";
  const text = edgeLabel(graph, edge);
  return `${from} ${shape}${text === "" ? "" : `|"${escape(text)}"|`} ${to}`;
}

/** Entity codes by number: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters */
function escape(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _.,…:$=+*/?'()-]/gu, (character) => `#${character.codePointAt(0)};`);
}

import type { Json } from "../../model/json.ts";
import { at } from "../at.ts";
import type { Block, Edge, Step, StepGraph } from "../graph.ts";

const MAX_LABEL = 48;

/** What is written at an edge: the branch of a switch, or why there is an edge that nobody wrote. */
export function edgeLabel(graph: StepGraph, { from, to, kind, inferred }: Edge): string {
  if (kind === "order") return "then";
  const branches = at(graph.steps, from).switch;
  if (branches === null || kind === "data") return inferred ? "reference" : "";
  const cases = branches.cases.filter(({ then }) => then.includes(to)).map(({ when }) => conditionText(when.source));
  return shorten([...cases, ...(branches.otherwise.includes(to) ? ["otherwise"] : [])].join(" or "));
}

function conditionText(source: Json): string {
  const written = typeof source === "string" ? source : JSON.stringify(source);
  return written.replace(/^\s*\{\{\s*|\s*\}\}\s*$/g, "");
}

export function stepLabel({ id, uses, block }: Step): readonly string[] {
  const work = block === null ? uses : repetition(block);
  return work === null ? [id] : [id, shorten(work)];
}

function repetition(block: Block): string {
  if (block.kind === "foreach") return `foreach ${conditionText(block.items.source)}`;
  const conditions = [
    block.while && `while ${conditionText(block.while.source)}`,
    block.until && `until ${conditionText(block.until.source)}`,
  ];
  return ["loop", ...conditions.filter((condition) => condition !== null)].join(" ");
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL - 1)}…` : line;
}

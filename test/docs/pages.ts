import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../scripts/tool.ts";

/** A fenced block of a page. Its info string says what it is: `yaml`, `ts`, `yaml FILE`, `sh run`, `text output`, … */
export interface Block {
  /** From 1: the line of the opening fence. */
  readonly line: number;
  readonly language: string;
  /** What follows the language. */
  readonly mark: string;
  readonly text: string;
}

/** The fenced blocks of a Markdown text, in order. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let opening: { readonly line: number; readonly info: string; readonly lines: string[] } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (!line.startsWith("```")) opening?.lines.push(line);
    else if (opening === undefined) opening = { line: index + 1, info: line.slice(3).trim(), lines: [] };
    else {
      const [language = "", ...mark] = opening.info.split(" ");
      blocks.push({ line: opening.line, language, mark: mark.join(" "), text: `${opening.lines.join("\n")}\n` });
      opening = undefined;
    }
  }
  return blocks;
}

export function readPage(path: string): readonly Block[] {
  return blocksOf(readFileSync(join(repositoryRoot, path), "utf8"));
}

/** Takes out what differs from run to run: ids, times, durations, and the blanks that align them. */
export function comparable(output: string): string {
  return output
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "INSTANT")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "DATE")
    .replaceAll(/\d\d:\d\d:\d\d\.\d{3}/g, "TIME")
    .replaceAll(/\d+(?:\.\d)? m?s\b/g, "DURATION")
    .replaceAll(/ +/g, " ")
    .trim();
}

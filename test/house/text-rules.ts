import { basename } from "node:path";
import type { Finding, SourceText } from "./tree.ts";

// written with brackets, so that the patterns do not find themselves
const MACHINE_PATH = /(?:^|[\s"'`(=:])[/](?:wor[k]|roo[t]|hom[e])[/][\w.-]/;
const REGISTRY_HOST =
  /https?:[/][/][^\s/"')]*\b(?:registr[y]|mirro[r]|artifactor[y]|nexu[s]|verdacci[o])\b|\bregistr[y][.](?:npmjs|yarnpkg)\b/;
const VAGUE_NAME = /(?:^|[-_.])(?:utils?|helpers?|common|managers?)(?=[-_.]|$)/;

/** Rules of any text file. */
export function textFindings({ path, text }: SourceText): readonly Finding[] {
  const found: Finding[] = [];
  if (VAGUE_NAME.test(basename(path).toLowerCase())) found.push({ file: path, line: 1, rule: "a file name that says nothing" });
  for (const [index, line] of text.split("\n").entries()) {
    if (MACHINE_PATH.test(line)) found.push({ file: path, line: index + 1, rule: "a path of one machine" });
    if (REGISTRY_HOST.test(line)) found.push({ file: path, line: index + 1, rule: "the host of a package registry" });
  }
  return found;
}

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export const root: string = join(import.meta.dirname, "..", "..");

/** Folders that hold no text of the project's own: the same that .gitignore names, and git itself. */
const FOREIGN = new Set([".git", "node_modules", "dist", "coverage", ".stepwell"]);
const TEXT = /(?:^|\/)(?:LICENSE|Dockerfile|\.(?:git|docker)ignore|\.npmrc|run)$|\.(?:ts|cjs|js|json|md|sql|ya?ml|html|css|csv|txt|sh)$/;
const CODE = /\.(?:ts|cjs)$/;

export interface Finding {
  /** Relative to the root, with forward slashes. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly rule: string;
}

export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export function formatFinding({ file, line, rule }: Finding): string {
  return `${file}:${line} ${rule}`;
}

/** Every text file of the project. */
export function textFiles(): readonly SourceText[] {
  return globSync("**/*", { cwd: root, withFileTypes: true, exclude: (entry) => FOREIGN.has(entry.name) })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter((path) => TEXT.test(path) && !path.startsWith("bench/results/"))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

export function isCode({ path }: SourceText): boolean {
  return CODE.test(path);
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("test/");
}

/** What is published: src/ without its tests and without ambient declarations. */
export function isProduct({ path }: SourceText): boolean {
  return path.startsWith("src/") && path.endsWith(".ts") && !path.endsWith(".d.ts") && !isTest(path);
}

export function parse({ path, text }: SourceText): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** Every node of a tree, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

/** The line on which a node starts, from 1, comments before it left out. */
export function lineOf(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

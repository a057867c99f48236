import { posix } from "node:path";
import ts from "typescript";
import { type Finding, isProduct, isTest, lineOf, nodesOf, parse, type SourceText } from "./tree.ts";

const MAX_CASTS_PER_1000_LINES = 2;
const SQL = /^\s*(?:SELECT|INSERT INTO|INSERT OR|UPDATE|DELETE FROM|WITH|CREATE|DROP|ALTER|PRAGMA)\s/i;

/** SQL statements of the product that stand in more than one place, blanks apart. */
export function repeatedSql(sources: readonly SourceText[]): readonly Finding[] {
  const first = new Map<string, string>();
  const found: Finding[] = [];
  for (const source of sources.filter(isProduct)) {
    for (const node of nodesOf(parse(source))) {
      if (!ts.isStringLiteralLike(node) && !ts.isTemplateExpression(node)) continue;
      const text = node.getText().slice(1, -1);
      if (!SQL.test(text)) continue;
      const statement = text.replaceAll(/\s+/g, " ").trim();
      const place = `${source.path}:${lineOf(node)}`;
      const earlier = first.get(statement);
      if (earlier === undefined) first.set(statement, place);
      else found.push({ file: source.path, line: lineOf(node), rule: `the SQL of ${earlier} again` });
    }
  }
  return found;
}

/** Casts (`as T`, `<T>x`; `as const` is none) beyond the budget of the whole product: then each of them. */
export function castFindings(sources: readonly SourceText[]): readonly Finding[] {
  const casts: Finding[] = [];
  let lines = 0;
  for (const source of sources.filter(isProduct)) {
    lines += source.text.split("\n").length;
    for (const node of nodesOf(parse(source))) {
      const isCast = ts.isTypeAssertionExpression(node) || (ts.isAsExpression(node) && node.type.getText() !== "const");
      if (isCast) casts.push({ file: source.path, line: lineOf(node), rule: "a cast, and there are too many" });
    }
  }
  return casts.length * 1_000 > lines * MAX_CASTS_PER_1000_LINES ? casts : [];
}

/**
 * Files of the product that nothing but a test uses; what src/testing offers is there for tests. `entries` are used from outside.
 */
export function unusedFiles(sources: readonly SourceText[], entries: readonly string[]): readonly Finding[] {
  const used = new Set(entries);
  for (const source of sources) {
    if (!source.path.endsWith(".ts")) continue;
    for (const node of nodesOf(parse(source))) {
      const named = relativeFile(node);
      const target = named === undefined ? "" : posix.join(posix.dirname(source.path), named);
      if (!isTest(source.path) || target.startsWith("src/testing/")) used.add(target);
    }
  }
  return sources
    .filter((source) => isProduct(source) && !used.has(source.path))
    .map((source) => ({ file: source.path, line: 1, rule: "nothing uses this file" }));
}

/** The file that an import, a URL or a path names: "./x.ts", "x.ts", or `x${extension}` for a file that runs from sources and from dist/ alike. */
function relativeFile(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return /^(?:[.]{1,2}[/]|[\w-]+[.]ts$)/.test(node.text) ? node.text : undefined;
  const isUrl = ts.isTemplateExpression(node) && ts.isNewExpression(node.parent) && node.parent.expression.getText() === "URL";
  return isUrl ? `${node.head.text}.ts` : undefined;
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { errorIndex, errorPageHead } from "../../scripts/error-pages.ts";
import { ERROR_CODES, type ErrorCodeInfo } from "../../src/model/error-codes.ts";
import { builtInDefinitions, catalogOf } from "../../src/operators/definitions.ts";
import { loadWorkflow } from "../../src/workflow/index.ts";
import { isProduct, nodesOf, parse, root, textFiles } from "./tree.ts";

const folder = join(root, "docs", "errors");
const codes = Object.keys(ERROR_CODES);
const pages = readdirSync(folder);
const HAPPENED = "\n## What happened\n";
const PAGE =
  /## What happened\n\n(?<happened>[^]+?)\n\n(?:```yaml\n(?<definition>[^]+?)\n```\n\n)?```text\n(?<line>.+)\n```\n\n## What to do\n\n(?<todo>[^]+)\n$/;

const readPage = (code: string): string => readFileSync(join(folder, `${code}.md`), "utf8");
const definitionOn = (code: string): string | undefined => PAGE.exec(readPage(code))?.groups?.["definition"];

describe("docs/errors", () => {
  test("has a page for every code and no other", () => {
    expect(pages.filter((page) => page !== "README.md").toSorted()).toStrictEqual(codes.map((code) => `${code}.md`).toSorted());
  });

  test("has an index that `npm run docs` would write the same", () => {
    expect(readFileSync(join(folder, "README.md"), "utf8")).toBe(errorIndex());
  });

  test.each(Object.entries<ErrorCodeInfo>(ERROR_CODES))("%s tells what happened, how it looks and what to do", (code, info) => {
    const page = readPage(code);
    expect(page.slice(0, page.indexOf(HAPPENED) + HAPPENED.length)).toBe(errorPageHead(code, info));
    const { happened = "", line = "", todo = "" } = PAGE.exec(page)?.groups ?? {};
    expect(happened.length).toBeGreaterThan(30);
    expect(line).toMatch(new RegExp(`^${code} \\S`));
    expect(todo).toMatch(/^[A-Z][^]+[.]$/);
  });

  test.each(codes.filter((code) => definitionOn(code) !== undefined))(
    "%s shows a definition that really gives the line under it",
    async (code) => {
      const operators = catalogOf(builtInDefinitions, []);
      const { problems } = await loadWorkflow(definitionOn(code) ?? "", { file: "orders.yaml", operators });
      const lines = problems.map(
        (problem) => `${problem.code} ${problem.file}:${problem.position?.line}:${problem.position?.column}: ${problem.message}`,
      );
      expect(lines).toContain(PAGE.exec(readPage(code))?.groups?.["line"]);
    },
  );
});

test("every code is raised somewhere", () => {
  const raised = new Set<string>();
  for (const source of textFiles().filter((file) => isProduct(file) && file.path !== "src/model/error-codes.ts")) {
    for (const node of nodesOf(parse(source))) {
      if (ts.isStringLiteral(node) && !ts.isLiteralTypeNode(node.parent)) raised.add(node.text);
    }
  }
  expect(codes.filter((code) => !raised.has(code))).toStrictEqual([]);
});

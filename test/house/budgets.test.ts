import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { codeFindings } from "./code-rules.ts";
import { textFindings } from "./text-rules.ts";
import { type Finding, formatFinding, root, type SourceText, textFiles } from "./tree.ts";
import { castFindings, repeatedSql, unusedFiles } from "./tree-rules.ts";

const sources = textFiles();
const source = (path: string, ...lines: readonly string[]): SourceText => ({ path, text: `${lines.join("\n")}\n` });
/** In pieces, so that the rules do not find what this file says. */
const pieces = (...parts: readonly string[]): string => parts.join("");
const said = (findings: readonly Finding[]): readonly string[] => findings.map(formatFinding);

/** The sources behind the files that package.json publishes. */
function entries(): readonly string[] {
  const shape = z.object({ exports: z.record(z.string(), z.unknown()), bin: z.record(z.string(), z.string()) });
  const { exports, bin } = shape.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  const built = JSON.stringify([exports, bin]).matchAll(/"\.\/dist\/([^"]+?)(?:\.d\.ts|\.js)"/g);
  return [...built].map(([, name]) => `src/${name}.ts`);
}

describe("the whole tree", () => {
  test("keeps the budgets of every code file", () => {
    expect(said(sources.flatMap(codeFindings))).toStrictEqual([]);
  });

  test("names no machine, no registry and nothing vaguely", () => {
    expect(said(sources.flatMap(textFindings))).toStrictEqual([]);
  });

  test("has few casts", () => {
    expect(said(castFindings(sources))).toStrictEqual([]);
  });

  test("writes every SQL statement once", () => {
    expect(said(repeatedSql(sources))).toStrictEqual([]);
  });

  test("has no file that nobody uses", () => {
    expect(said(unusedFiles(sources, entries()))).toStrictEqual([]);
  });

  test("is really read", () => {
    expect(sources.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["package.json", "src/model/json.ts", "test/house/budgets.test.ts"]),
    );
    expect(entries()).toContain("src/index.ts");
  });
});

describe("a rule that is broken", () => {
  test.each([
    ["const x: any = 1;", "src/a/a.ts:1 `any`"],
    ["const x = y!;", "src/a/a.ts:1 non-null `!`"],
    [pieces("// eslin", "t-disable-next-line"), "src/a/a.ts:1 a check is switched off"],
    [pieces("// oxlin", "t-disable-line no-console"), "src/a/a.ts:1 a check is switched off"],
    [pieces("// biom", "e-ignore format: no"), "src/a/a.ts:1 a check is switched off"],
    [pieces("/* v8 ignor", "e next */"), "src/a/a.ts:1 a check is switched off"],
    [pieces("// @ts-", "nocheck"), "src/a/a.ts:1 a check is switched off"],
    [pieces("// TO", "DO later"), "src/a/a.ts:1 unfinished work"],
  ])("%s", (line, finding) => {
    expect(said(codeFindings(source("src/a/a.ts", line)))).toStrictEqual([finding]);
  });

  test("a long file, and none at the limit", () => {
    const lines = (count: number): readonly string[] => Array.from({ length: count }, () => "");
    expect(said(codeFindings(source("src/a/a.ts", ...lines(400))))).toStrictEqual([]);
    expect(said(codeFindings(source("src/a/a.ts", ...lines(401))))).toStrictEqual(["src/a/a.ts:1 file of 401 lines, at most 400"]);
  });

  test("a long function of any kind, but not a chapter of tests", () => {
    const body = (count: number): readonly string[] => Array.from({ length: count - 2 }, () => "  call();");
    const finding = "function of 61 lines, at most 60";
    expect(said(codeFindings(source("src/a/a.ts", "", "function f() {", ...body(60), "}")))).toStrictEqual([]);
    expect(said(codeFindings(source("src/a/a.ts", "", "function f() {", ...body(61), "}")))).toStrictEqual([`src/a/a.ts:2 ${finding}`]);
    expect(said(codeFindings(source("src/a/a.ts", "const f = () => {", ...body(61), "};")))).toStrictEqual([`src/a/a.ts:1 ${finding}`]);
    expect(said(codeFindings(source("src/a/a.ts", "class A {", "f() {", ...body(61), "}", "}")))).toStrictEqual([
      `src/a/a.ts:2 ${finding}`,
    ]);
    const suite = source(
      "src/a/suite.ts",
      "function suite() {",
      'test("a", () => {',
      ...body(40),
      "});",
      'test("b", () => {',
      ...body(40),
      "});",
      "}",
    );
    expect(said(codeFindings(suite))).toStrictEqual([]);
    expect(said(codeFindings(source("src/a/a.test.ts", 'describe("a", () => {', ...body(61), "});")))).toStrictEqual([]);
    expect(said(codeFindings(source("src/a/a.test.ts", 'test("a", () => {', ...body(61), "});")))).toStrictEqual([
      `src/a/a.test.ts:1 ${finding}`,
    ]);
  });

  test("a turn of the event loop is no waiting for time", () => {
    expect(said(codeFindings(source("src/a/a.test.ts", 'import { setImmediate } from "node:timers/promises";')))).toStrictEqual([]);
  });

  test("a port with too many methods", () => {
    const methods = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `  m${index}(): void;`);
    expect(said(codeFindings(source("src/a/port.ts", "interface P {", ...methods(20), "readonly lanes: number;", "}")))).toStrictEqual([]);
    const tooMany = source("src/a/port.ts", "interface P {", ...methods(20), "readonly more: () => void;", "}");
    expect(said(codeFindings(tooMany))).toStrictEqual(["src/a/port.ts:1 port P of 21 methods, at most 20"]);
  });

  test.each([
    "setTimeout(f, 5);",
    "setInterval(f, 5);",
    "globalThis.setTimeout(f, 5);",
    'import { setTimeout } from "node:timers/promises";',
    'import * as t from "node:timers";',
  ])("a test that waits for real time: %s", (line) => {
    expect(said(codeFindings(source("src/a/a.test.ts", line)))).toStrictEqual(["src/a/a.test.ts:1 a test waits for real time"]);
    expect(said(codeFindings(source("src/a/a.ts", line)))).toStrictEqual([]);
  });

  test.each([
    [source("src/a/string-utils.ts", ""), "src/a/string-utils.ts:1 a file name that says nothing"],
    [source("docs/a.md", pieces("see /hom", "e/me/stepwell")), "docs/a.md:1 a path of one machine"],
    [source("a.json", "{", pieces('"resolved": "https://registr', 'y.example.org/x"')), "a.json:2 the host of a package registry"],
  ])("$path", (file, finding) => {
    expect(said(textFindings(file))).toStrictEqual([finding]);
  });

  test("an address, a quotient or an ordinary word is none", () => {
    expect(
      said(textFindings(source("docs/community.md", "https://example.org/home/page", "a/work/b", "the operator registry."))),
    ).toStrictEqual([]);
  });

  test("the same SQL in two places, whatever its blanks", () => {
    const twice = [
      source("src/a/a.ts", 'const a = "SELECT id FROM runs";'),
      source(
        "src/b/b.ts",
        "",
        "const b = `SELECT id",
        "  FROM runs`;",
        'const c = "SELECT id FROM steps";',
        'const d = "select the best";',
      ),
    ];
    expect(said(repeatedSql(twice))).toStrictEqual(["src/b/b.ts:2 the SQL of src/a/a.ts:1 again"]);
  });

  test("three casts in a thousand lines, while two and any `as const` are free", () => {
    const blank = Array.from({ length: 996 }, () => "");
    const cast = "const a = x as A;";
    expect(said(castFindings([source("src/a/a.ts", ...blank, cast, "const b = <B>x;", "const c = [1] as const;")]))).toStrictEqual([]);
    expect(castFindings([source("src/a/a.ts", ...blank, cast, cast, cast)])).toHaveLength(3);
  });

  test("a file that only its test uses", () => {
    const files = [
      source("src/index.ts", 'export { a } from "./a/a.ts";'),
      source("src/a/a.ts", 'const w = new Worker(new URL("./w.ts", import.meta.url));'),
      source("src/a/w.ts", "new URL(`v${extname(import.meta.url)}`, import.meta.url);"),
      source("src/a/v.ts", ""),
      source("src/b/b.ts", ""),
      source("src/b/b.test.ts", 'import "./b.ts";'),
    ];
    expect(said(unusedFiles(files, ["src/index.ts"]))).toStrictEqual(["src/b/b.ts:1 nothing uses this file"]);
  });
});

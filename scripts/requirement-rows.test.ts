import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compare, readRequirements, readTests } from "./requirement-rows.ts";

const CHAPTERS = ["spine", "waiting", "scale-out", "flow-control", "actions", "programs", "agents", "control-plane"];
// in pieces, so that these examples are not taken for tests of rows
const named = (...ids: readonly string[]): string => `${ids.join(" ")} something happens`;

describe("the requirement document", () => {
  const rows = readRequirements(readFileSync(join(import.meta.dirname, "..", "docs", "requirements.md"), "utf8"));

  test("numbers the rows of every group without a gap", () => {
    const groups: readonly (readonly [string, number])[] = [
      ["S0-", 35],
      ["S0+", 17],
      ["S1-", 44],
      ["S1+", 34],
      ["S2-", 44],
      ["S2+", 38],
      ["S3-", 57],
      ["S3+", 14],
      ["S4-", 29],
      ["S4+", 19],
    ];
    const expected = groups.flatMap(([prefix, count]) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`));
    expect(rows.map(({ id }) => id)).toStrictEqual(expected);
  });

  test("gives each row to a chapter and says it in a sentence of its own", () => {
    expect(rows.filter(({ shownBy }) => !CHAPTERS.includes(shownBy))).toStrictEqual([]);
    expect(rows.filter(({ text }) => !/^[A-Z`].{15,}\.$/.test(text))).toStrictEqual([]);
    expect(new Set(rows.map(({ text }) => text)).size).toBe(rows.length);
  });
});

describe("reading tests", () => {
  test("finds ids in plain, parametrised and template names, with their lines", () => {
    const source = `
      test("${named("S1-2")}", () => {});
      it('${named("S0+17", "S1-3")}', () => {});
      test.each([1, 2])("${named("S4-28")} %i", () => {});
      test(\`${named("S1-4")} \${name}\`, () => {});
      test.skipIf(windows)("${named("S1-5")}", () => {});`;
    const found = readTests("a.test.ts", source);
    expect(found.map(({ line, ids }) => [line, ids])).toStrictEqual([
      [2, ["S1-2"]],
      [3, ["S0+17", "S1-3"]],
      [4, ["S4-28"]],
      [5, ["S1-4"]],
      [6, ["S1-5"]],
    ]);
  });

  test("takes nothing from comments, groups, other calls and tests that do not run", () => {
    const source = `
      // test("${named("S1-2")}", () => {})
      describe("${named("S1-2")}", () => {});
      attest("${named("S1-2")}");
      test.skip("${named("S1-2")}", () => {});
      test.todo("${named("S1-2")}");
      test(name, () => {});
      test();
      test("no row at all", () => {});`;
    expect(readTests("a.test.ts", source)).toStrictEqual([]);
  });
});

test("comparing tells missing rows, crowded tests and unknown ids", () => {
  const rows = readRequirements("| S1-1 | spine | One. |\n| S1-2 | spine | Two. |\n| S1-3 | waiting | Three. |\n");
  const tests = readTests(
    "a.test.ts",
    `test("${named("S1-1")}"); test("${named("S1-1", "S1-2", "S2-1", "S2-2")}"); test("${named("S1-9")}");`,
  );
  const { missing, crowded, mistaken } = compare(rows, tests);
  expect(missing.map(({ id }) => id)).toStrictEqual(["S1-3"]);
  expect(crowded.map(({ ids }) => ids.length)).toStrictEqual([4]);
  expect(mistaken.map(({ ids }) => ids)).toStrictEqual([["S1-1", "S1-2", "S2-1", "S2-2"], ["S1-9"]]);
});

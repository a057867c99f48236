import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { outcome, problemsOf } from "../../test/expressions/evaluate.ts";
import { FUNCTION_NAMES } from "./function-names.ts";
import { compileTemplate, containsFullExpression, loadJsonata } from "./index.ts";
import { nearest } from "./nearest.ts";
import { readThrown } from "./refusal.ts";
import { splitTemplate } from "./split.ts";

test("a full expression needs JSONata to be loaded, plain ones do not", () => {
  const scope = { input: { a: [{ b: 1 }] } };
  expect(compileTemplate("{{ input.a.b }}", { expect: "any" }).template.evaluate(scope, { nowMs: 0, seed: "" })).toBe(1);
  expect(() => compileTemplate("{{ input.a + 1 }}", { expect: "any" })).toThrow("loadJsonata");
});

describe("with JSONata loaded", () => {
  beforeAll(loadJsonata);

  test("templates tell whether they are constant and whether they need JSONata", () => {
    expect(compileTemplate({ a: ["x"] }, { expect: "any" }).template.isConstant).toBe(true);
    expect(compileTemplate({ a: ["{{ 'x' }}"] }, { expect: "any" }).template.isConstant).toBe(false);
    expect(containsFullExpression({ a: ["x", 1, null], b: "{{ input.a }} {{ 'b' }} {{ input.`x y`[0] }}" })).toBe(false);
    expect(containsFullExpression({ a: ["{{ input.a + 1 }}"] })).toBe(true);
    expect(containsFullExpression("input.a > 1")).toBe(false);
    expect(containsFullExpression("input.a > 1", true)).toBe(true);
    // `in` and the like are operators of JSONata, so a path with them is left to it.
    expect(containsFullExpression("{{ input.in }}")).toBe(true);
    expect(containsFullExpression("{{ 1e999 }}")).toBe(true);
  });

  test("equal sources are compiled once, others and large ones are not confused", () => {
    const compile = (source: string, expected: "any" | "list" = "any", bare = false) => compileTemplate(source, { expect: expected, bare });
    expect(compile("{{ input.a }}")).toBe(compile("{{ input.a }}"));
    expect(compile("{{ input.a }}")).not.toBe(compile("{{ input.a }}", "list"));
    expect(compile("input.a", "any", true)).not.toBe(compile("input.a"));
    expect(compile("x".repeat(5_000))).not.toBe(compile("x".repeat(5_000)));
    for (let n = 0; n < 2_001; n++) compile(`text ${n}`);
    expect(compile("text 2000")).toBe(compile("text 2000"));
    const first = compile("text 0");
    expect(compile("text 0")).toBe(first);
  });

  test("references are found without evaluating, and what may be absent is marked", () => {
    const references = (source: string) =>
      compileTemplate([source], { expect: "any" }).template.references.map(({ root, path, optional, at }) => {
        expect(at).toEqual([0]);
        return `${[root, ...path].join(".")}${optional ? "?" : ""}`;
      });
    expect(references("{{ steps.a.output.b }} {{ input.c[0].d }}")).toEqual(["steps.a.output.b", "input.c"]);
    expect(references("{{ $$.steps.`a b`.output + $.vars.x }}")).toEqual(["steps.a b.output", "vars.x"]);
    expect(references("{{ steps.a.output ?? steps.b.output }}")).toEqual(["steps.a.output?", "steps.b.output?"]);
    expect(references("{{ $exists(steps.a) and steps.b ~> $exists() }}")).toEqual(["steps.a?", "steps.b?"]);
    expect(references("{{ $lookup(steps, input.x) }}")).toEqual(["steps", "input.x"]);
    expect(references("{{ input.items[steps.a = 1].(steps.b) }}")).toEqual(["input.items"]);
    expect(references("{{ $map(input.items, function($i) { steps.a.output + $i.steps.b }) }}")).toEqual(["input.items", "steps.a.output"]);
    expect(references("{{ input.items^(steps.x){steps.y: $$.steps.z} }}")).toEqual(["input.items", "steps.z"]);
    expect(references("{{ input ~> |steps.a|{'x': $$.steps.b}, ['steps']| }}")).toEqual(["input", "steps.b"]);
    expect(references("{{ {'a': steps.a, 'b': [-vars.x, (item; run.id)]} }}")).toEqual(["steps.a", "vars.x", "item", "run.id"]);
    expect(references("{{ $keys($$) }}")).toEqual(["steps"]);
    expect(references("{{ $count(*) }}")).toEqual(["steps"]);
    expect(references("{{ $count($$.*) }}")).toEqual(["steps"]);
    expect(references("{{ $count(**.id) }}")).toEqual(["steps"]);
    expect(references("{{ input@$i.(steps.x) }}")).toEqual(["input"]);
    expect(references("{{ $sum(?, steps.a)(1) }}")).toEqual(["steps.a"]);
    expect(references("{{ ($x := steps.a; $x.steps.b) }}")).toEqual(["steps.a"]);
    expect(references("{{ 'steps.a' }}")).toEqual([]);
  });

  test("what is wrong with a source is a problem with its place", () => {
    const { problems } = compileTemplate({ a: ["ok", "x {{ 1 + }} {{ }}"], b: "{{ input" }, { expect: "any" });
    expect(problems).toMatchObject([
      { code: "EXPRESSION_SYNTAX", at: ["a", 1], offset: 8 },
      { code: "EXPRESSION_SYNTAX", at: ["a", 1], offset: 15, message: "an expression is empty" },
      { code: "EXPRESSION_SYNTAX", at: ["b"], offset: 0, message: "an expression is not closed" },
    ]);
  });

  test.each([
    ["{{ $eval('1') }}", "$eval does not exist here"],
    ["{{ $uppercas('a') }}", "there is no function or variable $uppercas"],
    ["{{ $nothingLikeIt }}", "there is no function or variable $nothingLikeIt"],
    ["{{ sum([1]) }}", '"sum" is not a function'],
    ["{{ notAFunctionAtAll([1]) }}", '"notAFunctionAtAll" is not a function'],
    ["{{ [1][$ = 1]#$then }}", "$then cannot be redefined"],
    ["{{ `a }}", "an expression is not closed"],
    ["{{ a /* b }}", "an expression is not closed"],
    ["{{ ($clone := 1; 1) }}", "$clone cannot be redefined"],
    ["{{ [1]@$then.$then }}", "$then cannot be redefined"],
    ["{{ $match('a', /(?=a)/) }}", "/(?=a)/ cannot be used: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"],
    ["{{ 'a }}", "an expression is not closed"],
    ["{{ ) }}", 'The symbol ")" cannot be used as a unary operator (JSONata S0211)'],
    ["{{ $match('a', /(/) }}", "an expression is not closed"],
    ["{{ $match('a', /[b-a]/) }}", "Invalid regular expression: /[b-a]/g: Range out of order in character class"],
  ])("%s: %s", (source, message) => {
    expect(problemsOf(source)).toEqual([`EXPRESSION_SYNTAX: ${message}`]);
  });

  test("a template with problems cannot be evaluated", () => {
    const { template } = compileTemplate("{{ 1 + }}", { expect: "any" });
    expect(() => template.evaluate({}, { nowMs: 0, seed: "" })).toThrow("with problems");
  });

  test("the functions that are known are those of the library", () => {
    const source = readFileSync(createRequire(import.meta.url).resolve("jsonata"), "utf8");
    const bound = Array.from(source.matchAll(/(?:staticFrame|environment)\.bind\('(\w+)', defineFunction/g), ([, name]) => name);
    expect(new Set([...FUNCTION_NAMES, "eval"])).toEqual(new Set(bound));
  });

  test("every string, name, comment, object and regular expression may hold braces and quotes", async () => {
    const sources: readonly [string, unknown][] = [
      ["'}}' & \"}}\"", "}}}}"],
      ["\"it's }}\" & '\\\\'", "it's }}\\"],
      ["input.`}}` + 1 /* }} ' */", 3],
      ['{"a": {"b": {"c": 1}}}', { a: { b: { c: 1 } } }],
      ["$contains('}}', /[{}]{2}/) and 4 / 2 = 2", true],
      ["$contains('a/b', /a\\/b/) and (6)/2/3 = 1", true],
      ["'x' in ['x'] /* a */ and 8/*b*//2 = 4", true],
    ];
    for (const [source, expected] of sources) {
      const scope = { input: { "}}": 2 } };
      expect(await outcome(`{{ ${source} }}`, scope), source).toEqual(expected);
      expect(await outcome(`{{${source}}}`, scope), source).toEqual(expected);
    }
  });

  test("text and expressions are told apart whatever the text is", () => {
    const text = fc.string().filter((value) => !value.includes("{"));
    const source = fc.constantFrom("input.a", "'}}'", '{"a": {}}', "/* }} */ 1", "`}}`", "$f(/[{}]{1}/)");
    fc.assert(
      fc.property(fc.array(fc.tuple(text, source)), text, (pairs, last) => {
        const whole = pairs.map(([before, inside]) => `${before}{{ ${inside} }}`).join("") + last;
        const parts = splitTemplate(whole).map((part) =>
          part.kind === "text" ? part.text : part.kind === "expression" ? part.source.trim() : "unclosed",
        );
        expect(parts).toEqual([...pairs.flat(), last].filter((part) => part !== ""));
      }),
    );
  });
});

test("whatever is thrown has a message", () => {
  expect(readThrown("text")).toEqual({ code: undefined, message: "text", position: 0 });
  expect(readThrown({ code: "X1", message: "m".repeat(500), position: 3 })).toEqual({
    code: "X1",
    message: `${"m".repeat(160)}…`,
    position: 3,
  });
});

test("a near name is at most a third of its letters away", () => {
  expect(nearest("totla", ["total", "items"])).toBe("total");
  expect(nearest("TOTAL", ["total"])).toBe("total");
  expect(nearest("itemz", ["item", "items"])).toBe("item");
  expect(nearest("id", ["ib"])).toBeUndefined();
  expect(nearest("price", ["quantity", "label"])).toBeUndefined();
});

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { CONTEXT, deepFreeze, evaluate, outcome } from "../../test/expressions/evaluate.ts";
import { LIMITS } from "../model/limits.ts";
import { DIRECT_FUNCTIONS, UNDECIDED } from "./direct.ts";
import { compileTemplate, loadJsonata } from "./index.ts";
import { compileFull } from "./jsonata.ts";

beforeAll(loadJsonata);

const input = deepFreeze({
  n: 7,
  half: 0.5,
  big: 2 ** 53,
  text: " Ünï ",
  digits: "12",
  yes: true,
  no: false,
  nothing: null,
  numbers: [1, 2.5, 40],
  words: ["a", "b"],
  mixed: [1, "a", null, { n: 1 }],
  empty: [],
  orders: [{ id: 1, total: 10 }, { id: 2, total: 2.5 }, { id: 3 }],
  deep: { er: { n: 1 } },
  posing: { _jsonata_function: true },
  lambda: { _jsonata_lambda: true },
  posings: [{ _jsonata_function: true }],
});
const scope = { input, steps: deepFreeze({ a: { status: "SKIPPED" }, b: { status: "SUCCEEDED", output: { n: 3 } } }) };

/** The value without JSONata's evaluator; undefined when the expression always needs it. */
function directValue(source: string): unknown {
  return compileFull(source, false, "").direct?.(scope);
}

/** What JSONata's evaluator gives for the same tree, or the error itself. */
async function evaluated(source: string): Promise<unknown> {
  return compileFull(source, false, "").evaluate?.(
    scope,
    CONTEXT,
    (value) => value,
    (error) => error,
  );
}

const PATHS = [...Object.keys(input), "deep.er.n", "deep.er", "orders.total", "orders[0].id", "orders[-1].total", "missing", "n.missing"];
const leaf = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PATHS.map((path) => `input.${path}`), "steps.a.output.n", "steps.b.output.n", "item") },
  fc.constantFrom("0", "1", "2.5", "-3", "1e15", "123456789.123456789", '"a"', '"12"', '""', "true", "false", "null"),
);
const OPERATORS = ["+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "&", "and", "or"];
const { expression } = fc.letrec((tie) => {
  const inner = tie("expression").map(String);
  return {
    expression: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.tuple(inner, fc.constantFrom(...OPERATORS), inner).map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc
        .tuple(fc.constantFrom(...DIRECT_FUNCTIONS), fc.array(inner, { maxLength: 3 }))
        .map(([name, values]) => `$${name}(${values.join(", ")})`),
      fc.tuple(inner, inner, inner).map(([holds, then, otherwise]) => `(${holds} ? ${then} : ${otherwise})`),
      fc.tuple(inner, inner).map(([holds, then]) => `(${holds} ? ${then})`),
      fc.tuple(inner, inner).map(([value, otherwise]) => `(${value} ?? ${otherwise})`),
    ),
  };
});

test("S3-39 what is evaluated directly is what JSONata gives", async () => {
  let decided = 0;
  await fc.assert(
    fc.asyncProperty(expression.map(String), async (source) => {
      const value = directValue(source);
      if (value === UNDECIDED) return;
      decided += 1;
      expect(value).toStrictEqual(await evaluated(source));
    }),
    { numRuns: 4_000 },
  );
  expect(decided).toBeGreaterThan(500);
});

describe("without JSONata's evaluator", () => {
  test.each<readonly [source: string, expected: unknown]>([
    ["$sum(input.numbers)", 43.5],
    ["$count(input.orders.total) * input.n", 14],
    ["input.n - 1 / 2 % 2 + -1", 5.5],
    ["'No. ' & input.n & '/' & $string(input.half)", "No. 7/0.5"],
    ["$uppercase($substring(input.text, 1, 3))", "ÜNÏ"],
    ["input.n > 3 and input.text != 'x' or input.no", true],
    ["input.no and input.nothing", false],
    ["input.yes or input.nothing", true],
    ["input.n >= 7 ? 'many' : 'few'", "many"],
    ["input.n < 7 ? 'few'", undefined],
    ["input.missing ?? input.text", " Ünï "],
    ["input.deep.er ?? 'none'", { n: 1 }],
    ["'a' < 'b' and 'b' <= 'b' and 1 = 1 and input.nothing = null", true],
    ["$exists(input.missing)", false],
    ["$not((input.yes))", false],
  ])("%s", (source, expected) => {
    expect(directValue(source)).toStrictEqual(expected);
  });

  test.each([
    "input.missing & 'x'",
    "input.n + input.text",
    "input.text + 1",
    "input.n / 0",
    "$power(10, 300) * $power(10, 300)",
    "input.text = input.numbers",
    "input.numbers = input.text",
    "input.n < input.text",
    "input.text < input.n",
    "input.yes < 1",
    "input.text & input.half",
    "input.big & input.text",
    "input.nothing & input.text",
    "input.nothing and true",
    "input.yes and input.nothing",
    "input.nothing ? 1 : 2",
    "$sum(input.words)",
    "$sum(input.text + 1)",
    "$length(1)",
    "$uppercase()",
    "$type(input.posing)",
    "$type(input.lambda)",
    "$sqrt(-1)",
  ])("%s is left to JSONata", (source) => {
    expect(directValue(source)).toBe(UNDECIDED);
  });

  test.each([
    "[1, input.n]",
    "{'a': input.n}",
    "input.orders[total > 3].id",
    "$keys(input)",
    "$now() & 'x'",
    "$x",
    "$sum(?)(input.numbers)",
    "$substring(input.text, $now())",
    "(input.n; input.half)",
    "()",
    "input.n in [1, 7]",
    "input.n in input.numbers",
    "[1] + 1",
    "1 + [1]",
    "input.yes ? [1] : 1",
    "input.yes ? 1 : [1]",
    "[1] ? 1",
    "(input.n)[0]",
    "$count(input.numbers){'n': $}",
    "($sum)(input.numbers)",
    `${"(".repeat(40)}1${")".repeat(40)}`,
    `input.n${" + 1".repeat(40)}`,
  ])("%s always needs it", (source) => {
    expect(directValue(source)).toBeUndefined();
  });

  test("a text beyond the limit is refused as JSONata's evaluation refuses it", async () => {
    const half = "x".repeat(LIMITS.payloadBytes / 2 + 1);
    expect(await outcome("{{ input.half & input.half }}", { input: { half } })).toBe("EXPRESSION_LIMIT");
  });

  test("a template whose expressions are all evaluated directly has its value at once, any other as a promise, and both the same", async () => {
    const sources = [
      "{{ input.n }}",
      "No. {{ $string(input.n) }}",
      ["{{ input.n + 1 }}", 1],
      { n: { m: "{{ $sum(input.numbers) }}" }, c: 1 },
    ];
    const instead = [
      "{{ ([input.n][0]) }}",
      "No. {{ [$string(input.n)][0] }}",
      ["{{ [input.n + 1][0] }}", 1],
      { n: { m: "{{ [$sum(input.numbers)][0] }}" }, c: 1 },
    ];
    for (const [index, source] of sources.entries()) {
      const value = compileTemplate(source, { expect: "any" }).template.evaluate(scope, CONTEXT);
      expect(value).not.toBeInstanceOf(Promise);
      const later = compileTemplate(instead[index] ?? null, { expect: "any" }).template.evaluate(scope, CONTEXT);
      expect(later).toBeInstanceOf(Promise);
      expect(value).toEqual(await later);
    }
  });

  test("values that an expression leaves to JSONata make the whole template wait for it", async () => {
    const unexpected = "{{ input.text & input.half }}";
    expect(await evaluate(unexpected, scope)).toBe(" Ünï 0.5");
    expect(await evaluate(`x ${unexpected}`, scope)).toBe("x  Ünï 0.5");
    expect(await evaluate([1, unexpected], scope)).toEqual([1, " Ünï 0.5"]);
    expect(await evaluate({ a: [unexpected] }, scope)).toEqual({ a: [" Ünï 0.5"] });
  });

  test("the first error in the order of the template counts, whichever way it is found", async () => {
    const { template } = compileTemplate(["{{ input.n + input.text }}", "{{ input.missing }}"], { expect: "any" });
    await expect(template.evaluate(scope, CONTEXT)).rejects.toThrow("input.n + input.text");
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import { CONTEXT, deepFreeze, evaluate, outcome, problemsOf } from "../../test/expressions/evaluate.ts";
import { LIMITS } from "../model/limits.ts";
import { loadJsonata } from "./index.ts";

beforeAll(loadJsonata);

const NESTED = `${"[".repeat(3_000)}1${"]".repeat(3_000)}`;

describe("time, depth and size are bounded", () => {
  // What is within the bounds has fewer nodes than are timed, so that a slow machine does not fail it.
  test.each([
    "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
    "($f := function($n) { $f($n + 1) }; $f(0))",
    "[1..1000000000]",
    "[1..1000000].[1..1000000]",
    "($x := [1..1000]; $x.$x.$x)",
    "($f := function($a) { $f($append($a, $a)) }; $f([1]))",
    "$string($reduce([1..40], function($a, $i) { {'a': $a, 'b': $a} }, {}))",
    "-$reduce([1..40], function($a, $i) { {'a': $a, 'b': $a} }, {})",
    "$reduce([1..40], function($a, $i) { [[$a], [$a]] }, 1)",
    "$reduce([1..40], function($a, $i) { $a & $a }, 'xx')",
    "$reduce([1..300], function($a, $i) { {'a': $a} }, 1)",
    "$pad('', 1000000000)",
    "$pad('', -1000000000)",
    "$join($split($pad('', 20000, 'a'), ''), $pad('', 1000))",
    "$count($split($pad('', 1100000, 'a'), ''))",
    "$zip([1..500000], [1..500000])",
    "$count($match($pad('', 200000, 'a'), /a.*b|a/))",
    "$toMillis($pad('', 60, '1') & 'x', '[Y][Y][Y][Y][Y][Y][Y][Y][Y][Y][Y][Y]')",
    "$toMillis($pad('', 60, '1') & 'x', '[Y]1[Y]1[Y]1[Y]1[Y]1[Y]1[Y]1[Y]1[Y]')",
    "$formatInteger(1000000000000000, 'I')",
  ])("%s ends with EXPRESSION_LIMIT", async (source) => {
    expect(await outcome(`{{ ${source} }}`, {})).toBe("EXPRESSION_LIMIT");
  });

  test.each([
    ["$count([1..1000]^(>$))", 1_000],
    ["$count($keys([1..5000]{$string($): $string($)}))", 5_000],
    ["$sort($shuffle([1..100000]))[0]", 1],
    ["$sort([1..800], function($a, $b) { $a < $b })[0]", 800],
    ["$count($distinct([1..50000]))", 50_000],
    ["$count($match($pad('', 50000, 'a'), /a/))", 50_000],
    ["$exists($match($pad('', 50000, 'a') & '!', /^(a+)+$/))", false],
    ["$count([1..5000].{'n': $})", 5_000],
    ["($sum := function($n, $s) { $n = 0 ? $s : $sum($n - 1, $s + $n) }; $sum(3000, 0))", 4_501_500],
    [`$count([${Array.from({ length: 3_000 }, (_, at) => at).join(",")}])`, 3_000],
  ])("%s is within the bounds", async (source, expected) => {
    expect(await outcome(`{{ ${source} }}`, {})).toBe(expected);
  });

  test("many evaluations at once are not taken for slow ones", async () => {
    const source = "{{ $count([1..5000].($ * 2 + 1)) }}";
    const results = await Promise.all(Array.from({ length: 150 }, () => evaluate(source, {})));
    expect(new Set(results)).toEqual(new Set([5_000]));
  });

  test("a source that is too long or nests too deep is refused when it is compiled", () => {
    expect(problemsOf(`{{ ${"x".repeat(1_000_000)} }}`)).toEqual([
      expect.stringContaining(`EXPRESSION_LIMIT: an expression of 1000000 characters`),
    ]);
    expect(problemsOf(`{{ ${"1+".repeat(LIMITS.expressionLength / 2 - 1)}1 }}`)).toEqual([
      expect.stringContaining("EXPRESSION_LIMIT: it nests"),
    ]);
    expect(problemsOf(`{{ ${NESTED} }}`)).toEqual([expect.stringContaining("EXPRESSION_LIMIT: it nests")]);
    expect(problemsOf(`{{ ${"(".repeat(30)}a${" ?? 1)".repeat(30)} }}`)).toEqual([
      expect.stringContaining("EXPRESSION_LIMIT: defaults are nested"),
    ]);
    expect(problemsOf(`{{ a${" ?? b".repeat(100)} }}`)).toEqual([]);
  });

  test("the copy of a plain path is bounded too", async () => {
    const list = Array.from({ length: LIMITS.expressionResultMembers + 1 }, () => 0);
    expect(await outcome("{{ input.list }}", { input: { list } })).toBe("EXPRESSION_LIMIT");
    expect(await outcome("{{ $count(input.list) }}", { input: { list } })).toBe(list.length);
  });
});

describe("an expression reaches nothing but its scope", () => {
  const ESCAPES = [
    "constructor",
    "__proto__",
    "input.constructor",
    "input.__proto__",
    "input.id.constructor",
    "input.id.length",
    "input.list.length",
    "input.toString",
    "input.hasOwnProperty",
    "$lookup(input, 'constructor')",
    "$lookup(input, '__proto__')",
    "$lookup($sum, 'implementation')",
    "($f := function($x) { $x }; $f.environment)",
    "$sum.implementation",
    "$spread([$sum]).implementation",
    "$spread([$sum, {'a': 1}]).implementation",
    "($sum ~> $append([])).implementation",
    "[$sum].implementation",
    "$sum ~> $spread()",
    "$keys([$sum])",
    "[$sum].*",
    "[$sum].**.implementation",
    "$each({}, $sum).implementation",
    "(λ($f) { [$f].arity })($sum)",
    "$$.constructor",
    "input.**.constructor",
  ];
  test.each(ESCAPES)("%s resolves to nothing", async (source) => {
    const scope = deepFreeze({ input: { id: "a", list: [1] } });
    expect(["EXPRESSION_UNRESOLVED", "EXPRESSION_TYPE"]).toContain(await outcome(`{{ ${source} }}`, scope));
    expect(await outcome(`{{ ${source} ?? 'none' }}`, scope)).not.toMatchObject({
      constructor: expect.anything(),
      prototype: expect.anything(),
    });
  });

  test.each([
    "input.fake()",
    "($f := input.fake; $f(1))",
    "input.native()",
    "$map([1], input.fake)",
    "1 ~> input.fake",
    "$sort([2, 'a'])",
    "$sort([2, 1], input.fake)",
    "$constructor",
    "$__proto__",
  ])("data that looks like a function is not one: %s", async (source) => {
    const scope = deepFreeze({
      input: { fake: { _jsonata_lambda: true, arguments: [] }, native: { _jsonata_function: true, implementation: "x" } },
    });
    const refused = problemsOf(`{{ ${source} }}`).length > 0 || (await outcome(`{{ ${source} }}`, scope)) === "EXPRESSION_FAILED";
    expect(refused).toBe(true);
  });

  test.each([
    "($make := function($f) { {'then': $f} }; $make(function($resolve, $reject) { 1 }))",
    "{'then': $append($sum, 1)[0]}",
    "[1]{'then': $append($sum, 1)[0]}",
  ])("no value can pass for a promise: %s", async (source) => {
    expect(await outcome(`{{ ${source} }}`, {})).toBe("EXPRESSION_TYPE");
  });

  test("prototypes stay as they are", async () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const input = JSON.parse('{"a":{"__proto__":{"polluted":true}},"l":[]}');
    for (const source of [
      "$merge([input.a, {'__proto__': {'polluted': true}}])",
      "input ~> |$|{'__proto__': {'polluted': true}}|",
      "input.a.{'__proto__': 1}",
    ]) {
      await outcome(`{{ ${source} }}`, { input });
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect("polluted" in {}).toBe(false);
  });

  test.each(["{{ input.a }}", "{{ $sum([input.a]) }}"])("a member __proto__ of an input is a member: %s", async (source) => {
    const template = JSON.parse(JSON.stringify({ key: source }).replace("key", "__proto__"));
    expect(await evaluate(template, { input: { a: 1 } })).toEqual(JSON.parse('{"__proto__":1}'));
  });

  test("data with braces is data", async () => {
    expect(await evaluate("{{ input.a }} {{ input.a & '' }}", { input: { a: "{{ 1 + 1 }}" } })).toBe("{{ 1 + 1 }} {{ 1 + 1 }}");
  });
});

describe("an evaluation is repeatable", () => {
  test("$now and $millis are the step's first start", async () => {
    expect(await evaluate("{{ [$now(), $millis(), $now('[Y]-[M01]', '+0200')] }}", {})).toEqual([
      "2026-01-02T03:04:05.000Z",
      CONTEXT.nowMs,
      "2026-01",
    ]);
    expect(await evaluate("{{ $now() }}", {}, {}, { ...CONTEXT, nowMs: 0 })).toBe("1970-01-01T00:00:00.000Z");
  });

  test("what a date picture leaves open is taken from the step's first start", async () => {
    expect(await evaluate("{{ $toMillis('10:00', '[H]:[m]') }}", {})).toBe(Date.UTC(2026, 0, 2, 10));
    expect(await evaluate("{{ $toMillis('2025-11-12') }}", {})).toBe(Date.UTC(2025, 10, 12));
    expect(await evaluate("{{ $toMillis('12/11/2025', '[D]/[M]/[Y]') }}", {})).toBe(Date.UTC(2025, 10, 12));
  });

  test("$random and $shuffle depend on the run, the step and the expression alone", async () => {
    const source = { a: "{{ [$random(), $random(), $shuffle([1..20])] }}", b: "{{ [$random(), $random(), $shuffle([1..20])] }}" };
    const first = await evaluate(source, {});
    expect(await evaluate(source, {})).toEqual(first);
    const [a, b] = Object.values(Object(first));
    expect(a).not.toEqual(b);
    expect(await evaluate(source, {}, {}, { ...CONTEXT, seed: "run-2/step" })).not.toEqual(first);
  });

  test("random numbers are spread over [0, 1) and a shuffle keeps its items", async () => {
    const drawn = await evaluate("{{ [1..2000].$random() }}", {});
    const tenths = new Map<number, number>();
    for (const value of Object.values(Object(drawn)))
      tenths.set(Math.floor(Number(value) * 10), (tenths.get(Math.floor(Number(value) * 10)) ?? 0) + 1);
    expect(tenths.size).toBe(10);
    for (const count of tenths.values()) expect(count).toBeGreaterThan(140);
    expect(await evaluate("{{ $sort($shuffle([1..100])) = [1..100] }}", {})).toBe(true);
    expect(await evaluate("{{ $shuffle(input.x ?? ()) ?? 'none' }}", {})).toBe("none");
  });
});

describe("functions that are replaced do what JSONata's do", () => {
  test.each([
    ["$pad('a', 3, '-')", "a--"],
    ["$pad('a', -3)", "  a"],
    ["($f := $pad(?, 5, '#'); $f('a'))", "a####"],
    ["$join(['a', 'b'])", "ab"],
    ["$join(['a', 'b'], '-')", "a-b"],
    ["$join(input.x ?? ()) ?? 'none'", "none"],
    ["$sort(['b', 'a'])", ["a", "b"]],
    ["$sort([2, 10, 2, 1])", [1, 2, 2, 10]],
    ["$sort([1])", [1]],
    ["$sort(input.x ?? ()) ?? 'none'", "none"],
    ["$sort([{'n': 2}, {'n': 1}, {'n': 2, 'x': 1}], function($l, $r) { $l.n > $r.n })", [{ n: 1 }, { n: 2 }, { n: 2, x: 1 }]],
    ["($s := function($l) { $sort($l, function($a, $b) { $a < $b }) }; $s([1, 3, 2]))", [3, 2, 1]],
    ["$distinct([1, 2, 1])", [1, 2]],
    ["$distinct('a')", "a"],
    ["$count($distinct([1..200].{'a': $ % 3}))", 3],
    ["$count($distinct($append([1..100], [1..100])))", 100],
    ["$spread([{'a': 1, 'b': 2}])", [{ a: 1 }, { b: 2 }]],
    ["$spread({'a': 1})", { a: 1 }],
    ["$replace('a1b22', /[0-9]+/, '#')", "a#b#"],
    ["$replace('abc', /(b)/, '[$1]')", "a[b]c"],
    ["$replace('abc', /B/i, function($m) { $uppercase($m.match) })", "aBc"],
    ["$split('a,b;c', /[,;]/)", ["a", "b", "c"]],
    ["$match('a\nb', /^b$/m).index", 2],
    ["$match('ab', /x/) ?? 'none'", "none"],
    ["'x' in $split('x1y', /\\d/)", true],
  ])("%s", async (source, expected) => {
    expect(await outcome(`{{ ${source} }}`, {})).toEqual(expected);
  });

  test("what cannot be sorted or matched is refused", async () => {
    expect(await outcome("{{ $sort([1, 'a']) }}", {})).toBe("EXPRESSION_FAILED");
    expect(await outcome("{{ $sort([{'a': 1}, {'a': 2}]) }}", {})).toBe("EXPRESSION_FAILED");
    expect(await outcome("{{ $match('ab', /x*/) }}", {})).toBe("EXPRESSION_FAILED");
  });
});

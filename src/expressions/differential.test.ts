import fc from "fast-check";
import jsonata from "jsonata";
import { beforeAll, expect, test } from "vitest";
import { deepFreeze, outcome } from "../../test/expressions/evaluate.ts";
import { loadJsonata } from "./index.ts";

beforeAll(loadJsonata);

const NAMES = ["a", "b", "c", "__proto__", "constructor", "length"];

/** Nested data with lists of lists, nulls and missing members; parsed, so that `__proto__` is an own key. */
const { value: data } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("null", "true", "0", "7", '"x"', '""'),
    fc.array(tie("value").map(String), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tie("value")), { maxLength: 4, selector: ([name]) => name })
      .map((members) => `{${members.map(([name, value]) => `"${name}":${String(value)}`).join(",")}}`),
  ),
}));

const path = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...NAMES).map((name) => `.${name}`) },
      { weight: 2, arbitrary: fc.constantFrom("[0]", "[1]", "[-1]") },
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => `input${parts.join("")}`);

/** What JSONata itself gives, as plain JSON: the reference for everything that is compiled here. */
async function reference(source: string, text: string): Promise<unknown> {
  try {
    const value: unknown = await jsonata(source).evaluate({ input: JSON.parse(text) });
    return value === undefined ? "EXPRESSION_UNRESOLVED" : JSON.parse(JSON.stringify(value));
  } catch {
    return "error";
  }
}

async function ours(source: string, text: string): Promise<unknown> {
  const result = await outcome(`{{ ${source} }}`, { input: deepFreeze(JSON.parse(text)) });
  return result === "EXPRESSION_FAILED" ? "error" : result;
}

test("S3-37 S3-39 a plain path gives what JSONata gives, in any data", async () => {
  await fc.assert(
    fc.asyncProperty(data.map(String), path, async (text, source) => {
      expect(await ours(source, text)).toEqual(await reference(source, text));
    }),
    { numRuns: 2_000 },
  );
});

/** Ways to go on from a path, each of which the compiled reader must leave as JSONata has it. */
const AROUND: readonly ((path: string) => string)[] = [
  (p) => `${p}[]`,
  (p) => `${p}.(a)`,
  (p) => `${p}.(b[])`,
  (p) => `${p}[a]`,
  (p) => `${p}[a = 7].b`,
  (p) => `${p}.*`,
  (p) => `${p}.{"k": a}`,
  (p) => `${p}.{"k": a}[k = 7]`,
  (p) => `${p}.{"k": a}@$x.($x.k)`,
  (p) => `${p}.({"k": a}["x" = "x"])`,
  (p) => `${p}.({"k": a}{"j": k})`,
  (p) => `${p}{"g": $count(a)}`,
  (p) => `${p}#$i{"g": $count($i)}`,
  (p) => `${p}[a]#$i[0].{"i": $i}`,
  (p) => `${p}.(b{"g": 1})`,
  (p) => `${p}#$i.{"i": $i, "a": a}`,
  (p) => `${p}.a.%.b`,
  (p) => `${p}^(a)`,
  (p) => `[${p}, ${p}.a]`,
  (p) => `$count(${p}) & $string(${p}.a)`,
  (p) => `$map(${p}, function($v, $i) { [$v.a, $i, $$.${p}] })`,
  (p) => `$reduce([1, 2], function($s, $n) { $s + $n + $count(${p}) })`,
  (p) => `($x := ${p}; $x[0].a)`,
  (p) => `${p} = ${p}.a or $exists(${p}.b)`,
  // Of objects only: JSONata itself adds a member to an empty list that it updates.
  (p) => `${p} ~> |$[$type($) = "object"]|{"a": 1}, "b"|`,
  (p) => `$distinct(${p}) ~> $string()`,
  (p) => `$sort([3, 1, $count(${p}), 2])`,
  (p) => `$sort([${p}], function($l, $r) { $string($l) > $string($r) })`,
  (p) => `$spread(${p})`,
  (p) => `$contains($string(${p}), /[ax]+/) ? ${p} : "no"`,
];

test("S3-39 a path inside a full expression gives what JSONata gives, and the scope is not changed", async () => {
  await fc.assert(
    fc.asyncProperty(data.map(String), path, fc.constantFrom(...AROUND), async (text, source, around) => {
      // Inside a default nothing has to be there, so the two differ in nothing.
      const whole = `(${around(source)}) ?? "none"`;
      expect(await ours(whole, text)).toEqual(await reference(whole, text));
    }),
    { numRuns: 1_500 },
  );
});

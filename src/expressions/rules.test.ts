import { beforeAll, describe, expect, test } from "vitest";
import { deepFreeze, evaluate, outcome, problemsOf } from "../../test/expressions/evaluate.ts";
import type { Json } from "../model/json.ts";
import { loadJsonata } from "./index.ts";
import type { CompileOptions, Scope } from "./template.ts";

beforeAll(loadJsonata);

const SCOPE: Scope = deepFreeze({
  input: {
    id: "o-1",
    total: 120.5,
    paid: true,
    note: null,
    tags: [],
    one: ["x"],
    lines: [
      { sku: "a", price: 1, qty: 2 },
      { sku: "b", price: 10, qty: 1 },
      { sku: "c", price: 20 },
    ],
  },
  steps: {
    fetch: { status: "SUCCEEDED", output: { total: 5, items: [{ id: 7 }] } },
    gone: { status: "SKIPPED" },
    broken: { status: "FAILED", output: null, error: { code: "HTTP_STATUS" } },
  },
  vars: { shop: "http://shop", "odd name": 3 },
  env: {},
  run: { grid: [[{ n: 1 }, { n: 2 }]], wide: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 10 } },
  item: { qty: 2 },
  index: 4,
});

type Row = readonly [source: Json, expected: Json];

function table(rows: readonly Row[], options: Partial<CompileOptions> = {}): void {
  test.each(rows)("%j gives %j", async (source, expected) => {
    expect(await outcome(source, SCOPE, options)).toEqual(expected);
  });
}

describe("S3-36 S3-37 values come from literals, earlier steps and the run's input", () => {
  table([
    ["plain text", "plain text"],
    [{ a: [1, null, true, "x"] }, { a: [1, null, true, "x"] }],
    ["{{ input.id }}", "o-1"],
    ["{{ steps.fetch.output.items[0].id }}", 7],
    ["{{ steps.broken.error.code }}", "HTTP_STATUS"],
    ["{{ item.qty }}", 2],
    ["{{ index }}", 4],
    // Lists in lists are gone through like one list.
    ["{{ run.grid.n }}", [1, 2]],
    ["{{ run.grid[0].n }}", [1, 2]],
    [
      { url: "{{ vars.shop }}/orders/{{ input.id }}", "{{ key }}": ["{{ index + 1 }}"] },
      { url: "http://shop/orders/o-1", "{{ key }}": [5] },
    ],
  ]);
});

describe("a string that is only one expression keeps the type", () => {
  table([
    ["{{ input.total }}", 120.5],
    ["{{input.paid}}", true],
    ["{{ input.note }}", null],
    ["{{ input.one }}", ["x"]],
    ["{{ steps.broken.output }}", null],
    ["{{ input.total * 2 }}", 241],
    ["{{ {'a': {'b': 1}}}}", { a: { b: 1 } }],
    ["{{ 'text' }}", "text"],
    ["{{ -1.5e1 }}", -15],
    ["{{ -0 }}", 0],
    ["{{ null }}", null],
    ["{{ false }}", false],
    ['{{ "a\\nb" }}', "a\nb"],
  ]);
});

describe("in an interpolation strings stand as they are, numbers and booleans as JSON, the rest is EXPRESSION_TYPE", () => {
  table([
    ["id={{ input.id }};", "id=o-1;"],
    ["{{ input.total }}€ {{ input.paid }}", "120.5€ true"],
    ["{{ input.id }}{{ input.total + 1 }}", "o-1121.5"],
    ["a {{ '{{' }} b }} c", "a {{ b }} c"],
    [" {{ input.note }}", "EXPRESSION_TYPE"],
    ["x{{ input.one }}", "EXPRESSION_TYPE"],
    ["x{{ $merge([{'a': 1}]) }}", "EXPRESSION_TYPE"],
    ["x{{ input.nothing }}", "EXPRESSION_UNRESOLVED"],
  ]);
});

describe("a result of undefined is EXPRESSION_UNRESOLVED", () => {
  table([
    ["{{ input.nothing }}", "EXPRESSION_UNRESOLVED"],
    ["{{ nothing }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.lines[price > 100] }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.lines.colour }}", "EXPRESSION_UNRESOLVED"],
    ["{{ item.none }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.paid = false ? 1 }}", "EXPRESSION_UNRESOLVED"],
    ["{{ steps.gone.output }}", "EXPRESSION_UNRESOLVED"],
  ]);
});

describe("an absent path of input, steps, vars or env is unresolved wherever it stands", () => {
  table([
    ["{{ input.nothing = 1 }}", "EXPRESSION_UNRESOLVED"],
    ["{{ $count(input.nothing) }}", "EXPRESSION_UNRESOLVED"],
    ["{{ $count(input.nothing[price > 1]) }}", "EXPRESSION_UNRESOLVED"],
    ["{{ $count(input.nothing.*) }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.nothing#$i.$i = 1 }}", "EXPRESSION_UNRESOLVED"],
    ["{{ steps.other.output & '' }}", "EXPRESSION_UNRESOLVED"],
    ["{{ steps.fetch.output.items[3].id = 7 }}", "EXPRESSION_UNRESOLVED"],
    ["{{ vars.none & '' }}", "EXPRESSION_UNRESOLVED"],
    ["{{ env.NONE & '' }}", "EXPRESSION_UNRESOLVED"],
    ["{{ $$.vars.none & '' }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.id.none & '' }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.note.none & '' }}", "EXPRESSION_UNRESOLVED"],
    ["{{ $map(input.lines, function($l) { $l.price > vars.none }) }}", "EXPRESSION_UNRESOLVED"],
    ["{{ input.lines[price > $$.vars.none] }}", "EXPRESSION_UNRESOLVED"],
    // What is not taken is not asked for.
    ["{{ input.paid ? 1 : vars.none }}", 1],
    // Names inside an item are not paths of the scope; gathering nothing from a list is a result.
    ["{{ $count(input.lines[vars.none > 1]) }}", 0],
    ["{{ $count(input.lines.colour) }}", 0],
    ["{{ $count(input.tags) }}", 0],
    ["{{ item.none = 1 }}", false],
  ]);
});

describe("except inside ??, under $exists() and on a SKIPPED step", () => {
  table([
    ["{{ input.nothing ?? 'none' }}", "none"],
    ["{{ steps.a.output ?? steps.b.output ?? 'none' }}", "none"],
    ["{{ (steps.a.output ?? vars.none) = 1 }}", false],
    ["{{ $exists(input.nothing) }}", false],
    ["{{ input.nothing ~> $exists() }}", false],
    ["{{ input.id ~> $exists }}", true],
    ["{{ $exists(input.lines[price > $$.vars.none]) }}", false],
    ["{{ steps.gone.output.by = 'x' }}", false],
    ["{{ steps.gone.output.by ?? 'auto' }}", "auto"],
    ["{{ $count(steps.gone.output.list[x]) }}", 0],
  ]);
});

describe("?? fills undefined only", () => {
  table([
    ["{{ input.note ?? 'none' }}", null],
    ["{{ (input.paid = false) ?? 1 }}", false],
    ["{{ input.tags ?? 1 }}", []],
    ["{{ $match(input.id, /o-(1)/).groups ?? 'none' }}", ["1"]],
    ["{{ $match(input.id, /x/) ?: 'none' }}", "none"],
    ["{{ $contains(input.id, /O/i) ?: 'none' }}", true],
  ]);
});

describe("a condition gives a boolean", () => {
  table(
    [
      [true, true],
      ["{{ input.total > 100 }}", true],
      ["{{ input.paid }}", true],
      ["{{ true }}", true],
      ["input.total > 100", true],
      ["input.id = '}}'", false],
      ["{{ input.id }}", "EXPRESSION_TYPE"],
      ["{{ 1 }}", "EXPRESSION_TYPE"],
      ["input.lines[price > 5]", "EXPRESSION_TYPE"],
      ["{{ input.nothing }}", "EXPRESSION_UNRESOLVED"],
    ],
    { expect: "boolean", bare: true },
  );

  test.each(["yes {{ input.paid }}", "yes", 1, { a: "{{ input.paid }}" }, ["x"], null])("%j is a problem", (source) => {
    expect(problemsOf(source, { expect: "boolean" })).toEqual(["EXPRESSION_TYPE: a condition must be true, false or one expression"]);
  });
});

describe("a list keeps sequences", () => {
  table(
    [
      ["{{ input.lines[price > 5].sku }}", ["b", "c"]],
      ["{{ input.lines[price = 1].sku }}", ["a"]],
      ["{{ input.lines[price = 1] }}", [{ sku: "a", price: 1, qty: 2 }]],
      ["{{ input.lines[price > 100] }}", []],
      ["{{ steps.fetch.output.items.id }}", [7]],
      ["{{ steps.fetch.output.items.none }}", []],
      ["{{ input.lines[0] }}", [{ sku: "a", price: 1, qty: 2 }]],
      ["{{ ($min := 100; input.lines[price > $min]) }}", []],
      ["{{ input.paid ? input.lines[qty = 1].sku : [] }}", ["b"]],
      ["{{ input.paid ? input.lines[qty = 2].sku }}", ["a"]],
      ["{{ input.paid = false ? 1 : input.lines[qty = 1].sku }}", ["b"]],
      ["{{ $filter(input.lines, function($l) { $l.price > 100 }) }}", []],
      ["{{ $map(input.one, $uppercase) }}", ["X"]],
      ["{{ input.lines{sku: price} }}", { a: 1, b: 10, c: 20 }],
      ["{{ ($l := input.lines; $l)[price = 1].sku }}", ["a"]],
      ["{{ input.tags }}", []],
      ["{{ input.one }}", ["x"]],
      // A plain path keeps what it finds; that it is no list is for the caller to say.
      ["{{ input.id }}", "o-1"],
      ["{{ input.nothing }}", "EXPRESSION_UNRESOLVED"],
      ["{{ ($x := 1; ()) }}", "EXPRESSION_UNRESOLVED"],
    ],
    { expect: "list" },
  );
});

describe("results are plain JSON", () => {
  table([
    ["{{ $sum }}", "EXPRESSION_TYPE"],
    ["{{ [$sum] }}", "EXPRESSION_TYPE"],
    ["{{ {'f': function($x) { $x }} }}", "EXPRESSION_TYPE"],
    ["{{ /a/ }}", "EXPRESSION_TYPE"],
    ["{{ 1 / 0 }}", "EXPRESSION_TYPE"],
    ["{{ $number('-0') }}", 0],
    ["{{ $match('b', /(a)?b/).groups[] }}", [null]],
    ["{{ $merge([{'a': 1}, {'__proto__': 2}]) }}", JSON.parse('{"a":1,"__proto__":2}')],
  ]);

  test("nothing mutable is shared with the scope or with the template", async () => {
    const scope: Scope = { input: { list: [{ n: 1 }] } };
    for (const source of ["{{ input.list }}", "{{ input.list[n = 1] }}", "{{ [input.list[0], input.list[0]] }}"]) {
      const [first, second] = Object.values((await evaluate(source, scope, { expect: "list" })) ?? {});
      expect(first).toEqual({ n: 1 });
      expect(first).not.toBe(second);
      expect(first).not.toBe(Reflect.get(Object(Reflect.get(Object(scope.input), "list")), 0));
    }
    const constant = { a: [1] };
    expect(await evaluate(constant, {})).toEqual(constant);
    expect(await evaluate(constant, {})).not.toBe(await evaluate(constant, {}));
  });
});

describe("an error says which expression, what is missing, and what to do", () => {
  test.each([
    [
      "{{ steps.fetch.output.totl }}",
      '{{ steps.fetch.output.totl }}: steps.fetch.output has no member "totl"; it has total, items (did you mean "total"?)',
    ],
    ["{{ input.id.x }}", '{{ input.id.x }}: input.id is a string, which has no member "x"'],
    ["{{ input.note.x }}", '{{ input.note.x }}: input.note is null, which has no member "x"'],
    ["{{ env.HOME }}", '{{ env.HOME }}: env has no member "HOME"; it has nothing'],
    ["{{ vars.`odd name`.x }}", '{{ vars.`odd name`.x }}: vars.`odd name` is a number, which has no member "x"'],
    ["{{ run.wide.z }}", '{{ run.wide.z }}: run.wide has no member "z"; it has a, b, c, d, e, f, g, h and 2 more'],
    ["{{ input.lines[9] }}", "{{ input.lines[9] }}: input.lines has no item 9; it has 3 items"],
    ["{{ input.id[1] }}", "{{ input.id[1] }}: input.id is not a list and has no item 1"],
    ["{{ steps.gone.output }}", "{{ steps.gone.output }}: steps.gone was SKIPPED and has no output"],
    [
      "{{ inptu.id }}",
      '{{ inptu.id }}: there is no "inptu" in scope; there is input, steps, vars, env, run, item, index (did you mean "input"?)',
    ],
    ["{{ input.`a b` }}", '{{ input.`a b` }}: input has no member "a b"; it has id, total, paid, note, tags, one, lines'],
    ["{{ 1 + 'a' }}", "{{ 1 + 'a' }}: The right side of the \"+\" operator must evaluate to a number (JSONata T2002)"],
    ["{{ $error('no stock') }}", "{{ $error('no stock') }}: no stock"],
    ["{{ input.id() }}", "{{ input.id() }}: it calls something that is not a function"],
    ["{{ $sum ~> $string ~> (1)() }}", "{{ $sum ~> $string ~> (1)() }}: it calls something that is not a function"],
  ])("%s", async (source, message) => {
    await expect(evaluate(source, SCOPE)).rejects.toMatchObject({ message });
  });

  test("it also says where in the value the expression stands", async () => {
    const error = await evaluate({ body: { ids: ["{{ input.x }}"] } }, SCOPE).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "EXPRESSION_UNRESOLVED",
      data: { expression: "input.x", at: "body.ids.0" },
      hint: expect.stringContaining("??"),
    });
    expect(String(error)).toContain("{{ input.x }} in body.ids.0: input has no member");
  });

  test("of many expressions the first in order is reported", async () => {
    const source = { a: "{{ $string(input.x) }}", b: "{{ input.y }}", c: ["{{ input.z + 1 }}"] };
    await expect(evaluate(source, SCOPE)).rejects.toThrow('no member "x"');
  });
});

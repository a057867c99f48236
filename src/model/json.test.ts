import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, isJsonObject, jsonTypeOf, parseJson, parseJsonOrNull, toJson } from "./json.ts";
import { LIMITS } from "./limits.ts";

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { inner: value };
  return value;
};

describe("toJson", () => {
  test("equals a round trip through JSON text for every value that JSON text can hold", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(toJson(value, "value")).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("shares no object with its source", () => {
    const source = { list: [{ count: 1 }] };
    const copy = toJson(source, "value");
    source.list.push({ count: 2 });
    source.list.forEach((member) => {
      member.count = 9;
    });
    expect(copy).toStrictEqual({ list: [{ count: 1 }] });
  });

  test("treats undefined as JSON text does, and a missing value as null", () => {
    expect(toJson(undefined, "value")).toBeNull();
    expect(toJson({ a: undefined, b: null }, "value")).toStrictEqual({ b: null });
    expect(toJson([undefined, 1], "value")).toStrictEqual([null, 1]);
    expect(toJson(Array.from({ length: 2 }), "value")).toStrictEqual([null, null]);
  });

  test("honours toJSON at every level, also when it gives nothing", () => {
    const at = new Date(Date.UTC(2026, 0, 2));
    const silent = { toJSON: () => undefined };
    expect(toJson(at, "value")).toBe("2026-01-02T00:00:00.000Z");
    expect(toJson({ at, list: [at] }, "value")).toStrictEqual({ at: "2026-01-02T00:00:00.000Z", list: ["2026-01-02T00:00:00.000Z"] });
    expect(toJson(silent, "value")).toBeNull();
    expect(toJson({ silent, list: [silent] }, "value")).toStrictEqual({ list: [null] });
    expect(toJson({ toJSON: "a plain member" }, "value")).toStrictEqual({ toJSON: "a plain member" });
  });

  test("keeps a member named __proto__ as a member", () => {
    const copy = toJson(JSON.parse('{"__proto__": {"admin": true}}'), "value");
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true}}');
  });

  test("takes the members of class instances and of objects without a prototype", () => {
    class Order {
      readonly id = "A1";
      get total(): number {
        return 3;
      }
    }
    expect(toJson(new Order(), "value")).toStrictEqual({ id: "A1" });
    expect(toJson(Object.assign(Object.create(null), { id: "A1" }), "value")).toStrictEqual({ id: "A1" });
  });

  test("writes negative zero as zero", () => {
    expect(Object.is(toJson(-0, "value"), 0)).toBe(true);
  });

  test.each([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a Promise", Promise.resolve(1)],
    ["a Error", new Error("boom")],
    ["a RegExp", /x/],
    ["a Uint8Array", new Uint8Array(2)],
  ])("refuses %s and names its place", (found, value) => {
    const refused = (place: string): unknown =>
      expect.objectContaining({ code: "VALUE_NOT_JSON", message: `${place} is ${found}, which JSON cannot hold` });
    expect(() => toJson(value, "the output")).toThrow(refused("the output"));
    expect(() => toJson({ rows: [{ cell: value }] }, "the output")).toThrow(refused("the output at rows[0].cell"));
    expect(() => toJson([value], "the output")).toThrow(refused("the output at [0]"));
  });

  test("refuses a cycle instead of following it", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = { back: cycle };
    expect(() => toJson(cycle, "the output")).toThrow(expect.objectContaining({ code: "VALUE_NOT_JSON" }));
    const list: unknown[] = [];
    list.push(list);
    expect(() => toJson(list, "the output")).toThrow("a cycle?");
    const restless = { toJSON: (): unknown => restless };
    expect(() => toJson(restless, "the output")).toThrow("a cycle?");
  });

  test("accepts the deepest allowed nesting and refuses one level more", () => {
    const deepest = nested(LIMITS.jsonDepth);
    expect(JSON.stringify(toJson(deepest, "value"))).toBe(JSON.stringify(deepest));
    expect(() => toJson(nested(LIMITS.jsonDepth + 1), "value")).toThrow(`nested deeper than ${LIMITS.jsonDepth} levels`);
  });
});

describe("canonicalJson", () => {
  test("parses back to the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = toJson(value, "value");
        expect(JSON.parse(canonicalJson(plain))).toStrictEqual(plain);
      }),
    );
  });

  test("does not depend on the order in which members were added", () => {
    const members = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { selector: ([key]) => key, maxLength: 8 });
    fc.assert(
      fc.property(members, (entries) => {
        const forwards = toJson(Object.fromEntries(entries), "value");
        const backwards = toJson(Object.fromEntries(entries.toReversed()), "value");
        expect(canonicalJson(backwards)).toBe(canonicalJson(forwards));
      }),
    );
  });

  test("sorts by code unit at every level and writes no blanks", () => {
    expect(canonicalJson({ b: [{ z: 1, a: null }], a: "é", B: true, "😀": 1, "\uffff": 2 })).toBe(
      '{"B":true,"a":"é","b":[{"a":null,"z":1}],"😀":1,"\uffff":2}',
    );
  });

  test("different values give different text", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const [one, other] = [toJson(left, "left"), toJson(right, "right")];
        const same = JSON.stringify(JSON.parse(canonicalJson(one))) === JSON.stringify(JSON.parse(canonicalJson(other)));
        expect(canonicalJson(one) === canonicalJson(other)).toBe(same);
      }),
    );
  });
});

test("isJsonObject tells objects from lists and null", () => {
  expect([{}, { a: 1 }].map(isJsonObject)).toStrictEqual([true, true]);
  expect([null, [], "text", 1, true, undefined].map(isJsonObject)).toStrictEqual([false, false, false, false, false, false]);
});

test("jsonTypeOf speaks the words of JSON", () => {
  const seen = [null, undefined, [], {}, "", 0, false].map(jsonTypeOf);
  expect(seen).toStrictEqual(["null", "undefined", "list", "object", "string", "number", "boolean"]);
});

test("parseJson gives back what was written", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseJson(JSON.stringify(toJson(value, "value")))).toStrictEqual(toJson(value, "value"));
    }),
  );
  expect(() => parseJson("{")).toThrow(SyntaxError);
});

test("parseJsonOrNull reads text that need not be there", () => {
  expect(parseJsonOrNull('{"a":1}')).toStrictEqual({ a: 1 });
  expect(parseJsonOrNull(null)).toBeNull();
});

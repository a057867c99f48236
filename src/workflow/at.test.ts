import { expect, test } from "vitest";
import { at } from "./at.ts";
import { reasonOf } from "./reason.ts";

test("a member that must be there is given, or the invariant is broken", () => {
  expect([at([7, 8], 1), at(Int32Array.of(0), 0)]).toEqual([8, 0]);
  expect(() => at([], 0)).toThrow("there is no member 0 among 0");
});

test("the reason of an error is its message, of anything else its text", () => {
  expect([reasonOf(new TypeError("x")), reasonOf("y")]).toEqual(["x", "y"]);
});

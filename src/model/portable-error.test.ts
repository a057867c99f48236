import { describe, expect, test } from "vitest";
import { StepwellError } from "./errors.ts";
import { fromPortable, toPortable } from "./portable-error.ts";

const across = (thrown: unknown): Error => fromPortable(structuredClone(toPortable(thrown)));

describe("an error that crosses from one thread to another", () => {
  test.each([
    ["with a hint and data", { hint: "Add a line.", data: { order: 7 } }],
    ["with nothing but its message", {}],
  ])("keeps its code and what it says: %s", (_, detail) => {
    const error = new StepwellError("INPUT_INVALID", "the order has no lines", detail);
    const arrived = across(error);
    expect(arrived).toBeInstanceOf(StepwellError);
    expect(arrived).toMatchObject({ code: "INPUT_INVALID", message: "the order has no lines", stack: error.stack });
    expect(arrived).toMatchObject({ hint: error.hint, data: error.data });
  });

  test("of another kind keeps its name, code, message and stack, and nothing else", () => {
    const error = Object.assign(new TypeError("price is not a number"), { code: "PRICE_BAD", hint: "none", data: 7 });
    const arrived = across(error);
    expect(arrived).not.toBeInstanceOf(StepwellError);
    expect(arrived).toMatchObject({ name: "TypeError", code: "PRICE_BAD", message: "price is not a number", stack: error.stack });
    expect(arrived).not.toHaveProperty("hint");
    expect(across(new Error("plain"))).not.toHaveProperty("code");
  });

  test("of another copy of this package is one of this copy; with a code that this one does not know it is any error", () => {
    const theirs = Object.assign(new Error("full"), { name: "StepwellError", code: "LEDGER_FULL", hint: 1, data: [1] });
    expect(across(theirs)).toMatchObject({ code: "LEDGER_FULL", hint: undefined, data: undefined });
    expect(across(theirs)).toBeInstanceOf(StepwellError);
    const newer = Object.assign(new Error("odd"), { name: "StepwellError", code: "OF_TOMORROW" });
    expect(across(newer)).not.toBeInstanceOf(StepwellError);
    expect(across(newer)).toMatchObject({ name: "StepwellError", code: "OF_TOMORROW" });
  });

  test.each([["just text"], [undefined], [null]])("is made of whatever was thrown that is none: %s", (thrown) => {
    expect(across(thrown)).toMatchObject({ name: "Error", message: String(thrown) });
  });

  test("has no stack when it came without one", () => {
    const error = new Error("bare");
    delete error.stack;
    expect(toPortable(error).stack).toBeUndefined();
    expect(across(error).message).toBe("bare");
  });
});

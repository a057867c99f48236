import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "./error-codes.ts";
import { asStepwellError, assertNever, InvariantViolation, invariant, StepwellError } from "./errors.ts";

describe("StepwellError", () => {
  test("carries code, hint, data and cause", () => {
    const cause = new Error("ECONNRESET");
    const error = new StepwellError("HTTP_NETWORK", "no answer", { hint: "Is the server up?", data: { url: "/orders" }, cause });
    expect(error).toMatchObject({ name: "StepwellError", code: "HTTP_NETWORK", message: "no answer", hint: "Is the server up?" });
    expect(error.data).toStrictEqual({ url: "/orders" });
    expect(error.cause).toBe(cause);
    expect(error).toBeInstanceOf(Error);
  });

  test("leaves out what was not given", () => {
    const error = new StepwellError("USAGE", "unknown flag");
    expect([error.hint, error.data]).toStrictEqual([undefined, undefined]);
    expect("cause" in error).toBe(false);
  });

  test("knows from its code whether another attempt may help", () => {
    expect(new StepwellError("HTTP_NETWORK", "no answer").retryable).toBe(true);
    expect(new StepwellError("INPUT_INVALID", "no orderId").retryable).toBe(false);
  });
});

describe("ERROR_CODES", () => {
  test.each(Object.entries(ERROR_CODES))("%s has a title and an HTTP status that fits", (code, info) => {
    expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
    expect(info.title).toMatch(/^[A-Z].+[^.]$/);
    expect(info.status === 200 || (info.status >= 400 && info.status <= 599)).toBe(true);
  });

  test("only troubles of a server, never those of the caller, can pass by themselves", () => {
    const retryable = Object.values(ERROR_CODES).filter((info) => info.retryable);
    expect(retryable.length).toBeGreaterThan(0);
    expect(retryable.filter((info) => info.status < 500)).toStrictEqual([]);
  });

  test("no two codes share a title", () => {
    const titles = Object.values(ERROR_CODES).map((info) => info.title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe("an accident", () => {
  test("that is coded already stays what it is", () => {
    const coded = new StepwellError("LEDGER_FULL", "no space");
    expect(asStepwellError(coded)).toBe(coded);
  });

  test("of somebody else becomes INTERNAL and keeps its cause", () => {
    const cause = new TypeError("x is not a function");
    expect(asStepwellError(cause)).toMatchObject({ code: "INTERNAL", message: "x is not a function", cause });
    expect(asStepwellError(null)).toMatchObject({ code: "INTERNAL", message: "something that is not an error was thrown" });
  });
});

describe("what must never be", () => {
  test("invariant passes what holds and reports what does not", () => {
    expect(() => invariant(true, "unused")).not.toThrow();
    expect(() => invariant(false, "a settled step cannot start")).toThrow(new InvariantViolation("a settled step cannot start"));
  });

  test("assertNever shows the value that no case expected", () => {
    // Reflect.apply takes any argument, as data from outside would
    expect(() => Reflect.apply(assertNever, undefined, [{ kind: "new" }, "fact"])).toThrow('fact: unexpected {"kind":"new"}');
  });
});

import { describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import { StepwellError } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";
import { Harness } from "../testing/harness.ts";
import { errorText, parseError, recordError } from "./recorded-error.ts";

const explode = (): never => {
  throw new Error("a getter exploded");
};

function circular(): Error {
  const error = new Error("round and round");
  error.cause = error;
  return Object.assign(error, { self: error });
}

/** Values that code throws although it should not. */
const HOSTILE: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  undefined: () => undefined,
  "a number": () => Number.NaN,
  "a bigint": () => 7n,
  "a symbol": () => Symbol("s"),
  "a function": () => () => 1,
  "an object without a prototype": () => Object.create(null),
  "a cycle": () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    return cycle;
  },
  "an error with a circular cause": circular,
  "an error without a message": () => new TypeError(""),
  "an error whose message is a getter that throws": () => Object.defineProperty(new Error("x"), "message", { get: explode }),
  "an error whose name is a getter that throws": () => Object.defineProperty(new Error("x"), "name", { get: explode }),
  "an error whose code is a getter that throws": () => Object.defineProperty(new Error("x"), "code", { get: explode }),
  "an error whose message is a number": () => Object.assign(new Error("x"), { message: 42 }),
  "an error whose name is an object": () => Object.assign(new Error("x"), { name: { not: "text" } }),
  "a proxy that refuses everything": () => new Proxy({}, { get: explode, getPrototypeOf: explode, ownKeys: explode }),
  "a coded error with circular data": () => Object.assign(new StepwellError("STEP_FAILED", "x"), { data: circular() }),
  "a coded error with a bigint in its data": () => Object.assign(new StepwellError("STEP_FAILED", "x"), { data: { n: 7n } }),
  "a coded error of a code that does not exist": () => Object.assign(new StepwellError("INTERNAL", "x"), { code: "NO_SUCH_CODE" }),
};

describe("recorded errors", () => {
  test.each(Object.keys(HOSTILE))("%s becomes a code and a message that the ledger can keep", (name) => {
    const recorded = recordError(HOSTILE[name]?.());
    expect(recorded.code).toMatch(/^[A-Z_]+$/);
    expect(typeof recorded.message).toBe("string");
    expect(recorded.message).not.toBe("");
    expect(parseError(errorText(recorded))).toEqual(recorded);
  });

  test("S1-28 whatever an operator throws, its step fails, its run ends and the engine lives", async () => {
    const operators = Object.fromEntries(
      Object.keys(HOSTILE).map((name, index) => [
        `throw${index}`,
        () => {
          throw HOSTILE[name]?.();
        },
      ]),
    );
    const harness = new Harness(openMemoryLedger(), { operators });
    const steps = Object.fromEntries(Object.keys(operators).map((uses) => [uses, { uses }]));
    const id = await harness.start({ name: "hostile", steps });
    expect((await harness.stepwell.result(id)).status).toBe("FAILED");
    expect(new Set(Object.values(await harness.statuses(id)))).toEqual(new Set(["FAILED"]));
    await harness.stepwell.stop();
  });

  test("an error keeps its name and a code of its own as data, under a code that cannot be forged", () => {
    const refused = Object.assign(new RangeError("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    expect(recordError(refused)).toEqual({
      code: "STEP_FAILED",
      message: "connect ECONNREFUSED",
      data: { name: "RangeError", code: "ECONNREFUSED" },
    });
    expect(recordError(Object.assign(new Error("x"), { code: "RUN_TIMEOUT" })).code).toBe("STEP_FAILED");
  });

  test("a coded error keeps code, message, hint and data", () => {
    const error = new StepwellError("HTTP_STATUS", "no such order", { hint: "Look again.", data: { status: 404 } });
    expect(recordError(error)).toEqual({ code: "HTTP_STATUS", message: "no such order", hint: "Look again.", data: { status: 404 } });
  });

  test("an error is bounded, however long its message or large its data", () => {
    const long = recordError(new Error("x".repeat(50_000_000)));
    expect(long.message).toMatch(/… \(50000000 characters\)$/);
    const large = recordError(new StepwellError("HTTP_STATUS", "large", { data: { body: "x".repeat(20 * 1024 * 1024) } }));
    for (const error of [long, large]) expect(errorText(error).length).toBeLessThan(LIMITS.payloadBytes);
  });

  test("what the ledger gives back is read as an error, whatever it is", () => {
    expect(parseError('"text"')).toEqual({ code: "STEP_FAILED", message: '"text"' });
    expect(parseError('{"code":7,"hint":1,"data":[]}')).toEqual({ code: "STEP_FAILED", message: '{"code":7,"hint":1,"data":[]}' });
  });
});

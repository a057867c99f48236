import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../model/error-codes.ts";
import type { RecordedError } from "../model/errors.ts";
import type { RetryPolicy } from "../model/graph-terms.ts";
import { nextDelay } from "./retry.ts";

const failed: RecordedError = { code: "STEP_FAILED", message: "it failed" };
const base: RetryPolicy = {
  strategy: "exponential",
  maxAttempts: 10,
  initialDelayMs: 100,
  maxDelayMs: 1_000,
  factor: 2,
  jitter: 0,
  on: [],
  notOn: [],
};
const policies = fc.record({
  strategy: fc.constantFrom("fixed" as const, "exponential" as const),
  maxAttempts: fc.integer({ min: 1, max: 50 }),
  initialDelayMs: fc.integer({ min: 0, max: 60_000 }),
  maxDelayMs: fc.integer({ min: 0, max: 3_600_000 }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  on: fc.constant([]),
  notOn: fc.constant([]),
});
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const never = (): number => 0;

describe("retry delays", () => {
  test("an exponential delay grows by its factor up to its bound, a fixed one stays", () => {
    const exponential = [1, 2, 3, 4, 5, 6].map((failures) => nextDelay(base, failures, failed, never));
    expect(exponential).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    const fixed = [1, 2, 3].map((failures) => nextDelay({ ...base, strategy: "fixed" }, failures, failed, never));
    expect(fixed).toEqual([100, 100, 100]);
  });

  test("S1-21 the tries are counted in total, and `none` never tries again", () => {
    expect(nextDelay({ ...base, maxAttempts: 3 }, 2, failed, never)).toBe(200);
    expect(nextDelay({ ...base, maxAttempts: 3 }, 3, failed, never)).toBeUndefined();
    expect(nextDelay({ ...base, strategy: "none" }, 1, failed, never)).toBeUndefined();
  });

  test("every delay is a whole number between what the jitter leaves of the bound and the bound", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 49 }), randoms, (policy, failures, random) => {
        const delay = nextDelay(policy, failures, failed, () => random);
        if (failures >= policy.maxAttempts) return delay === undefined;
        const grown = policy.initialDelayMs * (policy.strategy === "fixed" ? 1 : policy.factor ** (failures - 1));
        const most = Math.min(grown, policy.maxDelayMs);
        return (
          delay !== undefined && Number.isInteger(delay) && delay <= Math.round(most) && delay >= Math.round(most * (1 - policy.jitter))
        );
      }),
    );
  });

  test("without jitter a later delay is never shorter than an earlier one", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 40 }), randoms, (policy, failures, random) => {
        const steady = { ...policy, jitter: 0, maxAttempts: 50 };
        const [sooner = 0, later = 0] = [failures, failures + 1].map((count) => nextDelay(steady, count, failed, () => random));
        return sooner <= later;
      }),
    );
  });

  test("`Retry-After` is waited for even beyond the bound, and never shortens a delay", () => {
    const asked = (retryAfterMs: number | string): number | undefined =>
      nextDelay(base, 1, { code: "HTTP_RETRYABLE_STATUS", message: "busy", data: { retryAfterMs } }, never);
    expect([asked(30_000), asked(5), asked(-1), asked("soon")]).toEqual([30_000, 100, 100, 100]);
  });

  test("which errors are tried again: those that can pass, those that `on` names, never those that `notOn` names", () => {
    for (const [code, { retryable }] of Object.entries(ERROR_CODES)) {
      expect([code, nextDelay(base, 1, { code, message: "" }, never) !== undefined]).toEqual([code, retryable]);
    }
    const delayOf = (code: string, change: Partial<RetryPolicy>): number | undefined =>
      nextDelay({ ...base, ...change }, 1, { code, message: "" }, never);
    expect(delayOf("HTTP_STATUS", { on: ["HTTP_STATUS"] })).toBe(100);
    expect(delayOf("STEP_FAILED", { on: ["HTTP_STATUS"] })).toBeUndefined();
    expect(delayOf("STEP_FAILED", { on: ["STEP_FAILED"], notOn: ["STEP_FAILED"] })).toBeUndefined();
  });
});

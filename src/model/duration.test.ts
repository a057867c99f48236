import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration, parseSignedDuration } from "./duration.ts";

const CENTURY_MS = 36_500 * 86_400_000;

describe("parseDuration", () => {
  test.each([
    [0, 0],
    [1_500, 1_500],
    [0.6, 1],
    ["200ms", 200],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["3d", 259_200_000],
    ["1w", 604_800_000],
    ["1h30m", 5_400_000],
    ["30m1h", 5_400_000],
    [" 5s ", 5_000],
    ["PT5M", 300_000],
    ["PT1H30M0.5S", 5_400_500],
    ["P1DT12H", 129_600_000],
    ["P2W", 1_209_600_000],
    [CENTURY_MS, CENTURY_MS],
    ["36500d", CENTURY_MS],
  ])("reads %s as %d ms", (value, expected) => {
    expect(parseDuration(value)).toBe(expected);
  });

  test.each([
    "",
    "5",
    "s",
    "5 s",
    "1h 30m",
    "5x",
    "5sec",
    "-5s",
    "1.s",
    ".5s",
    "1h,30m",
    "P",
    "PT",
    "P1M",
    "P1Y",
    "PT1.5H",
    "36501d",
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])("refuses %s with a hint", (value) => {
    expect(() => parseDuration(value)).toThrow(
      expect.objectContaining({
        code: "DURATION_INVALID",
        hint: expect.stringContaining("200ms"),
        message: expect.stringContaining(`"${value}"`),
      }),
    );
  });

  test("adds up any sequence of whole parts, short or ISO", () => {
    const part = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.constantFrom("ms", "s", "m", "h", "d"));
    const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const total = parts.reduce((sum, [amount, unit]) => sum + amount * (unitMs[unit] ?? Number.NaN), 0);
        expect(parseDuration(parts.map(([amount, unit]) => `${amount}${unit}`).join(""))).toBe(total);
      }),
    );
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(50), (days, hours, minutes, seconds) => {
        const total = ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000;
        expect(parseDuration(`P${days}DT${hours}H${minutes}M${seconds}S`)).toBe(total);
      }),
    );
  });

  test("a hostile text of a million digits is refused in one pass", () => {
    const started = performance.now();
    expect(() => parseDuration("1".repeat(1_000_000))).toThrow("is not a duration");
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0 ms"],
    [340, "340 ms"],
    [999.4, "999 ms"],
    [999.5, "1.0 s"],
    [2_400, "2.4 s"],
    [59_949, "59.9 s"],
    [59_970, "1 m"],
    [60_000, "1 m"],
    [200_000, "3 m 20 s"],
    [3_599_499, "59 m 59 s"],
    [3_599_500, "1 h"],
    [7_500_000, "2 h 5 m"],
    [86_369_999, "23 h 59 m"],
    [86_370_000, "1 d"],
    [273_600_000, "3 d 4 h"],
    [CENTURY_MS, "36500 d"],
  ])("writes %d ms as %s", (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });

  test("what a person reads is a duration again, off by at most half of the last unit shown", () => {
    const halfUnitMs: Readonly<Record<string, number>> = { ms: 0.5, s: 500, m: 30_000, h: 1_800_000 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: CENTURY_MS }), (ms) => {
        const text = formatDuration(ms);
        const finest = ms < 1_000 ? "ms" : ms < 3_599_500 ? "s" : ms < 86_370_000 ? "m" : "h";
        expect(Math.abs(parseDuration(text.replaceAll(" ", "")) - ms)).toBeLessThanOrEqual(halfUnitMs[finest] ?? 0);
      }),
    );
  });

  test("never shows a unit that is full: no 60 s, no 60 m, no 24 h", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: CENTURY_MS, noNaN: true }), (ms) => {
        expect(formatDuration(ms)).not.toMatch(/\b(?:1000 ms|60(?:\.0)? s|60 m|24 h)\b/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("parseSignedDuration", () => {
  test.each([
    ["5m", 300_000],
    ["-5m", -300_000],
    [" - 1h30m ", -5_400_000],
    ["-PT5M", -300_000],
    ["-0s", 0],
    ["0ms", 0],
  ])("reads %s as %d ms", (text, expected) => {
    expect(parseSignedDuration(text)).toBe(expected);
  });

  test.each(["", "-", "--5m", "+5m", "-5", "-36501d"])("refuses %j", (text) => {
    expect(() => parseSignedDuration(text)).toThrow(expect.objectContaining({ code: "DURATION_INVALID" }));
  });
});

import { describe, expect, test } from "vitest";
import { iso } from "./iso-time.ts";

describe("iso", () => {
  test("writes milliseconds since the epoch as UTC with milliseconds", () => {
    expect(iso(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(iso(1_764_201_600_001)).toBe("2025-11-27T00:00:00.001Z");
  });

  test("leaves a time that is not there as it is", () => {
    expect(iso(null)).toBeNull();
  });
});

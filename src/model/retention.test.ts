import { describe, expect, test } from "vitest";
import { keptMs, retentionPolicy, shortestKeptMs, TERMINAL_STATUSES } from "./retention.ts";

const DAY_MS = 86_400_000;

describe("retention", () => {
  test("without a word about it every run is kept for ever", () => {
    const policy = retentionPolicy({});
    for (const status of TERMINAL_STATUSES) expect(keptMs(policy, "order", status)).toBeUndefined();
    expect(shortestKeptMs(policy)).toBeUndefined();
  });

  test("one duration is for all that have ended, and for nothing that has not", () => {
    const policy = retentionPolicy({ runs: "30d" });
    expect(TERMINAL_STATUSES.map((status) => keptMs(policy, "order", status))).toEqual([30 * DAY_MS, 30 * DAY_MS, 30 * DAY_MS]);
    expect(keptMs(policy, "order", "RUNNING")).toBeUndefined();
    expect(keptMs(policy, "order", "SUSPENDED")).toBeUndefined();
  });

  test("a status that is not named is kept, and a workflow that is named goes by its own word alone", () => {
    const policy = retentionPolicy({ runs: { SUCCEEDED: "2d" }, workflows: { audit: {}, constructor: { FAILED: 5 } } });
    expect(keptMs(policy, "order", "SUCCEEDED")).toBe(2 * DAY_MS);
    expect(keptMs(policy, "order", "FAILED")).toBeUndefined();
    expect(keptMs(policy, "audit", "SUCCEEDED")).toBeUndefined();
    expect(keptMs(policy, "constructor", "FAILED")).toBe(5);
    expect(keptMs(policy, "toString", "SUCCEEDED")).toBe(2 * DAY_MS);
    expect(shortestKeptMs(policy)).toBe(5);
  });

  test("what cannot be read is refused with its code", () => {
    const refused = (options: Parameters<typeof retentionPolicy>[0]) => () => retentionPolicy(options);
    expect(refused({ runs: "soon" })).toThrow(expect.objectContaining({ code: "DURATION_INVALID" }));
    expect(refused({ workflows: { order: { FAILED: -1 } } })).toThrow(expect.objectContaining({ code: "DURATION_INVALID" }));
    const running: Record<string, string> = { RUNNING: "1d" };
    expect(refused({ runs: running })).toThrow(expect.objectContaining({ code: "USAGE", message: "Runs do not end RUNNING" }));
  });
});

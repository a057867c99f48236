import { expect, test } from "vitest";
import { runKillMatrix } from "./kill-matrix.ts";

test("S0-14 S1-41 killed at random moments, the example ends, and no finished step is executed again", async () => {
  const { violations, kills, effects, calls, runs } = await runKillMatrix({ kills: 6, seed: 20_251, pace: 0.2 });
  expect(violations).toEqual([]);
  expect(kills).toBe(6);
  expect(effects).toBe(5 * runs);
  expect(calls).toBeGreaterThan(effects);
});

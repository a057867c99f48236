import { describe, expect, test } from "vitest";
import { REGRESSION_SEEDS } from "./seeds.ts";
import { runSuite, seedsFrom } from "./suite.ts";
import { failureText, hitTable, neverHit } from "./tally.ts";
import { simulateTwice } from "./twice.ts";

const MEMORY_SEEDS = 1_940;
const SQLITE_SEEDS = 60;

describe("simulation", () => {
  test("S1-41 S0-14 2,000 seeds: random programs under crashes at every commit point keep every promise, each seed twice alike", {
    timeout: 300_000,
  }, async () => {
    const tally = await runSuite({
      portions: [
        { seeds: seedsFrom(1, MEMORY_SEEDS), ledger: "memory" },
        { seeds: seedsFrom(1, SQLITE_SEEDS), ledger: "sqlite" },
      ],
      workers: 2,
    });
    console.log(hitTable(tally));
    expect(tally.failures.map(failureText)).toEqual([]);
    expect(neverHit(tally)).toEqual([]);
    expect(tally.seeds).toBe(MEMORY_SEEDS + SQLITE_SEEDS);
  });

  test.each(REGRESSION_SEEDS)("seed $seed on $ledger, which showed that $showed", async ({ seed, ledger }) => {
    const { violations } = await simulateTwice(seed, ledger);
    expect(violations).toEqual([]);
  });
});

import { describe, expect, test } from "vitest";
import { REGRESSION_SEEDS } from "./seeds.ts";
import { shrink } from "./shrink.ts";
import { runSuite, seedsFrom } from "./suite.ts";
import { failureText, hitTable, neverHit, shrunkText } from "./tally.ts";
import { simulateTwice } from "./twice.ts";

const MEMORY_SEEDS = 1_940;
const SQLITE_SEEDS = 60;

describe("simulation", () => {
  test("S1-41 S0-14 2,000 seeds: random programs under crashes at every commit point keep every promise, each seed twice alike", {
    timeout: 600_000,
  }, async () => {
    const tally = await runSuite({
      seeds: [...seedsFrom(1, SQLITE_SEEDS, "sqlite"), ...seedsFrom(1, MEMORY_SEEDS, "memory")],
      workers: 2,
    });
    console.log(hitTable(tally));
    const [first] = tally.failures;
    if (first !== undefined) console.log(shrunkText(await shrink({ seed: first.seed, ledger: first.ledger })));
    expect(tally.failures.map(failureText)).toEqual([]);
    expect(neverHit(tally)).toEqual([]);
    expect(tally.seeds).toBe(MEMORY_SEEDS + SQLITE_SEEDS);
  });

  test.each(REGRESSION_SEEDS)("seed $seed on $ledger, which showed that $showed", async (stored) => {
    const { violations } = await simulateTwice(stored);
    expect(violations).toEqual([]);
  });
});

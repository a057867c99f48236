import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { demandOfShard } from "./demand.ts";
import { byBoundedHash, byHash, byTwoChoices, hashOf, meanOf, movesOf, type Placement } from "./placement.ts";
import { simulate } from "./simulation.ts";
import { growTenants, split, zipfShares } from "./tenants.ts";

const OPTIONS = { tenants: 600, exponent: 0.6, hours: 48, meanLoad: 10, seed: 7 } as const;
const world = growTenants(OPTIONS);
const loads = fc
  .array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 2, maxLength: 40 })
  .map((values) => Float64Array.from(values));

describe("tenants", () => {
  test("are the same for the same seed, and others for another", () => {
    expect(growTenants(OPTIONS)).toStrictEqual(world);
    expect(growTenants({ ...OPTIONS, seed: 8 }).loads).not.toStrictEqual(world.loads);
  });

  test("do in the mean what they are to do, and nothing before they come", () => {
    const total = world.loads.reduce((sum, load) => sum + load.reduce((all, value) => all + value, 0), 0);
    expect(total / OPTIONS.hours).toBeCloseTo(OPTIONS.meanLoad, 9);
    for (const [tenant, arrivesAt] of world.arrivesAt.entries())
      expect(world.loads.map((load) => (load[tenant] ?? 0) > 0).indexOf(true)).toBe(arrivesAt);
    expect(world.arrivesAt.toSorted((left, right) => left - right)).toStrictEqual(world.arrivesAt);
  });

  test("follow Zipf's law", () => {
    const shares = zipfShares(1_000, 1);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect((shares[0] ?? 0) / (shares[9] ?? 0)).toBeCloseTo(10, 9);
    expect(new Set(zipfShares(4, 0))).toStrictEqual(new Set([0.25]));
  });
});

test("a tenant that is too large is as many as it takes", () => {
  expect(split([0.5, 0.2, 0.3], 0.2)).toStrictEqual([0.5 / 3, 0.5 / 3, 0.5 / 3, 0.2, 0.15, 0.15]);
  const whole = growTenants({ ...OPTIONS, exponent: 1 });
  const parted = growTenants({ ...OPTIONS, exponent: 1, largestShare: 0.01 });
  expect(parted.arrivesAt.length).toBeGreaterThan(whole.arrivesAt.length);
  expect(parted.biggestShare).toBeLessThan(whole.biggestShare / 2);
});

describe("a placement", () => {
  test("by hash spreads tenants evenly and asks nobody", () => {
    const counts = new Float64Array(100);
    for (let tenant = 0; tenant < 100_000; tenant++) counts[hashOf(tenant, 0) % 100] = (counts[hashOf(tenant, 0) % 100] ?? 0) + 1;
    // five deviations of a binomial distribution
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(5 * Math.sqrt(1_000));
    expect(byHash(3, Float64Array.of(0, 0, 9))).toBe(byHash(3, Float64Array.of(9, 0, 0)));
  });

  test("by bounded hash takes no shard that is beyond the bound, and by two choices never the busier one", () => {
    fc.assert(
      fc.property(fc.nat(10_000), loads, (tenant, measured) => {
        expect(measured[byBoundedHash(tenant, measured)]).toBeLessThanOrEqual(meanOf(measured) * 1.25);
        const choices = [0, 1].map((attempt) => measured[hashOf(tenant, attempt) % measured.length] ?? 0);
        expect(measured[byTwoChoices(tenant, measured)]).toBe(Math.min(...choices));
      }),
    );
  });
});

describe("moves", () => {
  test("take one tenant from a shard and bring one to a shard at most, never make another one as hot, and leave those at rest alone", () => {
    fc.assert(
      fc.property(loads, fc.integer({ min: 2, max: 6 }), fc.integer(), (each, shards, salt) => {
        const homes = Int32Array.from(each, (_, tenant) => (hashOf(tenant, salt) % (shards + 1)) - 1);
        const carried = new Float64Array(shards);
        for (const [tenant, home] of homes.entries()) if (home >= 0) carried[home] = (carried[home] ?? 0) + (each[tenant] ?? 0);
        const mean = meanOf(carried);
        const moves = movesOf(each, homes, shards, (tenant) => tenant % 3 !== 0);
        for (const { tenant, from, to } of moves) {
          expect(tenant % 3).not.toBe(0);
          expect(homes[tenant]).toBe(from);
          expect(carried[from]).toBeGreaterThan(mean * 1.2);
          expect((carried[to] ?? 0) + (each[tenant] ?? 0)).toBeLessThanOrEqual(mean * 1.2 + 1e-9);
        }
        for (const end of ["from", "to"] as const) expect(new Set(moves.map((move) => move[end])).size).toBe(moves.length);
      }),
    );
  });

  test("happen where one tenant too many is, and not where a single one is all of it", () => {
    const homes = Int32Array.of(0, 0, 1, 2);
    expect(movesOf(Float64Array.of(4, 3, 2, 1), homes, 3, () => true)).toStrictEqual([{ tenant: 1, from: 0, to: 2 }]);
    expect(movesOf(Float64Array.of(9, 0, 2, 1), homes, 3, () => true)).toStrictEqual([]);
  });
});

describe("a simulation", () => {
  const run = (place: Placement, moves: boolean) => simulate(world, 20, 1, { name: "", place, moves });

  test("gives the same for the same world", () => {
    expect(run(byTwoChoices, true)).toStrictEqual(run(byTwoChoices, true));
  });

  test("of one shard carries everything, and moves nobody", () => {
    const alone = simulate(world, 1, OPTIONS.meanLoad, { name: "", place: byHash, moves: true });
    expect(alone).toMatchObject({ moves: 0, moved: 0 });
    expect(alone.p50).toBeGreaterThan(0.5);
    expect(alone.highest).toBeLessThan(2);
  });

  test("shows that measuring beats hashing, and that moves help either", () => {
    const [hash, hashMoves, two, twoMoves] = [run(byHash, false), run(byHash, true), run(byTwoChoices, false), run(byTwoChoices, true)];
    expect(two.p99).toBeLessThan(hash.p99);
    expect(hashMoves.p99).toBeLessThan(hash.p99);
    expect(twoMoves.moves).toBeLessThan(hashMoves.moves);
    expect(hash.moves + two.moves).toBe(0);
    expect(hashMoves.moved).toBeLessThanOrEqual(hashMoves.moves);
  });
});

test("the demand on a shard is its part of the whole", () => {
  const one = demandOfShard({ runsPerSecond: 1_000, shards: 1, plannedUse: 1 });
  expect(one).toMatchObject({ serverCores: 0.113, workerCores: 0.099, connections: 12, queueWorkers: 5 });
  const ten = demandOfShard({ runsPerSecond: 10_000, shards: 10, plannedUse: 0.5 });
  expect(ten).toMatchObject({ runsPerSecond: 1_000, serverCores: 0.226, gbPerDay: one.gbPerDay, logMbPerSecond: 2.772 });
});

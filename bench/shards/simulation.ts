import { percentile } from "../statistics.ts";
import { movesOf, type Placement } from "./placement.ts";
import type { Tenants } from "./tenants.ts";

export interface Policy {
  readonly name: string;
  readonly place: Placement;
  readonly moves: boolean;
}

export interface Outcome {
  /** Load by capacity, of every shard in every hour. */
  readonly p50: number;
  readonly p99: number;
  readonly highest: number;
  /** Of all hours of all shards, 0 to 1: those with more to do than the shard can. */
  readonly overloaded: number;
  readonly moves: number;
  /** Tenants that moved at least once. */
  readonly moved: number;
}

const REST_HOURS = 24;

/**
 * Places tenants when they come, by what was measured in the hour before, and lets them stay or move. Time goes by the hour.
 *
 * @param capacity of one shard, in the unit of the loads
 */
export function simulate(tenants: Tenants, shards: number, capacity: number, { place, moves: canMove }: Policy): Outcome {
  const homes = new Int32Array(tenants.arrivesAt.length).fill(-1);
  const movedAt = new Map<number, number>();
  const utilisations: number[] = [];
  let moves = 0;
  let next = 0;
  for (const [hour, loads] of tenants.loads.entries()) {
    const before = tenants.loads[hour - 1] ?? loads;
    if (canMove && hour > 0) {
      for (const { tenant, to } of movesOf(before, homes, shards, (each) => hour - (movedAt.get(each) ?? -REST_HOURS) >= REST_HOURS)) {
        homes[tenant] = to;
        movedAt.set(tenant, hour);
        moves++;
      }
    }
    const measured = carriedBy(homes, before, shards);
    for (; (tenants.arrivesAt[next] ?? Infinity) <= hour; next++) {
      const home = place(next, measured);
      homes[next] = home;
      // those of the first hour stand for years in which each was there, and measured, before the next one came
      measured[home] = (measured[home] ?? 0) + (loads[next] ?? 0);
    }
    for (const carried of carriedBy(homes, loads, shards)) utilisations.push(carried / capacity);
  }
  return {
    p50: percentile(utilisations, 0.5),
    p99: percentile(utilisations, 0.99),
    highest: percentile(utilisations, 1),
    overloaded: utilisations.filter((utilisation) => utilisation > 1).length / utilisations.length,
    moves,
    moved: movedAt.size,
  };
}

function carriedBy(homes: Int32Array, loads: Float64Array, shards: number): Float64Array {
  const carried = new Float64Array(shards);
  for (const [tenant, home] of homes.entries()) if (home >= 0) carried[home] = (carried[home] ?? 0) + (loads[tenant] ?? 0);
  return carried;
}

/** Says where a tenant goes that nobody has placed yet. All that it knows of shards is what was measured of them. */
export type Placement = (tenant: number, measured: Float64Array) => number;

/** A well-mixed number of a tenant, from 0 up to 2³²; another one for each try. */
export function hashOf(tenant: number, attempt: number): number {
  let mixed = Math.imul(tenant + 1, 0x9e3779b1) ^ Math.imul(attempt + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

const candidate = (tenant: number, attempt: number, shards: number): number => hashOf(tenant, attempt) % shards;
const loadOf = (measured: Float64Array, shard: number): number => measured[shard] ?? 0;

export function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Needs no map at all, as long as nobody moves. */
export const byHash: Placement = (tenant, measured) => candidate(tenant, 0, measured.length);

/** A shard with more than this many times the mean takes no tenant: the next one in the tenant's own order does. */
const BOUND = 1.25;

export const byBoundedHash: Placement = (tenant, measured) => {
  const shards = measured.length;
  const bound = meanOf(measured) * BOUND;
  for (let attempt = 0; attempt < shards; attempt++) {
    const shard = candidate(tenant, attempt, shards);
    if (loadOf(measured, shard) <= bound) return shard;
  }
  // its order may name a shard twice and pass over another; not all of them are above their mean
  return Math.max(
    0,
    measured.findIndex((load) => load <= bound),
  );
};

/** The one with less to do, of two. */
export const byTwoChoices: Placement = (tenant, measured) => {
  const [one, two] = [candidate(tenant, 0, measured.length), candidate(tenant, 1, measured.length)];
  return loadOf(measured, two) < loadOf(measured, one) ? two : one;
};

export interface Move {
  readonly tenant: number;
  readonly from: number;
  readonly to: number;
}

/** A shard gives tenants away above this many times the mean. */
const HOT = 1.2;

/**
 * Which tenants go elsewhere this hour: from each shard that is hot its biggest tenant that does not make another one hotter than this one was, to the
 * one with least to do. A shard gives one and takes one at a time, because a move holds up its tenant.
 *
 * @param loads of tenants, as measured
 * @param homes the shard of each tenant; -1: not placed
 * @param mayMove false for one that has only just moved
 */
export function movesOf(loads: Float64Array, homes: Int32Array, shards: number, mayMove: (tenant: number) => boolean): readonly Move[] {
  const measured = new Float64Array(shards);
  const tenantsOf: number[][] = Array.from({ length: shards }, () => []);
  for (const [tenant, home] of homes.entries()) {
    if (home < 0) continue;
    measured[home] = loadOf(measured, home) + (loads[tenant] ?? 0);
    tenantsOf[home]?.push(tenant);
  }
  const mean = meanOf(measured);
  const byLoad = [...measured.keys()].toSorted((left, right) => loadOf(measured, right) - loadOf(measured, left));
  const targets = byLoad.toReversed();
  const moves: Move[] = [];
  for (const from of byLoad) {
    const to = targets[moves.length];
    if (to === undefined || loadOf(measured, from) <= mean * HOT || loadOf(measured, to) >= mean) break;
    const most = Math.min(loadOf(measured, from) - mean, mean * HOT - loadOf(measured, to));
    const fitting = (tenantsOf[from] ?? []).filter((tenant) => mayMove(tenant) && (loads[tenant] ?? 0) <= most);
    const tenant = fitting.reduce<number | undefined>(
      (best, each) => (best === undefined || (loads[each] ?? 0) > (loads[best] ?? 0) ? each : best),
      undefined,
    );
    if (tenant !== undefined && (loads[tenant] ?? 0) > 0) moves.push({ tenant, from, to });
  }
  return moves;
}

import { type Random, randomFrom } from "../../test/e2e/seeded-random.ts";

export interface TenantsOptions {
  readonly tenants: number;
  /** Of Zipf's law: the tenant of rank k has a share in proportion to 1 / k ^ exponent. */
  readonly exponent: number;
  readonly hours: number;
  /** Of all tenants together, the mean over all hours, in whatever unit. */
  readonly meanLoad: number;
  readonly seed: number;
  /** The largest share that a tenant may have, 0 to 1; one with more is as many tenants as it takes. Default: any. */
  readonly largestShare?: number;
}

/** What all tenants do, whoever carries it. */
export interface Tenants {
  /** In the order in which they come; the number of a tenant is its index. */
  readonly arrivesAt: readonly number[];
  /** By hour, then by tenant. 0: not there yet. */
  readonly loads: readonly Float64Array[];
  /** The biggest tenant's part of all load, 0 to 1, over all hours. */
  readonly biggestShare: number;
}

/** Of tenants that are there from the start. */
const EARLY_PART = 0.8;
/** Of a day: how much a tenant grows or shrinks, as the deviation of its logarithm. */
const DAILY_DRIFT = 0.1;
const HOURLY_NOISE = 0.15;
/** Between its quiet hour and its loud one a tenant's load differs by (1 + a) / (1 - a). */
const DAILY_SWING = 0.5;
/** Most tenants sleep at much the same time. */
const TIME_ZONES = [0, 0, 0, 1, 1, 6, 7, 8] as const;
const SURGES_PER_TENANT_AND_DAY = 0.002;
const SURGE = { times: 8, hours: 6 } as const;

/** A normal deviate, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Shares by rank, of 1 in all. */
export function zipfShares(count: number, exponent: number): readonly number[] {
  const weights = Array.from({ length: count }, (_, index) => (index + 1) ** -exponent);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Each share in as many equal parts as it takes for none to be larger. */
export function split(shares: readonly number[], largest: number): readonly number[] {
  return shares.flatMap((share) => {
    const parts = Math.max(1, Math.ceil(share / largest));
    return Array.from({ length: parts }, () => share / parts);
  });
}

function shuffled<T>(values: readonly T[], random: Random): readonly T[] {
  const copy = [...values];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const [left, right] = [copy[last], copy[other]];
    if (left !== undefined && right !== undefined) [copy[last], copy[other]] = [right, left];
  }
  return copy;
}

/** Skewed tenants that come, grow, shrink, sleep at night and surge now and then. The same options, the same tenants. */
export function growTenants({ tenants: count, exponent, hours, meanLoad, seed, largestShare = 1 }: TenantsOptions): Tenants {
  const random = randomFrom(seed);
  const shares = shuffled(split(zipfShares(count, exponent), largestShare), random);
  const tenants = shares.length;
  const early = Math.round(tenants * EARLY_PART);
  const arrivesAt = shares.map((_, index) => (index < early ? 0 : Math.floor(((index - early) / Math.max(1, tenants - early)) * hours)));
  const loads = Array.from({ length: hours }, () => new Float64Array(tenants));
  for (const [tenant, share] of shares.entries()) lifeOf(tenant, share, arrivesAt[tenant] ?? 0, loads, random);
  return { arrivesAt, loads, biggestShare: scale(loads, meanLoad) };
}

function lifeOf(tenant: number, share: number, arrivesAt: number, loads: readonly Float64Array[], random: Random): void {
  const zone = TIME_ZONES[Math.floor(random() * TIME_ZONES.length)] ?? 0;
  let size = share;
  let surgesUntil = 0;
  for (const [hour, load] of loads.entries()) {
    if (hour % 24 === 0) size *= Math.exp(normal(random) * DAILY_DRIFT - DAILY_DRIFT ** 2 / 2);
    if (random() < SURGES_PER_TENANT_AND_DAY / 24) surgesUntil = hour + SURGE.hours;
    const day = 1 + DAILY_SWING * Math.sin((2 * Math.PI * (hour + zone)) / 24);
    const noise = Math.exp(normal(random) * HOURLY_NOISE - HOURLY_NOISE ** 2 / 2);
    load[tenant] = hour < arrivesAt ? 0 : size * day * noise * (hour < surgesUntil ? SURGE.times : 1);
  }
}

/** Makes the mean of all hours what it is to be, and gives the biggest tenant's share. */
function scale(loads: readonly Float64Array[], meanLoad: number): number {
  const totals = new Float64Array(loads[0]?.length ?? 0);
  for (const load of loads) for (const [tenant, value] of load.entries()) totals[tenant] = (totals[tenant] ?? 0) + value;
  const total = totals.reduce((sum, value) => sum + value, 0);
  const factor = (meanLoad * loads.length) / total;
  for (const load of loads) for (const [tenant, value] of load.entries()) load[tenant] = value * factor;
  return totals.reduce((most, value) => Math.max(most, value), 0) / total;
}

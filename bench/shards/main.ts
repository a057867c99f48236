// `npm run simulate:shards`: where tenants go when a fleet has many databases, and what a database has to carry. No database is needed.
import { parseArgs } from "node:util";
import { endAll } from "../processes.ts";
import { formatTable } from "../report.ts";
import { type Demand, demandOfShard } from "./demand.ts";
import { byBoundedHash, byHash, byTwoChoices, type Placement } from "./placement.ts";
import { type Policy, simulate } from "./simulation.ts";
import { growTenants } from "./tenants.ts";
import { measureWaiting } from "./waiting-cost.ts";

const USAGE = `usage: npm run simulate:shards -- [--shards 100] [--tenants 20000] [--days 7] [--skew 0.6,0.8,1] [--rate 1000000] [--split 0.25] [--measure 10000] [--seed 1]
--shards    databases, each of which holds its tenants wholly
--skew      exponents of Zipf's law, each simulated for itself: the tenant of rank k has a share in proportion to 1 / k ^ exponent
--rate      runs per second of all tenants, for the arithmetic
--split     a tenant with more than this part of what a shard can is as many tenants as it takes
--measure   starts a PostgreSQL and measures what so many waiting runs cost it, instead of all that`;

/** Of a shard's capacity, what the mean of all shards and hours uses. */
const PLANNED_USE = 0.5;
const PLACEMENTS: Readonly<Record<string, Placement>> = { hash: byHash, "bounded hash": byBoundedHash, "two choices": byTwoChoices };
const POLICIES: readonly Policy[] = Object.entries(PLACEMENTS).flatMap(([name, place]) => [
  { name, place, moves: false },
  { name: `${name}, moves`, place, moves: true },
]);
const FLEETS = [10, 30, 100, 300, 1_000] as const;

interface Choice {
  readonly shards: number;
  readonly tenants: number;
  readonly days: number;
  readonly skews: readonly number[];
  readonly rate: number;
  readonly seed: number;
  readonly split: number;
  readonly measured: number;
}

function readArguments(args: readonly string[]): Choice | undefined {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const sizes = { shards: text("100"), tenants: text("20000"), days: text("7"), rate: text("1000000"), seed: text("1") };
  const options = { ...sizes, skew: text("0.6,0.8,1"), split: text("Infinity"), measure: text("0") };
  try {
    const { values } = parseArgs({ args: [...args], options });
    const choice = {
      ...{ shards: Number(values.shards), tenants: Number(values.tenants), days: Number(values.days), rate: Number(values.rate) },
      ...{ seed: Number(values.seed), split: Number(values.split), measured: Number(values.measure) },
      skews: values.skew.split(",").map(Number),
    };
    const counts = [choice.shards, choice.tenants, choice.days, choice.rate, choice.seed, choice.measured + 1];
    const isRight = counts.every((count) => Number.isSafeInteger(count) && count > 0) && choice.skews.every((skew) => skew >= 0);
    return isRight && choice.split > 0 ? choice : undefined;
  } catch {
    return undefined;
  }
}

const percent = (part: number): string => `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;
const figure = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 });

function placements({ shards, tenants: count, days, skews, seed, split }: Choice): readonly (readonly string[])[] {
  return skews.flatMap((skew) => {
    const meanLoad = shards * PLANNED_USE;
    const tenants = growTenants({ tenants: count, exponent: skew, hours: days * 24, meanLoad, seed, largestShare: split / meanLoad });
    const biggest = tenants.biggestShare;
    return POLICIES.map((policy) => {
      const { p50, p99, highest, overloaded, moves, moved } = simulate(tenants, shards, 1, policy);
      const world = [String(skew), percent(biggest), percent(biggest * shards * PLANNED_USE)];
      return [policy.name, ...world, percent(p50), percent(p99), percent(highest), percent(overloaded), figure(moves), figure(moved)];
    });
  });
}

const DEMANDS: Readonly<Record<string, (demand: Demand) => number>> = {
  "runs/s": ({ runsPerSecond }) => runsPerSecond,
  "server cores": ({ serverCores }) => serverCores,
  "worker cores": ({ workerCores }) => workerCores,
  "commits/s": ({ commitsPerSecond }) => commitsPerSecond,
  "log MB/s": ({ logMbPerSecond }) => logMbPerSecond,
  "GB/day kept": ({ gbPerDay }) => gbPerDay,
  connections: ({ connections }) => connections,
  "queue workers": ({ queueWorkers }) => queueWorkers,
  "times retention": ({ timesRetention }) => timesRetention,
};

const choice = readArguments(process.argv.slice(2));
if (choice === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else if (choice.measured > 0) {
  try {
    console.log(await measureWaiting(choice.measured));
  } finally {
    endAll();
  }
} else {
  const { shards, tenants, days, rate, seed } = choice;
  console.log(
    `${figure(shards)} shards, ${figure(tenants)} tenants, ${days} days by the hour, seed ${seed}; the mean uses ${percent(PLANNED_USE)} of what all shards can\n`,
  );
  const columns = ["policy", "skew", "biggest tenant", "of a shard", "p50", "p99", "highest", "overloaded", "moves", "moved tenants"];
  console.log(formatTable(columns, placements(choice)));
  console.log(`\nOne shard of ${figure(rate)} runs/s in all, at ${percent(PLANNED_USE)} of its cores, if the load were even\n`);
  const fleets = FLEETS.map((each) => ({
    shards: each,
    demand: demandOfShard({ runsPerSecond: rate, shards: each, plannedUse: PLANNED_USE }),
  }));
  console.log(
    formatTable(
      ["shards", ...Object.keys(DEMANDS)],
      fleets.map(({ shards: count, demand }) => [figure(count), ...Object.values(DEMANDS).map((read) => figure(read(demand)))]),
    ),
  );
}

// `npm run chaos -- --minutes 60 --seed 7`: workers of the command line on a PostgreSQL, whose processes, network and server suffer.
import { parseArgs } from "node:util";
import { withChaosPlace } from "./place.ts";
import { runRound } from "./round.ts";
import { Tally } from "./tally.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string" },
    rounds: { type: "string" },
    "stop-at-failure": { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const mostRounds = Number(values.rounds ?? Number.POSITIVE_INFINITY);
/** Faults of a round: long enough for leases to run out a few times, short enough for a failure to be looked at. */
const ROUND_MS = 20_000;

console.log(`seed ${seed}`);
const tally = new Tally(seed);
const until = performance.now() + Number(values.minutes) * 60_000;
await withChaosPlace(async (place) => {
  for (let round = 0; round < mostRounds && performance.now() < until; round++) {
    for (const line of tally.add(await runRound(seed + round, place, ROUND_MS))) console.log(line);
    console.log(String(tally));
    if (tally.hasFailed && values["stop-at-failure"]) break;
  }
});
process.exitCode = tally.hasFailed ? 1 : 0;

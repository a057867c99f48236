// `npm run simulate -- --seeds N [--seed FIRST] [--ledger memory|sqlite] [--workers 2] [--trace] [--shrink]`: any number of seeds, each twice.
import { parseArgs } from "node:util";
import { NEWEST_VOCABULARY } from "./programs/program.ts";
import { shrink } from "./shrink.ts";
import type { StoreKind } from "./storage/store.ts";
import { runSuite, seedsFrom } from "./suite.ts";
import { addReport, emptyTally, failureText, hitTable, neverHit, shrunkText, type Tally } from "./tally.ts";
import { simulateTwice } from "./twice.ts";

/** Fewer seeds than these cannot be asked to pass every commit point. */
const ENOUGH_FOR_EVERY_POINT = 1_000;
const PROGRESS_EACH = 500;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    ledger: { type: "string", default: "memory" },
    workers: { type: "string", default: "2" },
    only: { type: "string", multiple: true },
    vocabulary: { type: "string", default: String(NEWEST_VOCABULARY) },
    trace: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
    "stop-at-failure": { type: "boolean", default: false },
  },
});
const ledger: StoreKind = values.ledger === "sqlite" ? "sqlite" : "memory";
const count = Number(values.seeds);
const startedAt = performance.now();
const tally = count === 1 ? await one(Number(values.seed)) : await many();
const [first] = tally.failures;
if (values.shrink && first !== undefined) console.log(shrunkText(await shrink({ seed: first.seed, ledger })));
console.log(hitTable(tally));
const missing = count >= ENOUGH_FOR_EVERY_POINT && !values["stop-at-failure"] ? neverHit(tally) : [];
if (missing.length > 0) console.log(`no process died at: ${missing.join(" ")}`);
console.log(closing(tally));
process.exitCode = tally.failures.length + missing.length === 0 ? 0 : 1;

async function one(seed: number): Promise<Tally> {
  const sum = emptyTally();
  const report = await simulateTwice(
    { seed, ledger, vocabulary: Number(values.vocabulary), ...(values.only === undefined ? {} : { only: values.only }) },
    values.trace ? console.log : undefined,
  );
  console.log(report.story.join("\n"));
  addReport(sum, report);
  for (const failure of sum.failures) console.log(failureText(failure));
  return sum;
}

function many(): Promise<Tally> {
  let next = PROGRESS_EACH;
  let told = 0;
  return runSuite({
    seeds: seedsFrom(Number(values.seed), count, ledger),
    workers: Number(values.workers),
    stopsAtFailure: values["stop-at-failure"],
    progress: (sum) => {
      for (const failure of sum.failures.slice(told)) console.log(failureText(failure));
      told = sum.failures.length;
      if (sum.seeds < next) return;
      next += PROGRESS_EACH;
      console.log(closing(sum));
    },
  });
}

function closing({ seeds, failures, runs, steps, crashes, effects, suspensions }: Tally): string {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  return `${seeds} seeds on ${ledger}, each twice: ${failures.length} failed; ${runs} runs, ${steps} steps, ${suspensions} waits, ${effects} effects, ${crashes} crashes; ${seconds} s`;
}

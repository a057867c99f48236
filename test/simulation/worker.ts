import { z } from "zod";
import { addReport, emptyTally } from "./tally.ts";
import { simulateTwice } from "./twice.ts";

const Share = z.array(z.object({ seed: z.number(), ledger: z.enum(["memory", "sqlite"]) }));
/** Seeds after which a worker says how far it is. */
const REPORT_EACH = 20;

// many errors are made and few are looked at
Error.stackTraceLimit = 2;

/** Runs its share of the seeds and sends what they add up to, piece by piece. */
process.once("message", (message) => {
  const seeds = Share.parse(message);
  void (async () => {
    let tally = emptyTally();
    for (const [index, seed] of seeds.entries()) {
      addReport(tally, await simulateTwice(seed));
      const isDue = (index + 1) % REPORT_EACH === 0 || index + 1 === seeds.length || tally.failures.length > 0;
      if (!isDue) continue;
      process.send?.(tally);
      tally = emptyTally();
    }
    process.disconnect();
  })();
});

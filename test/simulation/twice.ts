import { compileOnce } from "./compiled.ts";
import { type Seed, type SeedReport, simulate } from "./simulate.ts";

/** One seed, twice: the same seed is the same world, or nothing that it shows could be looked at again. */
export async function simulateTwice(seed: Seed, listen?: (line: string) => void): Promise<SeedReport> {
  const compile = compileOnce();
  const rejected: string[] = [];
  const note = (reason: unknown): void => void rejected.push(`F92: nobody handled ${String(reason)}`);
  process.on("unhandledRejection", note);
  try {
    const report = await simulate(seed, { compile, ...(listen === undefined ? {} : { listen }) });
    if (report.violations.length > 0 || rejected.length > 0) return { ...report, violations: [...report.violations, ...rejected] };
    const { digest } = await simulate(seed, { compile });
    return digest === report.digest ? report : { ...report, violations: ["the same seed was another world the second time"] };
  } finally {
    process.off("unhandledRejection", note);
  }
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

/** What is kept of one run of the test suite, between `npm test`. */
const testReport = z.object({
  passed: z.number().int(),
  failed: z.number().int(),
  skipped: z.array(z.object({ file: z.string(), test: z.string(), reason: z.string().nullable() })),
});
export type TestReport = z.infer<typeof testReport>;

const reportFile = join(import.meta.dirname, "..", "node_modules", ".cache", "stepwell", "test-report.json");

export function removeReport(): void {
  rmSync(reportFile, { force: true });
}

export function writeReport(report: TestReport): void {
  mkdirSync(dirname(reportFile), { recursive: true });
  writeFileSync(reportFile, JSON.stringify(report));
}

/** The report of the last run; a run that ended without one counts as one failure. */
export function readReport(): TestReport {
  try {
    return testReport.parse(JSON.parse(readFileSync(reportFile, "utf8")));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

/** The line that every run of the suite ends with. */
export function closingLine(report: TestReport): string {
  return `${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`;
}

import type { Reporter, TestModule, TestResult } from "vitest/node";
import { type TestReport, writeReport } from "./test-report.ts";

/** Vitest reporter that keeps the numbers of a run, and why tests were skipped, for `scripts/test.ts`. */
export default class KeepTestReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const skipped: TestReport["skipped"] = [];
    let passed = 0;
    // an error outside of every test is a failure that no test would show
    let failed = unhandledErrors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed++;
        else if (result.state === "failed") failed++;
        else skipped.push({ file: module.relativeModuleId, test: test.fullName, reason: reasonOf(result) });
      }
    }
    writeReport({ passed, failed, skipped });
  }
}

function reasonOf(result: TestResult): string | null {
  if (result.state === "pending") return "the run ended before it";
  return result.state === "skipped" ? (result.note ?? null) : null;
}

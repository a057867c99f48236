// `npm test`: the whole suite, or what the arguments choose (all of them go to vitest), and one closing line with its numbers.
import { join } from "node:path";
import { closingLine, readReport, removeReport } from "./test-report.ts";
import { runTool } from "./tool.ts";

removeReport();
const reporter = join(import.meta.dirname, "test-reporter.ts");
const { exitCode } = await runTool(["vitest", "run", "--reporter=default", `--reporter=${reporter}`, ...process.argv.slice(2)], "show");
const report = readReport();
for (const { file, test, reason } of report.skipped) console.log(`skipped: ${file} > ${test}: ${reason ?? "no reason given"}`);
console.log(closingLine(report));
process.exitCode = exitCode;

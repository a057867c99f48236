// The last line of a build: the numbers of the test run that came before it.
import { closingLine, readReport } from "./test-report.ts";

console.log(closingLine(readReport()));

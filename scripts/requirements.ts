// `npm run requirements`: the rows of docs/requirements.md that no test shows, and tests that name rows wrongly.
// --spine looks at the rows of the spine alone and fails when one is missing.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compare, type NamedTest, readRequirements, readTests } from "./requirement-rows.ts";
import { repositoryRoot } from "./tool.ts";

function printTests(title: string, tests: readonly NamedTest[]): void {
  for (const { file, line, name } of tests) console.log(`${title}: ${file}:${line} ${name}`);
}

const { values } = parseArgs({ options: { spine: { type: "boolean", default: false } } });
const requirements = readRequirements(readFileSync(join(repositoryRoot, "docs", "requirements.md"), "utf8"));
const tests = globSync("{src,test,scripts,bench,examples}/**/*.ts", { cwd: repositoryRoot })
  .toSorted()
  .flatMap((file) => readTests(file, readFileSync(join(repositoryRoot, file), "utf8")));

const { missing, crowded, mistaken } = compare(requirements, tests);
const asked = requirements.filter(({ shownBy }) => !values.spine || shownBy === "spine");
const open = missing.filter(({ shownBy }) => !values.spine || shownBy === "spine");
for (const { id, shownBy, text } of open) console.log(`no test: ${id.padEnd(5)}  ${shownBy.padEnd(13)}  ${text}`);
printTests("more than three rows", crowded);
printTests("unknown row", mistaken);
console.log(`${asked.length - open.length} of ${asked.length} rows have a test`);
const broken = crowded.length > 0 || mistaken.length > 0 || (values.spine && open.length > 0);
process.exitCode = broken ? 1 : 0;

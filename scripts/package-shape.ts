// What would be published: nothing but what a user needs, and it loads.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { repositoryRoot, runTool } from "./tool.ts";

const REQUIRED = ["package.json", "README.md", "CHANGELOG.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "dist/cli/bin.js"];
const ALLOWED = [
  /^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^schema\/[\w.-]+\.json$/,
  /^dist\/.+(?:\.js|\.d\.ts|\.js\.map|\.sql|\.json)$/,
];
const UNWANTED = [/\.test\./, /(?:^|\/)fixtures?\//, /^dist\/testing\/.*\.sql$/];

const packed = z.tuple([z.object({ files: z.array(z.object({ path: z.string(), size: z.number() })) })]);

async function contents(): Promise<readonly string[]> {
  const { exitCode, output } = await runTool(["npm", "pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=silent"], "collect");
  if (exitCode !== 0) throw new Error(`npm pack failed:\n${output}`);
  return packed.parse(JSON.parse(output))[0].files.map((file) => file.path);
}

async function problemsOf(files: readonly string[]): Promise<readonly string[]> {
  const problems = [
    ...REQUIRED.filter((path) => !files.includes(path)).map((path) => `missing from the package: ${path}`),
    ...files.filter((path) => !ALLOWED.some((pattern) => pattern.test(path))).map((path) => `does not belong in the package: ${path}`),
    ...files.filter((path) => UNWANTED.some((pattern) => pattern.test(path))).map((path) => `does not belong in the package: ${path}`),
  ];
  const loaded = await runTool(["node", "--input-type=module", "--eval", 'await import("stepwell")'], "collect");
  if (loaded.exitCode !== 0) problems.push(`import("stepwell") failed:\n${loaded.output}`);
  const started = await runTool(["node", "dist/cli/bin.js", "--version"], "collect");
  if (started.exitCode !== 0) problems.push(`stepwell --version failed:\n${started.output}`);
  problems.push(...problemsOfWorkers(files), ...(await problemsOfThreads()));
  return problems;
}

/** A worker thread begins with a file that stands beside the one that names it. */
function problemsOfWorkers(files: readonly string[]): readonly string[] {
  const named = files.filter((file) => file.endsWith(".js")).flatMap((file) => workersOf(file));
  const missing = named
    .filter((file) => !files.includes(file))
    .map((file) => `${file} is named and missing: make it an entry of the build`);
  return named.length > 0 ? missing : ["no file names that of a worker thread: this check looks for the wrong words"];
}

function workersOf(file: string): readonly string[] {
  const text = readFileSync(join(repositoryRoot, file), "utf8");
  return [...text.matchAll(/new URL\(`([\w-]+)\$\{extname\(/g)].map(([, name]) => join(dirname(file), `${name}.js`));
}

async function problemsOfThreads(): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "stepwell-package-"));
  const [workflow, operators] = [join(directory, "threaded.yaml"), join(directory, "operators.mjs")];
  writeFileSync(workflow, "name: threaded\nsteps:\n  - { uses: answer, isolation: thread }\n");
  writeFileSync(operators, "export const answer = () => 42;\n");
  const command = ["node", join(repositoryRoot, "dist", "cli", "bin.js"), "run", workflow, "--operators", operators, "--ledger", "memory:"];
  const { exitCode, output } = await runTool(command, "collect", directory);
  rmSync(directory, { recursive: true });
  return exitCode === 0 ? [] : [`a step in a worker thread failed:\n${output}`];
}

const problems = await problemsOf(await contents());
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

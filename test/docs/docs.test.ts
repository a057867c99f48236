import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { repositoryRoot } from "../../scripts/tool.ts";
import { openLedger } from "../../src/ledger/url.ts";
import { loadWorkflow } from "../../src/workflow/index.ts";
import { Workspace } from "../fixtures/cli-process.ts";
import { sharedDatabase } from "../fixtures/postgres/file-database.ts";
import { query } from "../fixtures/postgres/new-database.ts";
import { type Block, blocksOf, comparable, readPage } from "./pages.ts";
import { installShim, pageEnvironment, type Surroundings } from "./shim.ts";

const PAGES = [
  "README.md",
  ...[
    "getting-started",
    "waiting",
    "flow-control",
    "workers",
    "transactions",
    "configuration",
    "sizing",
    "laptop-to-fleet",
    "deployment",
  ].map((guide) => `docs/guide/${guide}.md`),
  "docs/reference/cli.md",
];

function readPageText(page: string): string {
  return readFileSync(join(repositoryRoot, page), "utf8");
}

async function execute(place: Workspace, program: string, args: readonly string[], surroundings: Surroundings = {}): Promise<string> {
  const env = pageEnvironment(surroundings);
  const child = spawn(program, args, { cwd: place.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0 || stderr !== "") throw new Error(`exit code ${String(code)}: ${stderr}`);
  return stdout;
}

async function runTypeScript(place: Workspace, { line, text: source }: Block, environment: NodeJS.ProcessEnv): Promise<void> {
  const library = pathToFileURL(join(repositoryRoot, "src", "index.ts")).href;
  const file = `block-${line}.ts`;
  const linked = source.replaceAll('from "stepwell"', `from "${library}"`).replaceAll('from "pg"', `from "${import.meta.resolve("pg")}"`);
  place.write(file, linked);
  expect(await execute(place, process.execPath, [file], { environment })).not.toBe("");
}

async function validate({ text: source }: Block): Promise<void> {
  const { problems } = await loadWorkflow(source, { operators: null, userVars: { region: "eu" } });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
}

/** Does what a reader of the page would do, from top to bottom, in one folder. Resolves with how many blocks it executed. */
async function follow(blocks: readonly Block[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  using place = new Workspace();
  const bin = installShim(place);
  let output = "";
  let executed = 0;
  for (const block of blocks) {
    const { language, mark, text: source } = block;
    executed++;
    if (language === "yaml" && source.startsWith("name:")) await validate(block);
    if (language === "sh" && mark === "run")
      output = await execute(place, "bash", ["-e", "-o", "pipefail", "-c", source], { bin, environment });
    else if (language === "text" && mark === "output") expect(comparable(output)).toBe(comparable(source));
    else if (/^[\w.-]+\.\w+$/.test(mark)) place.write(mark, source);
    else if (language === "ts") await runTypeScript(place, block, environment);
    else if (language !== "yaml") executed--;
  }
  return executed;
}

describe("the pages for a new user", () => {
  test.each([
    ["README.md", 2],
    ["docs/guide/getting-started.md", 12],
    ["docs/guide/waiting.md", 21],
    ["docs/guide/flow-control.md", 8],
    ["docs/guide/configuration.md", 5],
    ["docs/reference/cli.md", 10],
  ])("what %s shows is what happens", async (page, count) => {
    expect(await follow(readPage(page))).toBe(count);
  });

  describe("on PostgreSQL", () => {
    const database = sharedDatabase();

    test.each([
      ["docs/guide/workers.md", 18],
      ["docs/guide/transactions.md", 1],
    ])("what %s shows is what happens", async (page, count) => {
      expect(await follow(readPage(page), { STEPWELL_LEDGER: await database() })).toBe(count);
    });

    test("the server does what docs/guide/sizing.md has it do", async () => {
      const url = await database();
      await (await openLedger(url)).close();
      const statements = readPage("docs/guide/sizing.md").filter(({ language }) => language === "sql");
      const answers = await Promise.all(statements.map(({ text: sql }) => query(url, sql)));
      expect(answers.at(-1)).toHaveLength(5);
    });
  });

  test("a page that says something else is found out", async () => {
    const page = (lines: readonly string[]): readonly Block[] => blocksOf(lines.join("\n"));
    await expect(follow(page(["```sh run", "echo one", "```", "```text output", "two", "```"]))).rejects.toThrow("two");
    await expect(follow(page(["```sh run", "stepwell validate nowhere.yaml", "```"]))).rejects.toThrow("FILE_UNREADABLE");
    await expect(follow(page(["```yaml", "name: x", "stepz: {}", "```"]))).rejects.toThrow("FIELD_UNKNOWN");
    await expect(follow(page(["```ts", 'import { Stepwel } from "stepwell";', "```"]))).rejects.toThrow("Stepwel");
  });

  test.each(PAGES)("the links of %s lead somewhere", (page) => {
    const links = readPageText(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g);
    const targets = [...links].map(([, target = ""]) => posix.join(posix.dirname(page), target));
    expect(targets.filter((target) => !existsSync(join(repositoryRoot, target)))).toStrictEqual([]);
  });
});

describe("docs/reference/cli.md", () => {
  test.each([
    ["run", "## stepwell run"],
    ["validate", "## stepwell validate"],
    ["graph", "## stepwell graph"],
    ["runs list", "## stepwell runs"],
    ["runs show", "## stepwell runs"],
    ["runs cancel", "## stepwell runs"],
    ["tasks list", "## stepwell tasks"],
    ["tasks approve", "## stepwell tasks"],
    ["tasks complete", "## stepwell tasks"],
    ["signal", "## stepwell signal"],
    ["events publish", "## stepwell events"],
    ["explain", "## stepwell explain"],
    ["worker", "## stepwell worker"],
    ["server", "## stepwell server"],
    ["migrate", "## stepwell migrate"],
    ["doctor", "## stepwell doctor"],
    ["doctor verify", "## stepwell doctor"],
  ])("lists every flag of %s", async (command, heading) => {
    using place = new Workspace();
    const { stdout } = await place.run([...command.split(" "), "--help"]);
    const flags = [...stdout.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, flag = ""]) => flag);
    const page = readPageText("docs/reference/cli.md");
    const from = page.indexOf(`${heading}\n`);
    const section = page.slice(from, page.indexOf("\n## ", from + 1));
    expect(flags.length).toBeGreaterThan(0);
    expect(flags.filter((flag) => !section.includes(flag))).toStrictEqual([]);
  });
});

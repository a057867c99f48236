import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { repositoryRoot } from "../../scripts/tool.ts";
import { ALL_SETTINGS, variablesOf } from "../../src/cli/settings/settings.ts";
import { VERSION } from "../../src/main/version.ts";
import { sharedDatabase } from "../fixtures/postgres/file-database.ts";
import { contextFiles, contextFilter, copyOf, environmentOf, execForm, readDockerfile, stagesOf } from "./dockerfile.ts";
import { performStages, placed } from "./image-steps.ts";

const stages = readDockerfile();
const last = stages.at(-1) ?? { image: "", name: undefined, instructions: [] };
const Package = z.looseObject({
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
const packageJson = Package.parse(JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")));
/** Installing takes what the registry takes. */
const INSTALL_MS = 240_000;

describe("deploy/Dockerfile", () => {
  test("begins with the Node.js that the repository pins", () => {
    const Runtime = z.object({ optionalDependencies: z.record(z.string(), z.string()) });
    const { optionalDependencies } = Runtime.parse(JSON.parse(readFileSync(join(repositoryRoot, "tools/node/package.json"), "utf8")));
    const images = new Set(Object.values(optionalDependencies).map((version) => `node:${version}-bookworm-slim`));
    expect(new Set(stages.map(({ image }) => image))).toStrictEqual(images);
  });

  test("copies what the context has", () => {
    const files = contextFiles();
    const copies = stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === "COPY").map(copyOf));
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((source) => !files.some((file) => file === source || file.startsWith(source)))).toStrictEqual([]);
    const names = stages.map(({ name }) => name);
    expect(copies.filter(({ from }) => from !== undefined && !names.includes(from))).toStrictEqual([]);
    expect(files.filter((file) => !sources.some((source) => file === source || file.startsWith(source)))).toStrictEqual([]);
  });

  test("runs as nobody in particular, and puts no shell before the process", () => {
    expect(last.instructions.findLast(({ name }) => name === "USER")?.text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(execForm(last, "ENTRYPOINT")).toStrictEqual(["node", "/opt/stepwell/dist/cli/bin.js"]);
    expect(last.instructions.find(({ name }) => name === "STOPSIGNAL")?.text).toBe("SIGTERM");
  });

  test("says settings that there are, and exposes the ports that they name", () => {
    const environment = environmentOf(last);
    const variables = Object.entries(ALL_SETTINGS).flatMap(([name, setting]) => variablesOf(name, setting));
    const said = Object.keys(environment).filter((name) => name.startsWith("STEPWELL_"));
    expect(said.filter((name) => !variables.includes(name))).toStrictEqual([]);
    const ports = [environment["STEPWELL_PORT"], environment["STEPWELL_HEALTH_PORT"]];
    expect(last.instructions.find(({ name }) => name === "EXPOSE")?.text.split(" ")).toStrictEqual(ports);
  });
});

describe("reading of a Dockerfile", () => {
  test("continued lines are one, comments none", () => {
    const [stage] = stagesOf("# x\nFROM a:1 AS b\nRUN one \\\n  # why\n  && two\nCOPY --from=c x y /z/\n");
    expect(stage).toStrictEqual({
      image: "a:1",
      name: "b",
      instructions: [
        { name: "RUN", text: "one   && two" },
        { name: "COPY", text: "--from=c x y /z/" },
      ],
    });
    expect(copyOf({ name: "COPY", text: "--from=c x y /z/" })).toStrictEqual({ from: "c", sources: ["x", "y"], target: "/z/" });
  });

  test("the last pattern that names a file, or a folder that it is in, decides", () => {
    const isTaken = contextFilter("*\n!src\nsrc/**/*.test.ts\n!tools/*/package.json\n");
    expect(["src/a/b.ts", "tools/node/package.json"].map(isTaken)).toStrictEqual([true, true]);
    expect(["README.md", "src/a/b.test.ts", "src/b.test.ts", "tools/node/x", "tools/package.json"].map(isTaken)).toStrictEqual(
      Array(5).fill(false),
    );
  });
});

/** Whether this process may be another user and give a child the first place among processes, as a container does. */
const isContained =
  spawnSync("unshare", ["--pid", "--fork", "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "true"]).status === 0;

describe("what the steps of the Dockerfile make", () => {
  const database = sharedDatabase();
  const folder = mkdtempSync(join(tmpdir(), "stepwell-image-"));
  let root = "";

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    root = await performStages(stages, folder);
  }, INSTALL_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

  /** As the container is started: by its user, as its first process, with its environment. */
  function start(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
    const command = [...execForm(last, "ENTRYPOINT").map((word) => placed(word, root)), ...args];
    const contained = ["unshare", "--pid", "--fork", "--kill-child", "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
    const [program = "", ...rest] = [...(isContained ? contained : []), process.execPath, ...command.slice(1)];
    const { PATH: _path, ...its } = environmentOf(last);
    return spawn(program, rest, {
      cwd: join(root, "app"),
      env: { PATH: process.env["PATH"], ...its, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
    const child = start(args, environment);
    const output = collect(child);
    await once(child, "close");
    expect([child.exitCode, output()]).toStrictEqual([0, output()]);
    return output();
  }

  test("is the packages that the product needs, with the driver, and no others", () => {
    const packages = readdirSync(join(root, "opt/stepwell/node_modules"));
    expect(packages).toEqual(
      expect.arrayContaining([...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.peerDependencies)]),
    );
    const needless = Object.keys(packageJson.devDependencies).filter((name) => !(name in packageJson.peerDependencies));
    expect(
      packages.filter((name) => needless.includes(name) || name.startsWith("@embedded") || name.startsWith("node-linux-")),
    ).toStrictEqual([]);
    expect(readdirSync(join(root, "opt/stepwell")).toSorted()).toStrictEqual(["LICENSE", "bin", "dist", "node_modules", "package.json"]);
  });

  test("has the versions of the lockfile", () => {
    const Lock = z.object({
      packages: z.record(z.string(), z.looseObject({ version: z.string().optional(), integrity: z.string().optional() })),
    });
    const read = (file: string) => Lock.parse(JSON.parse(readFileSync(file, "utf8"))).packages;
    const locked = read(join(repositoryRoot, "package-lock.json"));
    const installed = Object.entries(read(join(root, "opt/stepwell/node_modules/.package-lock.json")));
    expect(installed.length).toBeGreaterThan(20);
    expect(installed.filter(([path, { integrity }]) => integrity !== locked[path]?.integrity).map(([path]) => path)).toStrictEqual([]);
  });

  test("is a command line", async () => {
    expect(await run(["--version"])).toBe(`${VERSION}\n`);
    expect(await run(execForm(last, "CMD"))).toContain("worker");
  });

  test("migrates, is ready, and drains as the first process of a container", async ({ skip }) => {
    if (!isContained) skip("only root can give a child the place of a container's first process (unshare, setpriv)");
    const STEPWELL_LEDGER = `${await database()}?schema=image`;
    expect(await run(["migrate"], { STEPWELL_LEDGER })).toContain("Applied migration 1");
    const worker = start(["worker"], {
      STEPWELL_LEDGER,
      STEPWELL_HEALTH_HOST: "127.0.0.1",
      STEPWELL_HEALTH_PORT: "0",
      STEPWELL_GRACE: "30s",
    });
    const output = collect(worker);
    await printed(worker, output, " is ready: ");
    const [, url = ""] = /Listening on (\S+)/.exec(output()) ?? [];
    expect([(await fetch(`${url}/healthz`)).status, (await fetch(`${url}/readyz`)).status]).toStrictEqual([200, 200]);
    process.kill(firstProcess(worker), "SIGTERM");
    await once(worker, "close");
    expect(output()).toContain("Stopped; what is unfinished goes on with another worker");
    expect(worker.exitCode).toBe(0);
  });
});

/** The number, out here, of the process that is number 1 inside. */
function firstProcess({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8").trim());
}

function collect(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  return () => output;
}

async function printed(child: ChildProcess, output: () => string, text: string): Promise<void> {
  while (!output().includes(text)) {
    if (child.exitCode !== null) throw new Error(`ended without saying "${text}":\n${output()}`);
    await Promise.race([once(child.stdout ?? child, "data"), once(child, "close")]);
  }
}

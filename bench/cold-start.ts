import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot, runTool } from "../scripts/tool.ts";
import type { Settings, WorkResult } from "./engine-works.ts";
import { newDirectory } from "./processes.ts";
import type { Row } from "./report.ts";
import { median, pairwise, spreadOf } from "./statistics.ts";

const WARM_UPS = 3;
const REPETITIONS = 20;
const QUICK_REPETITIONS = 5;
const MAX_VALIDATE = 4;
const MAX_RUN = 6;

const PLAIN = `name: cold-start
steps:
  - { id: greet, uses: transform, with: { text: "Hello {{ input.name }}" } }
  - { id: repeat, uses: transform, with: { text: "{{ steps.greet.output.text }}" } }
  - { id: close, uses: transform, with: { done: true } }
output: { text: "{{ steps.repeat.output.text }}" }
`;

/** The same with a schema, which loads ajv, and a function, which loads JSONata. */
const FULL = PLAIN.replace("steps:", "input: { type: object, required: [name] }\nsteps:").replace(
  "{{ steps.greet.output.text }}",
  "{{ $uppercase(steps.greet.output.text) }}",
);

/**
 * From the shell to the answer: `validate` and `run` of a file with three steps on a fresh build, beside `node -e 0`. The
 * processes share a compile cache, which the warm-up fills, and every run gets a new ledger. Targets are for a file that needs
 * neither ajv nor JSONata; what these add is shown beside.
 *
 * @throws Error when the build or one of the commands fails
 */
export async function w13({ progress, repetitions }: Settings): Promise<WorkResult> {
  progress("W13 (build)");
  const built = await runTool(["node", "scripts/build.ts"], "collect");
  if (built.exitCode !== 0) throw new Error(`W13 needs dist/, and the build failed:\n${built.output}`);
  const bin = join(repositoryRoot, "dist", "cli", "bin.js");
  if (!existsSync(bin)) throw new Error("W13 needs dist/cli/bin.js, and the build made none");
  progress("W13");
  const directory = newDirectory();
  const plain = join(directory, "plain.yaml");
  const full = join(directory, "full.yaml");
  const ledger = join(directory, "ledger.db");
  writeFileSync(plain, PLAIN);
  writeFileSync(full, FULL);
  const node = (...args: readonly string[]): number => {
    for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(`${ledger}${suffix}`, { force: true });
    return timeNode(args, directory);
  };
  const run = (file: string) => () => node(bin, "run", file, "--input", '{"name":"Ada"}', "--ledger", ledger, "--json");
  const commands = {
    bare: () => node("-e", "0"),
    validate: () => node(bin, "validate", plain),
    run: run(plain),
    "validate, ajv and JSONata": () => node(bin, "validate", full),
    "run, ajv and JSONata": run(full),
  };
  const times: Record<keyof typeof commands, number[]> = {
    bare: [],
    validate: [],
    run: [],
    "validate, ajv and JSONata": [],
    "run, ajv and JSONata": [],
  };
  const names = ["bare", "validate", "run", "validate, ajv and JSONata", "run, ajv and JSONata"] as const;
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) for (const command of Object.values(commands)) command();
  const rounds = repetitions >= 5 ? REPETITIONS : QUICK_REPETITIONS;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push(commands[name]());
  }
  const row = (name: (typeof names)[number], most: number | null): Row => ({
    work: `W13 ${name}`,
    unit: "ms",
    ours: spreadOf(times[name]),
    limit: spreadOf(times.bare),
    ratio: median(pairwise(times[name], times.bare, (left, right) => left / right)),
    ratioToRunning: null,
    target: most === null ? null : { of: "ratio", bound: "at most", value: most },
    resources: null,
  });
  return {
    rows: names.slice(1).map((name) => row(name, name === "validate" ? MAX_VALIDATE : name === "run" ? MAX_RUN : null)),
    details: times,
  };
}

/** Milliseconds; the compile cache of `module.enableCompileCache()` goes to the system's folder for temporary files, here ours. */
function timeNode(args: readonly string[], directory: string): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: directory,
    env: { ...process.env, TMPDIR: directory },
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  const took = performance.now() - startedAt;
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}:\n${stderr}`);
  return took;
}

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

const WORKFLOW = `name: cold-start
input: { type: object, required: [name], properties: { name: { type: string } } }
steps:
  - { id: greet, uses: transform, with: { text: "Hello {{ input.name }}" } }
  - { id: count, uses: transform, with: { length: "{{ $length(steps.greet.output.text) }}" } }
  - { id: close, uses: transform, with: { done: true } }
output: { text: "{{ steps.greet.output.text }}", length: "{{ steps.count.output.length }}" }
`;

/**
 * From the shell to the answer: `validate` and `run` of a file with three steps on a fresh build, beside `node -e 0`. The
 * processes share a compile cache, which the warm-up fills, and every run gets a new ledger.
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
  const file = join(directory, "cold-start.yaml");
  const ledger = join(directory, "ledger.db");
  writeFileSync(file, WORKFLOW);
  const node = (...args: readonly string[]): number => {
    for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(`${ledger}${suffix}`, { force: true });
    return timeNode(args, directory);
  };
  const commands = {
    bare: () => node("-e", "0"),
    validate: () => node(bin, "validate", file),
    run: () => node(bin, "run", file, "--input", '{"name":"Ada"}', "--ledger", ledger, "--json"),
  };
  const times: Record<keyof typeof commands, number[]> = { bare: [], validate: [], run: [] };
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) for (const command of Object.values(commands)) command();
  const rounds = repetitions >= 5 ? REPETITIONS : QUICK_REPETITIONS;
  for (let round = 0; round < rounds; round++) {
    for (const name of ["bare", "validate", "run"] as const) times[name].push(commands[name]());
  }
  const row = (name: "validate" | "run", most: number): Row => ({
    work: `W13 ${name}`,
    unit: "ms",
    ours: spreadOf(times[name]),
    limit: spreadOf(times.bare),
    ratio: median(pairwise(times[name], times.bare, (left, right) => left / right)),
    ratioToRunning: null,
    target: { of: "ratio", bound: "at most", value: most },
    resources: null,
  });
  return { rows: [row("validate", MAX_VALIDATE), row("run", MAX_RUN)], details: times };
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

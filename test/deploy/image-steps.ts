import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join, posix } from "node:path";
import { text } from "node:stream/consumers";
import { repositoryRoot } from "../../scripts/tool.ts";
import { contextFiles, copyOf, type Instruction, type Stage } from "./dockerfile.ts";

/**
 * Does what COPY and RUN of a Dockerfile say, each stage in a folder that stands for its root. A command must name its files from
 * its WORKDIR: one with an absolute path would leave the folder, and is refused.
 *
 * @returns the folder of the last stage
 */
export async function performStages(stages: readonly Stage[], folder: string): Promise<string> {
  const roots = new Map<string, string>();
  let last = "";
  for (const [index, stage] of stages.entries()) {
    last = join(folder, stage.name ?? `stage-${index}`);
    mkdirSync(last);
    if (stage.name !== undefined) roots.set(stage.name, last);
    await performStage(stage, last, roots);
  }
  return last;
}

async function performStage({ instructions }: Stage, root: string, roots: ReadonlyMap<string, string>): Promise<void> {
  let place = "/";
  for (const instruction of instructions) {
    if (instruction.name === "WORKDIR") {
      place = posix.resolve(place, instruction.text);
      mkdirSync(join(root, place), { recursive: true });
    } else if (instruction.name === "COPY") performCopy(instruction, root, place, roots);
    else if (instruction.name === "RUN") await performRun(instruction, join(root, place));
  }
}

function performCopy(instruction: Instruction, root: string, place: string, roots: ReadonlyMap<string, string>): void {
  const { from, sources, target } = copyOf(instruction);
  const base = from === undefined ? repositoryRoot : roots.get(from);
  if (base === undefined) throw new Error(`COPY takes from the stage ${from}, which is not there`);
  const destination = join(root, posix.resolve(place, target));
  for (const source of sources) {
    const path = join(base, source);
    if (!statSync(path).isDirectory()) copyFile(path, target.endsWith("/") ? join(destination, basename(source)) : destination);
    else if (from !== undefined) cpSync(path, destination, { recursive: true, verbatimSymlinks: true });
    else copyContext(source, destination);
  }
}

/** Of a folder of the context: what .dockerignore lets through. */
function copyContext(source: string, destination: string): void {
  const prefix = `${source.replace(/^\.\/|\/$/g, "")}/`;
  for (const file of contextFiles().filter((each) => each.startsWith(prefix)))
    copyFile(join(repositoryRoot, file), join(destination, file.slice(prefix.length)));
}

function copyFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

async function performRun({ text: command }: Instruction, cwd: string): Promise<void> {
  if (/(?:^|[\s"'=])\/\w/.test(command)) throw new Error(`RUN names a file from the root: ${command}`);
  // the image begins with Node alone; what this repository has installed must not help
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((each) => !each.startsWith(repositoryRoot));
  const env = { ...inherited(), PATH: [dirname(process.execPath), ...path].join(delimiter), npm_config_prefer_offline: "true" };
  const child = spawn("sh", ["-e", "-c", command], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`RUN ${command}\nexit code ${String(code)}\n${stdout}\n${stderr}`);
}

/** Without what npm tells the scripts that it runs, this test among them, of the folder that it runs them in. */
function inherited(): NodeJS.ProcessEnv {
  const foreign = /^(?:npm_(?:lifecycle|package)_|npm_config_(?:local_)?prefix$|NODE_(?:OPTIONS|ENV)$|VITEST|STEPWELL_)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** A word of ENTRYPOINT or CMD: a path of the image stands for one in its folder. */
export function placed(word: string, root: string): string {
  return word.startsWith("/") && existsSync(join(root, word)) ? join(root, word) : word;
}

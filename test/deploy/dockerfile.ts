import { globSync, readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { repositoryRoot } from "../../scripts/tool.ts";

export interface Instruction {
  /** `COPY`, `RUN`, … */
  readonly name: string;
  /** Continued lines in one, comments left out. */
  readonly text: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, the last one being the image. */
export function stagesOf(dockerfile: string): readonly Stage[] {
  const lines = dockerfile.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  const joined = lines.join("\n").replaceAll(/\\\n/g, "");
  const stages: { readonly image: string; readonly name: string | undefined; readonly instructions: Instruction[] }[] = [];
  for (const line of joined.split("\n").filter((each) => each.trim() !== "")) {
    const [, name = "", text = ""] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name !== "FROM") stages.at(-1)?.instructions.push({ name, text });
    else {
      const [image = "", , stage] = text.split(/\s+/);
      stages.push({ image, name: stage, instructions: [] });
    }
  }
  return stages;
}

export function readDockerfile(): readonly Stage[] {
  return stagesOf(readFileSync(join(repositoryRoot, "deploy", "Dockerfile"), "utf8"));
}

export interface Copy {
  /** A stage; undefined: the context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

export function copyOf({ text }: Instruction): Copy {
  const words = text.split(/\s+/);
  const flags = words.filter((word) => word.startsWith("--"));
  const paths = words.filter((word) => !word.startsWith("--"));
  return {
    from: flags.find((flag) => flag.startsWith("--from="))?.slice("--from=".length),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? "",
  };
}

/** The JSON form of ENTRYPOINT and CMD; anything else would put a shell in between. */
export function execForm(stage: Stage, name: string): readonly string[] {
  const text = stage.instructions.findLast((instruction) => instruction.name === name)?.text ?? "[]";
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) throw new Error(`${name} is not a list of words`);
  return words;
}

/** What ENV says, as it stands. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const pairs = stage.instructions.filter(({ name }) => name === "ENV").flatMap(({ text }) => text.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** Whether a file of the context reaches a build: the last pattern of .dockerignore that names it, or a folder that it is in, decides. */
export function contextFilter(ignoreFile: string): (path: string) => boolean {
  const rules = ignoreFile
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ pattern: line.replace(/^!/, ""), isTaken: line.startsWith("!") }));
  return (path) => {
    const names = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
    return rules.findLast(({ pattern }) => names.some((name) => matchesGlob(name, pattern)))?.isTaken ?? true;
  };
}

/** The files of the repository that a build can see. */
export function contextFiles(): readonly string[] {
  const isTaken = contextFilter(readFileSync(join(repositoryRoot, ".dockerignore"), "utf8"));
  const foreign = new Set([".git", "node_modules", "dist", "coverage", ".stepwell"]);
  return globSync("**/*", { cwd: repositoryRoot, withFileTypes: true, exclude: (entry) => foreign.has(entry.name) })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(repositoryRoot.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter(isTaken)
    .toSorted();
}

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";
import { TreeCopy } from "./tree-copy.ts";

/** What is run against a copy of the engine, to find the fault in it. */
export interface Proof {
  /** Parts of names: the mutants that are planted; undefined: all of them. */
  readonly only: readonly string[] | undefined;
  /** What the copy needs beside the sources. */
  readonly parts: readonly string[];
  /** The script, from the root, and its arguments. */
  readonly command: readonly [script: string, ...args: string[]];
  /** What it covers, for the last line: `1500 seeds`. */
  readonly extent: string;
  /** The first thing that a failed proof showed, in so many characters at most. */
  readonly showed: (ended: SpawnSyncReturns<string>) => string;
  readonly width: number;
}

/** Plants each fault into a copy of the engine, a line for each with what caught it. The process fails if one survives. */
export function plantMutants(mutants: readonly Mutant[], proof: Proof): void {
  const { only } = proof;
  const chosen = mutants.filter(({ name }) => only === undefined || only.some((part) => name.includes(part)));
  let survivors = 0;
  using copy = new TreeCopy(proof.parts);
  for (const mutant of chosen) {
    const caught = catchMutant(copy, mutant, proof);
    if (caught === undefined) survivors += 1;
    console.log(`${mutant.name.padEnd(34)} ${(caught ?? "SURVIVED").padEnd(proof.width)} ${mutant.does}`);
  }
  console.log(`${chosen.length} mutants, ${survivors} survived ${proof.extent}`);
  process.exitCode = survivors === 0 ? 0 : 1;
}

/** Runs a script of a copy with the fault in it. */
export function proveOn(copy: TreeCopy, { file, from, to }: Mutant, [script, ...args]: Proof["command"]): SpawnSyncReturns<string> {
  const putBack = copy.edit(file, from, to);
  try {
    return spawnSync(process.execPath, [join(copy.folder, script), ...args], { encoding: "utf8" });
  } finally {
    putBack();
  }
}

/** What showed the fault; undefined when nothing did. */
function catchMutant(copy: TreeCopy, mutant: Mutant, { command, showed, width }: Proof): string | undefined {
  const ended = proveOn(copy, mutant, command);
  return ended.status === 0 ? undefined : showed(ended).slice(0, width);
}

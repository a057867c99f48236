import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { repositoryRoot } from "../../scripts/tool.ts";
import type { Workspace } from "../fixtures/cli-process.ts";

const BIN = join(repositoryRoot, "src", "cli", "bin.ts");

/** Gives the page's shell a `stepwell`, which is the real command line. */
export function installShim(place: Workspace): string {
  const folder = join(place.folder, ".bin");
  mkdirSync(folder);
  const shim = join(folder, "stepwell");
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(shim, 0o755);
  return folder;
}

/** What a page's commands find in their environment. */
export interface Surroundings {
  readonly bin?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

export function pageEnvironment({ bin = "", environment = {} }: Surroundings): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...environment,
    NO_COLOR: "1",
    PATH: [bin, dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
  };
}

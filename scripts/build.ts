// `npm run build`: dist/ from nothing: the compiled sources, and beside them what the code reads at run time (SQL files).
import { cpSync, globSync, rmSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot, runTool } from "./tool.ts";

const sources = join(repositoryRoot, "src");
const target = join(repositoryRoot, "dist");

rmSync(target, { recursive: true, force: true });
const compiled = await runTool(["tsc", "-p", "tsconfig.build.json"], "show");
for (const file of globSync("**/*.{sql,json}", { cwd: sources })) cpSync(join(sources, file), join(target, file));
process.exitCode = compiled.exitCode;

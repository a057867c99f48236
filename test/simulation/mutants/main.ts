// `npm run simulate:mutants`: plants each fault into a copy of the engine and shows that the simulation fails on it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FIRST_MUTANTS, type Mutant } from "./mutants.ts";
import { WAITING_MUTANTS } from "./waiting.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

const { values } = parseArgs({ options: { seeds: { type: "string", default: "1500" }, only: { type: "string" } } });
const chosen = [...WAITING_MUTANTS, ...FIRST_MUTANTS].filter(({ name }) => values.only === undefined || name.includes(values.only));
const copy = mkdtempSync(join(tmpdir(), "stepwell-mutants-"));
let survivors = 0;
try {
  for (const part of ["src", "test/simulation", "package.json"]) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  for (const mutant of chosen) {
    const caught = catchMutant(mutant);
    if (caught === undefined) survivors += 1;
    console.log(`${mutant.name.padEnd(34)} ${(caught ?? "SURVIVED").padEnd(60)} ${mutant.does}`);
  }
} finally {
  rmSync(copy, { recursive: true });
}
console.log(`${chosen.length} mutants, ${survivors} survived ${values.seeds} seeds`);
process.exitCode = survivors === 0 ? 0 : 1;

/** The seed that failed and the first thing that it showed; undefined when none did. */
function catchMutant({ name, file, from, to }: Mutant): string | undefined {
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  const mutated = source.replace(from, () => to);
  if (mutated === source) throw new Error(`mutant "${name}" no longer fits ${file}`);
  writeFileSync(path, mutated);
  const simulation = join(copy, "test", "simulation", "main.ts");
  const { stdout, status } = spawnSync(process.execPath, [simulation, "--seeds", values.seeds, "--stop-at-failure"], { encoding: "utf8" });
  writeFileSync(path, source);
  if (status === 0) return undefined;
  const [, seed = "?", showed = ""] = /^seed (\d+) .*\n\s*(.*)$/m.exec(stdout) ?? [];
  return `seed ${seed}: ${showed}`.slice(0, 60);
}

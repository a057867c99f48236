// `npm run chaos:crash:mutants`: plants each fault into a copy of the engine and shows that the crash matrix fails on it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS, type Mutant } from "./mutants.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "120" },
    seed: { type: "string", default: "1" },
    only: { type: "string", multiple: true },
  },
});
const chosen = MUTANTS.filter(({ name }) => values.only === undefined || values.only.some((part) => name.includes(part)));
const copy = mkdtempSync(join(tmpdir(), "stepwell-crash-mutants-"));
let survivors = 0;
try {
  for (const part of ["src", "test/e2e", "test/simulation/oracle", "package.json"])
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  for (const mutant of chosen) {
    const caught = catchMutant(mutant);
    if (caught === undefined) survivors += 1;
    console.log(`${mutant.name.padEnd(34)} ${(caught ?? "SURVIVED").padEnd(100)} ${mutant.does}`);
  }
} finally {
  rmSync(copy, { recursive: true });
}
console.log(`${chosen.length} mutants, ${survivors} survived ${values.schedules} schedules`);
process.exitCode = survivors === 0 ? 0 : 1;

/** The schedule that failed and the first thing that it showed; undefined when none did. */
function catchMutant({ name, file, from, to }: Mutant): string | undefined {
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  const mutated = source.replace(from, () => to);
  if (mutated === source) throw new Error(`mutant "${name}" no longer fits ${file}`);
  writeFileSync(path, mutated);
  const args = ["--schedules", values.schedules, "--seed", values.seed, "--stop-at-failure"];
  const matrix = spawnSync(process.execPath, [join(copy, "test", "e2e", "crash", "main.ts"), ...args], { encoding: "utf8" });
  writeFileSync(path, source);
  if (matrix.status === 0) return undefined;
  const showed = /^(?:seed \d+: .*|Error: without a crash.*)$/m.exec(`${matrix.stdout}\n${matrix.stderr}`);
  return (showed?.[0] ?? matrix.stderr).slice(0, 100);
}

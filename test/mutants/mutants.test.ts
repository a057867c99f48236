import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUTANTS as CHAOS_MUTANTS } from "../e2e/chaos/mutants.ts";
import { MUTANTS } from "../e2e/crash/mutants.ts";
import { root } from "../house/tree.ts";
import { ENDING_MUTANTS } from "../simulation/mutants/ending.ts";
import { LIMIT_MUTANTS } from "../simulation/mutants/limits.ts";
import { FIRST_MUTANTS } from "../simulation/mutants/mutants.ts";
import { TASK_MUTANTS } from "../simulation/mutants/tasks.ts";
import { WAITING_MUTANTS } from "../simulation/mutants/waiting.ts";

test.each([
  ["simulation", [...ENDING_MUTANTS, ...LIMIT_MUTANTS, ...TASK_MUTANTS, ...WAITING_MUTANTS, ...FIRST_MUTANTS]],
  ["crash matrix", MUTANTS],
  ["chaos", CHAOS_MUTANTS],
])("every fault planted for the %s still fits the source that it is planted into", (_, mutants) => {
  const unfit = mutants.filter(({ file, from }) => readFileSync(join(root, file), "utf8").split(from).length !== 2);
  expect(unfit.map(({ name }) => name)).toEqual([]);
});

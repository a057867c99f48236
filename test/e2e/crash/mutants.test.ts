import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../house/tree.ts";
import { MUTANTS } from "./mutants.ts";

test("every planted fault still fits the source that it is planted into", () => {
  const unfit = MUTANTS.filter(({ file, from }) => readFileSync(join(root, file), "utf8").split(from).length !== 2);
  expect(unfit.map(({ name }) => name)).toEqual([]);
});

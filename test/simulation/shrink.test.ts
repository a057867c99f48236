import { expect, test } from "vitest";
import { proveOn } from "../mutants/plant-mutants.ts";
import { TreeCopy } from "../mutants/tree-copy.ts";
import { TASK_MUTANTS } from "./mutants/tasks.ts";

test("S1-41 a seed that fails on a planted fault is shrunk to a short story, which fails in the same way when it is told again", () => {
  const mutant = TASK_MUTANTS.find(({ name }) => name === "undone in the wrong order");
  if (mutant === undefined) throw new Error("there is no such mutant");
  using copy = new TreeCopy(["test/simulation"]);
  const script = "test/simulation/main.ts";
  const { stdout } = proveOn(copy, mutant, [script, "--seeds", "200", "--stop-at-failure", "--shrink", "--workers", "1"]);
  const [story = "", seed = "", from, to] = /^seed (\d+) \(memory\) shrunk from (\d+) pieces to (\d+) in[^]*?again:.*$/m.exec(stdout) ?? [
    stdout,
  ];
  expect(story).toContain("S1+6: ");
  expect(Number(to)).toBeLessThan(Number(from) / 2);
  expect(story.split("\n").length).toBeLessThanOrEqual(20);
  const pieces = [...story.matchAll(/--only "([^"]+)"/g)].flatMap(([, piece = ""]) => ["--only", piece]);
  const again = proveOn(copy, mutant, [script, "--seed", seed, "--seeds", "1", ...pieces]);
  expect(again.status).toBe(1);
  expect(again.stdout).toContain("S1+6: ");
});

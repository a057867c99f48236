import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { builtInDefinitions, catalogOf } from "../operators/definitions.ts";
import { createTopology, decisionKind, decisionStep, NO_DECISION, Scheduler } from "../scheduler/index.ts";
import { compileDefinition } from "../workflow/index.ts";

const schedulerRoom = fileURLToPath(new URL("../scheduler/", import.meta.url));

test("S1-22 S4-22 the scheduler is made from the graph alone and driven by plain calls, from its first step to its last", async () => {
  const steps = {
    a: { uses: "transform", with: {} },
    b: { needs: ["a"], uses: "transform", with: {} },
    c: { needs: ["a"], uses: "transform", with: {} },
    d: { needs: ["b", "c"], uses: "transform", with: {} },
  };
  const { graph } = await compileDefinition({ name: "diamond", steps }, { operators: catalogOf(builtInDefinitions, []) });
  if (graph === undefined) throw new Error("the definition does not compile");
  const scheduler = new Scheduler(createTopology(graph));
  const rounds: string[][] = [];
  scheduler.begin();
  while (!scheduler.isComplete()) {
    const ready: number[] = [];
    for (let decision = scheduler.next(); decision !== NO_DECISION; decision = scheduler.next()) {
      expect(decisionKind(decision)).toMatchObject({ kind: "ready" });
      ready.push(decisionStep(decision));
    }
    rounds.push(ready.map((step) => graph.steps[step]?.id ?? ""));
    for (const step of ready) scheduler.markRunning(step);
    for (const step of ready) scheduler.markSucceeded(step);
  }
  expect(rounds).toEqual([["a"], ["b", "c"], ["d"]]);
  expect(scheduler.outcome()).toBe("succeeded");
});

test("S1-22 the scheduler imports no package and nothing asynchronous", () => {
  const files = globSync("**/*.ts", { cwd: schedulerRoom }).filter((file) => !file.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const text = readFileSync(`${schedulerRoom}${file}`, "utf8");
    const imported = [...text.matchAll(/from "([^"]+)"/g)].map(([, name = ""]) => name);
    expect([file, imported.filter((name) => !name.startsWith("."))]).toEqual([file, []]);
    expect([file, /\b(?:async|await|Promise)\b/.test(text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ""))]).toEqual([file, false]);
  }
});

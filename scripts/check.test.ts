import { expect, test } from "vitest";
import { runTool } from "./tool.ts";

test.each([["--only", "nonsense"], ["--skip", "nonsense"], ["--frobnicate"], ["stray"]])(
  "check refuses %s %s and names the stages",
  async (...args) => {
    const { exitCode, output } = await runTool(["node", "scripts/check.ts", ...args], "collect");
    expect(exitCode).toBe(2);
    expect(output).toContain("stages: format, types, lint, architecture, dead-code, copies, tests, coverage, build, package");
  },
);

test("check with nothing left to do is content", async () => {
  const skipped = ["format", "types", "lint", "architecture", "dead-code", "copies", "tests", "coverage", "build", "package"].flatMap(
    (name) => ["--skip", name],
  );
  expect(await runTool(["node", "scripts/check.ts", ...skipped], "collect")).toStrictEqual({ exitCode: 0, output: "" });
});

test("a tool that cannot be started is a failure that says why", async () => {
  const { exitCode, output } = await runTool(["no-such-program"], "collect");
  expect(exitCode).toBe(1);
  expect(output).toContain("no-such-program");
});

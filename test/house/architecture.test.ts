import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { runTool } from "../../scripts/tool.ts";
import { isProduct, nodesOf, parse, root, textFiles } from "./tree.ts";

const CONFIG = ".dependency-cruiser.cjs";
const leaf = "export const leaf = 1;";
const uses = (path: string): string => `import { leaf } from "${path}"; export const user = leaf;`;

/** A small tree in which each import of the second column is forbidden, and one that is allowed. */
const TREE: Readonly<Record<string, string>> = {
  "src/model/leaf.ts": leaf,
  "src/model/upwards.ts": uses("../scheduler/leaf.ts"),
  "src/model/files.ts": 'import { readFileSync } from "node:fs"; export const user = readFileSync;',
  "src/scheduler/leaf.ts": leaf,
  "src/scheduler/allowed.ts": uses("../model/leaf.ts"),
  "src/scheduler/circle.ts": 'import type { B } from "./circle-back.ts"; export type A = B | 1;',
  "src/scheduler/circle-back.ts": 'import type { A } from "./circle.ts"; export type B = A | 2;',
  "src/operators/http/execute.ts": leaf,
  "src/operators/http/definition.ts": uses("./execute.ts"),
  "src/ledger/port.ts": leaf,
  "src/ledger/sqlite/leaf.ts": leaf,
  "src/ledger/memory/sibling.ts": uses("../sqlite/leaf.ts"),
  "src/engine/adapter.ts": uses("../ledger/sqlite/leaf.ts"),
  "src/engine/allowed.ts": uses("../ledger/port.ts"),
  "src/engine/tested.ts": uses("../testing/leaf.ts"),
  "src/engine/developer.ts": 'import * as fc from "fast-check"; export const user = fc;',
  "src/ledger/allowed.ts": 'import * as pg from "pg"; export const user = pg;',
  "src/engine/lost.ts": uses("./nowhere.ts"),
  "src/testing/leaf.ts": leaf,
  "src/attic/leaf.ts": leaf,
  "src/engine/attic.ts": uses("../attic/leaf.ts"),
};

const report = z.object({
  summary: z.object({ violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })) }),
});
const folder = mkdtempSync(join(tmpdir(), "stepwell-arrows-"));
let found: readonly string[] = [];

beforeAll(async () => {
  for (const [path, text] of Object.entries(TREE)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const file of [CONFIG, "package.json", "tsconfig.json", "tsconfig.base.json"]) copyFileSync(join(root, file), join(folder, file));
  for (const name of ["fast-check", "pg"]) {
    mkdirSync(join(folder, "node_modules", name), { recursive: true });
    writeFileSync(join(folder, "node_modules", name, "package.json"), JSON.stringify({ name, main: "main.js" }));
    writeFileSync(join(folder, "node_modules", name, "main.js"), "");
  }
  const { output } = await runTool(["depcruise", "--config", CONFIG, "--output-type", "json", "src"], "collect", folder);
  found = report.parse(JSON.parse(output)).summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the arrows between the rooms", () => {
  test.each([
    "src/model/upwards.ts arrow-model",
    "src/model/files.ts pure-rooms-use-no-node",
    "src/scheduler/circle-back.ts no-cycles",
    "src/operators/http/definition.ts arrow-operatorDefinition",
    "src/ledger/memory/sibling.ts arrow-ledgerMemory",
    "src/engine/adapter.ts arrow-engine",
    "src/engine/tested.ts testing-is-for-tests",
    "src/engine/developer.ts no-dev-dependencies",
    "src/engine/lost.ts resolvable",
    "src/engine/attic.ts unknown-room",
  ])("forbid %s", (violation) => {
    expect(found).toContain(violation);
  });

  test("allow what ARCHITECTURE.md draws", () => {
    expect(found.filter((violation) => violation.includes("/allowed.ts"))).toStrictEqual([]);
  });

  test("start in rooms that exist", () => {
    const config: unknown = createRequire(import.meta.url)(join(root, CONFIG));
    const { forbidden } = z
      .object({ forbidden: z.array(z.object({ name: z.string(), from: z.object({ path: z.string().optional() }) })) })
      .parse(config);
    const files = textFiles().map(({ path }) => path);
    const empty = forbidden
      .filter(({ name, from }) => name.startsWith("arrow-") && !files.some((file) => new RegExp(from.path ?? "").test(file)))
      .map(({ name }) => name);
    expect(empty).toStrictEqual([]);
  });
});

test("S1-22 the scheduler stands on plain code alone: it imports no package, not even for its types", () => {
  const files = textFiles().filter((file) => isProduct(file) && file.path.startsWith("src/scheduler/"));
  const imported = files.flatMap((file) =>
    [...nodesOf(parse(file))].filter(ts.isImportDeclaration).map((node) => node.moduleSpecifier.getText()),
  );
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((specifier) => !specifier.startsWith('"./') && !specifier.startsWith('"../'))).toStrictEqual([]);
});

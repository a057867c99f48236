import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { statesPage } from "../../scripts/states-page.ts";
import { RUN_TRANSITIONS } from "../../src/model/status.ts";
import { root } from "./tree.ts";

test("docs/reference/states.md draws the tables of today; `npm run docs` writes it anew", () => {
  expect(readFileSync(join(root, "docs", "reference", "states.md"), "utf8")).toBe(statesPage());
});

test("the page draws every transition", () => {
  const drawn = Object.entries(RUN_TRANSITIONS).flatMap(([from, targets]) => targets.map((to) => `  ${from} --> ${to}\n`));
  for (const arrow of drawn) expect(statesPage()).toContain(arrow);
  expect(statesPage()).toContain("  [*] --> QUEUED\n");
  expect(statesPage()).toContain("  FAILED --> [*]\n");
});
